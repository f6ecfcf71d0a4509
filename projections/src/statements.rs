//! The SQL that writes into a generation of a projection's table, made from its description.

use crate::{
    changes::Row,
    table::{Column, EXPIRES_AT, Kind, Table},
};

impl Table {
    /// PostgreSQL's statement that writes whole rows. Its parameters: the head before the batch, and an array for each of the table's
    /// columns.
    #[must_use]
    pub fn postgres_put(&self, generation: i64) -> String {
        self.put_from(generation, "$1", &self.unnested(after_the_base))
    }

    /// PostgreSQL's statement that sets columns of rows, those that are not null. Its parameters are as those of
    /// [`Table::postgres_put`].
    #[must_use]
    pub fn postgres_set(&self, generation: i64) -> String {
        self.set_from(generation, "$1", &self.unnested(after_the_base))
    }

    pub(crate) fn put_from(&self, generation: i64, base: &str, rows: &str) -> String {
        format!(
            "INSERT INTO {table} AS t ({columns}) SELECT {values} FROM {rows} ON CONFLICT ({key}) DO UPDATE SET {replaced}",
            table = self.generation(generation),
            columns = self.column_list(),
            values = self.columns.iter().map(|column| value(column, base)).collect::<Vec<_>>().join(", "),
            key = self.key.join(", "),
            replaced = self.replaced(),
        )
    }

    pub(crate) fn set_from(&self, generation: i64, base: &str, rows: &str) -> String {
        let set = self.set_list(|column| format!("COALESCE({}, t.{})", value(column, base), column.name));
        format!("UPDATE {} AS t SET {set} FROM {rows} WHERE {}", self.generation(generation), self.matched())
    }

    /// An array for each column in PostgreSQL, told by the column's place among them, as the rows `r`. A column that is NULL as a whole
    /// is NULL in every row.
    pub(crate) fn unnested(&self, array: impl Fn(usize) -> String) -> String {
        let arrays = (1..).zip(self.columns).map(|(place, column)| format!("{}::{}[]", array(place), column.kind.postgres()));
        format!("unnest({}) AS r ({})", arrays.collect::<Vec<_>>().join(", "), self.column_list())
    }

    /// SQLite's statement that writes so many whole rows. Its parameters are the rows' values, one row after the other, each in the order
    /// of the table's columns.
    #[must_use]
    pub fn sqlite_put(&self, generation: i64, rows: usize) -> String {
        format!(
            "INSERT INTO {table} AS t ({columns}) VALUES {values} ON CONFLICT ({key}) DO UPDATE SET {replaced}",
            table = self.generation(generation),
            columns = self.column_list(),
            values = places(rows, self.columns.len()),
            key = self.key.join(", "),
            replaced = self.replaced(),
        )
    }

    /// SQLite's statement that sets the same columns of so many rows. Its parameters are the rows' values, one row after the other, each
    /// in the order of the table's columns; those that `row` does not name have none and stay as they are.
    #[must_use]
    pub fn sqlite_set_many(&self, generation: i64, row: &Row, rows: usize) -> String {
        let named: Vec<&Column> = self.columns.iter().filter(|column| row.get(column.name).is_some()).collect();
        let value = |name: &str| {
            let place = 1 + named.iter().position(|column| column.name == name).expect("a row names its key");
            format!("r.column{place}")
        };
        let set = named.iter().filter(|column| !self.is_key(column));
        let set = set.map(|column| format!("{} = {}", column.name, value(column.name)));
        let matched = self.key.iter().map(|name| format!("t.{name} = {}", value(name)));
        format!(
            "UPDATE {} AS t SET {} FROM (VALUES {}) AS r WHERE {}",
            self.generation(generation),
            set.collect::<Vec<_>>().join(", "),
            places(rows, named.len()),
            matched.collect::<Vec<_>>().join(" AND ")
        )
    }

    /// SQLite's statement that sets some columns of a row. Its parameters are numbered as the table's columns; those that `row` does not
    /// name stay as they are.
    #[must_use]
    pub fn sqlite_set(&self, generation: i64, row: &Row) -> String {
        let place = |name: &str| 1 + self.columns.iter().position(|column| column.name == name).expect("it is a column");
        let named = self.columns.iter().filter(|column| !self.is_key(column) && row.get(column.name).is_some());
        let set = named.map(|column| format!("{} = ?{}", column.name, place(column.name)));
        let matched = self.key.iter().map(|name| format!("{name} = ?{}", place(name)));
        format!(
            "UPDATE {} SET {} WHERE {}",
            self.generation(generation),
            set.collect::<Vec<_>>().join(", "),
            matched.collect::<Vec<_>>().join(" AND ")
        )
    }

    /// Takes away the rows of a generation that ended before a moment, those that ended first: `$1` is the moment, `$2` how many rows go
    /// at most. Gives one column of each.
    #[must_use]
    pub fn delete_ended(&self, generation: i64, returning: &str) -> String {
        let (table, key) = (self.generation(generation), self.key.join(", "));
        format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {EXPIRES_AT} < $1 ORDER BY {EXPIRES_AT} LIMIT $2)
             RETURNING {returning}"
        )
    }

    fn set_list(&self, value: impl Fn(&Column) -> String) -> String {
        let columns = self.columns.iter().filter(|column| !self.is_key(column));
        columns.map(|column| format!("{} = {}", column.name, value(column))).collect::<Vec<_>>().join(", ")
    }

    fn replaced(&self) -> String {
        self.set_list(|column| match column.kind {
            Kind::FirstInteger => format!("t.{}", column.name),
            Kind::Text | Kind::NullableText | Kind::Integer | Kind::NullableInteger | Kind::Boolean | Kind::Position => {
                format!("excluded.{}", column.name)
            }
        })
    }

    fn matched(&self) -> String {
        self.key.iter().map(|name| format!("t.{name} = r.{name}")).collect::<Vec<_>>().join(" AND ")
    }
}

impl Kind {
    /// The type of its values in PostgreSQL.
    const fn postgres(self) -> &'static str {
        match self {
            Self::Text | Self::NullableText => "text",
            Self::Integer | Self::FirstInteger | Self::Position | Self::NullableInteger => "bigint",
            Self::Boolean => "boolean",
        }
    }
}

/// The value of a column in the rows `r` of a batch.
fn value(column: &Column, base: &str) -> String {
    match column.kind {
        Kind::Position => format!("{base} + r.{}", column.name),
        Kind::Text | Kind::NullableText | Kind::Integer | Kind::NullableInteger | Kind::FirstInteger | Kind::Boolean => {
            format!("r.{}", column.name)
        }
    }
}

/// The parameter that is the array of the column at a place, where the first parameter is the head before the batch.
fn after_the_base(place: usize) -> String {
    format!("${}", place + 1)
}

/// The places of so many rows of parameters. They have no numbers: SQLite looks each numbered one up among all of them.
fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row.as_str(); rows].join(", ")
}
