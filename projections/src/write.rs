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
    /// Writes the changes to this table into a generation. `base` is the head before the batch.
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
        let (sets, puts): (Vec<_>, Vec<_>) = (changes.sets(self).collect(), changes.puts(self).collect());
        for (sql, rows) in [(self.postgres_set(generation), sets), (self.postgres_put(generation), puts)] {
            if !rows.is_empty() {
                self.bind_arrays(sqlx::query(&sql).bind(base), &rows).execute(&mut *connection).await?;
            }
        }
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

    /// Binds an array for each column, null where a row does not name it.
    fn bind_arrays<'q>(&self, query: PostgresQuery<'q>, rows: &[&'q Row]) -> PostgresQuery<'q> {
        self.columns.iter().fold(query, |query, column| {
            let values = rows.iter().map(|row| row.get(column.name));
            match column.kind {
                Kind::Text | Kind::NullableText => query.bind(values.map(|value| value?.as_str()).collect::<Vec<_>>()),
                Kind::Integer | Kind::NullableInteger | Kind::FirstInteger | Kind::Position => {
                    query.bind(values.map(|value| value?.as_i64()).collect::<Vec<_>>())
                }
                Kind::Boolean => query.bind(values.map(|value| value?.as_bool()).collect::<Vec<_>>()),
            }
        })
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

type PostgresQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;
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
