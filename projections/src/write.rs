//! Writing a batch's row changes into a generation of a projection's table.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{PgConnection, SqliteConnection};

use crate::{Changes, Kind, LIVE, Table, changes::Row};

/// Rows that SQLite gets at once: each statement waits for the connection's thread, and each number of rows has a statement of its own.
const AT_ONCE: usize = 64;

/// A value as SQLite takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteValue<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

impl Table {
    /// Writes the changes to this table into a generation, through its function. `base` is the head before the batch.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_postgres(
        &self,
        connection: &mut PgConnection,
        generation: i64,
        base: i64,
        changes: &Changes,
    ) -> Result<(), sqlx::Error> {
        let (puts, sets) = (self.postgres_columns(changes.puts(self)), self.postgres_columns(changes.sets(self)));
        let some = |columns: Vec<Option<String>>| Some(columns).filter(|columns| columns.iter().any(Option::is_some));
        let (puts, sets) = (some(puts), some(sets));
        if puts.is_none() && sets.is_none() {
            return Ok(());
        }
        let sql = format!("SELECT {}($1, $2, $3)", self.apply_name(generation));
        sqlx::query(&sql).bind(base).bind(puts).bind(sets).execute(connection).await?;
        Ok(())
    }

    /// Writes the changes to this table into a generation. `base` is the head before the batch.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_sqlite(
        &self,
        connection: &mut SqliteConnection,
        generation: i64,
        base: i64,
        changes: &Changes,
    ) -> Result<(), sqlx::Error> {
        let mut sets: BTreeMap<u64, Vec<&Row>> = BTreeMap::new();
        for row in changes.sets(self) {
            sets.entry(self.columns_named(row)).or_default().push(row);
        }
        for (columns, rows) in &sets {
            for part in parts(rows) {
                let sql = self.sqlite_set_many(generation, part[0], part.len());
                self.bind(sqlx::query(&sql), part, *columns, base).execute(&mut *connection).await?;
            }
        }
        let puts: Vec<&Row> = changes.puts(self).collect();
        for part in parts(&puts) {
            let sql = self.sqlite_put(generation, part.len());
            self.bind(sqlx::query(&sql), part, u64::MAX, base).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Binds the values of some of the columns of rows, one row after the other.
    fn bind<'q>(&self, mut query: SqliteQuery<'q>, rows: &[&'q Row], columns: u64, base: i64) -> SqliteQuery<'q> {
        for row in rows {
            let values = self.sqlite_values(row, base).enumerate().filter(|(place, _)| columns & (1 << place) != 0);
            query = values.fold(query, |query, (_, value)| match value {
                SqliteValue::Null => query.bind(None::<i64>),
                SqliteValue::Integer(number) => query.bind(number),
                SqliteValue::Text(text) => query.bind(text),
            });
        }
        query
    }

    /// The columns that a row names, a bit each, in the order of the table's columns.
    #[must_use]
    pub fn columns_named(&self, row: &Row) -> u64 {
        let named = self.columns.iter().enumerate().filter(|(_, column)| row.get(column.name).is_some());
        named.fold(0, |bits, (place, _)| bits | 1 << place)
    }

    /// A row's values in the order of the table's columns, null where the row does not name one: the parameters of
    /// [`Table::sqlite_put`] and [`Table::sqlite_set`].
    pub fn sqlite_values<'a>(&self, row: &'a Row, base: i64) -> impl Iterator<Item = SqliteValue<'a>> {
        self.columns.iter().map(move |column| match (row.get(column.name), column.kind) {
            (Some(Value::String(text)), _) => SqliteValue::Text(text),
            (Some(value), Kind::Position) => SqliteValue::Integer(base + value.as_i64().unwrap_or_default()),
            (Some(Value::Bool(yes)), _) => SqliteValue::Integer(i64::from(*yes)),
            (Some(value), _) => value.as_i64().map_or(SqliteValue::Null, SqliteValue::Integer),
            (None, _) => SqliteValue::Null,
        })
    }

    /// The columns of rows as PostgreSQL's array literals; `None` for one that no row names.
    fn postgres_columns<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> Vec<Option<String>> {
        let rows: Vec<&Row> = rows.collect();
        let literal = |name: &str| {
            rows.iter().any(|row| row.get(name).is_some()).then(|| {
                let mut literal = String::from("{");
                for row in &rows {
                    write_element(&mut literal, row.get(name));
                }
                literal.pop();
                literal.push('}');
                literal
            })
        };
        self.columns.iter().map(|column| literal(column.name)).collect()
    }
}

/// Rows by [`AT_ONCE`], and those that are left one by one.
fn parts<'p, 'r>(rows: &'p [&'r Row]) -> impl Iterator<Item = &'p [&'r Row]> {
    let (whole, left) = rows.split_at(rows.len() - rows.len() % AT_ONCE);
    whole.chunks(AT_ONCE).chain(left.chunks(1))
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments<'q>>;

/// A value and the comma after it (PostgreSQL's manual, section 8.15.6).
fn write_element(literal: &mut String, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => literal.push_str("NULL"),
        Some(Value::String(text)) => {
            literal.push('"');
            for part in text.split_inclusive(['"', '\\']) {
                match part.strip_suffix(['"', '\\']) {
                    None => literal.push_str(part),
                    Some(before) => {
                        literal.push_str(before);
                        literal.push('\\');
                        literal.push_str(&part[before.len()..]);
                    }
                }
            }
            literal.push('"');
        }
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            literal.push_str(&value.to_string());
        }
    }
    literal.push(',');
}

/// Whole rows and columns to set of all live projections, as PostgreSQL's function `apply_live` takes them.
#[derive(Debug)]
pub struct LiveColumns {
    pub puts: Vec<Option<String>>,
    pub sets: Vec<Option<String>>,
}

impl Changes {
    /// The changes to the live projections, their columns one after the other.
    #[must_use]
    pub fn live_columns(&self) -> LiveColumns {
        LiveColumns {
            puts: LIVE.iter().flat_map(|table| table.postgres_columns(self.puts(table))).collect(),
            sets: LIVE.iter().flat_map(|table| table.postgres_columns(self.sets(table))).collect(),
        }
    }
}
