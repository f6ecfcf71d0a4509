//! The SQL of a projection's table, made from its description: how a generation of it is made, written, shown and dropped.

use std::collections::BTreeMap;

use crate::{
    LIVE,
    changes::Row,
    store::Dialect,
    table::{Column, EXPIRES_AT, Kind, Table},
};

impl Table {
    /// Makes the tables of a generation and what writes them: statements to run in order, in one transaction.
    #[must_use]
    pub fn create_generation(&self, dialect: Dialect, generation: i64) -> Vec<String> {
        let mut statements = vec![self.create_table(dialect, generation)];
        statements.extend(self.create_indexes(generation));
        match dialect {
            Dialect::Postgres => statements.push(self.create_apply(generation)),
            Dialect::Sqlite => {}
        }
        statements
    }

    /// Drops a generation, if it is there.
    #[must_use]
    pub fn drop_generation(&self, dialect: Dialect, generation: i64) -> Vec<String> {
        let table = self.generation(generation);
        match dialect {
            Dialect::Postgres => vec![
                format!("DROP FUNCTION IF EXISTS {}(bigint, text[], text[])", self.apply_name(generation)),
                format!("DROP TABLE IF EXISTS {table}"),
            ],
            Dialect::Sqlite => vec![format!("DROP TABLE IF EXISTS {table}")],
        }
    }

    /// Lets the view `<name>` show a generation: statements to run in order, in the transaction that makes it the active one. In
    /// PostgreSQL the view stays the same relation, so that what readers have prepared stays good.
    #[must_use]
    pub fn create_view(&self, dialect: Dialect, generation: i64) -> Vec<String> {
        let (name, columns, table) = (self.name, self.column_list(), self.generation(generation));
        match dialect {
            Dialect::Postgres => vec![format!("CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {table}")],
            Dialect::Sqlite => {
                vec![self.drop_view(), format!("CREATE VIEW {name} AS SELECT {columns} FROM {table}")]
            }
        }
    }

    /// Takes the view away, if it is there: one with other columns cannot take its place.
    #[must_use]
    pub fn drop_view(&self) -> String {
        format!("DROP VIEW IF EXISTS {}", self.name)
    }

    /// The table of a generation. PostgreSQL leaves room in its pages, so that a row that only changes its state stays where it is; and where
    /// rows end and are swept, it takes their room back when they are a twentieth of the table, not a fifth.
    fn create_table(&self, dialect: Dialect, generation: i64) -> String {
        let columns = self.columns.iter().map(|column| format!("{} {}", column.name, column.kind.sql(dialect)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let (table, key) = (self.generation(generation), self.key.join(", "));
        let options = match dialect {
            Dialect::Postgres if self.expires() => "WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05)",
            Dialect::Postgres => "WITH (fillfactor = 90)",
            Dialect::Sqlite => "STRICT",
        };
        format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) {options}")
    }

    fn create_indexes(&self, generation: i64) -> impl Iterator<Item = String> {
        let table = self.generation(generation);
        self.indexes.iter().map(move |columns| {
            let name = columns.join("_");
            format!("CREATE INDEX {table}_by_{name} ON {table} ({})", columns.join(", "))
        })
    }

    /// The name of PostgreSQL's function that writes a generation: `(base bigint, puts text[], sets text[])`, of which each list holds
    /// the table's columns as array literals, or is NULL.
    #[must_use]
    pub fn apply_name(&self, generation: i64) -> String {
        format!("apply_{}", self.generation(generation))
    }

    /// PostgreSQL's function that writes a batch's changes. Within a function the plans of its statements are kept.
    #[must_use]
    pub fn create_apply(&self, generation: i64) -> String {
        let (name, table) = (self.apply_name(generation), self.generation(generation));
        let value = |column: &Column| match column.kind {
            Kind::Position => format!("base + r.{}", column.name),
            Kind::Text | Kind::NullableText | Kind::Integer | Kind::NullableInteger | Kind::FirstInteger | Kind::Boolean => {
                format!("r.{}", column.name)
            }
        };
        let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
        let set = self.set_list(|column| format!("COALESCE({}, t.{})", value(column), column.name));
        format!(
            "CREATE OR REPLACE FUNCTION {name}(base bigint, puts text[], sets text[]) RETURNS void LANGUAGE plpgsql AS $apply$
BEGIN
    IF sets IS NOT NULL THEN
        UPDATE {table} AS t SET {set} FROM {set_rows} WHERE {matched};
    END IF;
    IF puts IS NOT NULL THEN
        INSERT INTO {table} AS t ({columns}) SELECT {values} FROM {put_rows} ON CONFLICT ({key}) DO UPDATE SET {replaced};
    END IF;
END
$apply$",
            set_rows = self.unnested("sets"),
            matched = self.matched(),
            put_rows = self.unnested("puts"),
            columns = self.column_list(),
            key = self.key.join(", "),
            replaced = self.replaced(),
        )
    }

    /// A list of columns in PostgreSQL as the rows `r`. A column that is NULL as a whole is NULL in every row.
    fn unnested(&self, list: &str) -> String {
        let arrays = (1..).zip(self.columns).map(|(place, column)| format!("{list}[{place}]::{}[]", column.kind.postgres()));
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

/// The places of so many rows of parameters. They have no numbers: SQLite looks each numbered one up among all of them.
fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row.as_str(); rows].join(", ")
}

/// PostgreSQL's function that writes a batch's changes to all live projections, in the generations that are active: `(base bigint, puts
/// text[], sets text[])`. Each list holds the columns of all tables one after the other, as [`crate::Changes::live_columns`] lays them
/// out. To be made anew in the transaction that makes another generation the active one.
#[must_use]
pub fn create_apply_live(active: &BTreeMap<String, i64>) -> String {
    let mut body = String::new();
    let mut first = 1;
    for table in LIVE {
        let generation = active.get(table.name).copied().unwrap_or(1);
        let (name, last) = (table.apply_name(generation), first + table.columns.len() - 1);
        let key = first + table.columns.iter().position(|column| table.is_key(column)).expect("a table has a key");
        let of = |list: &str| format!("CASE WHEN {list}[{key}] IS NOT NULL THEN {list}[{first}:{last}] END");
        body += &format!(
            "    IF puts[{key}] IS NOT NULL OR sets[{key}] IS NOT NULL THEN\n        PERFORM {name}(base, {}, {});\n    END IF;\n",
            of("puts"),
            of("sets")
        );
        first = last + 1;
    }
    format!(
        "CREATE OR REPLACE FUNCTION apply_live(base bigint, puts text[], sets text[]) RETURNS void LANGUAGE plpgsql AS $apply$
BEGIN
{body}END
$apply$"
    )
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

    const fn sql(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            // By bytes: the same order on every server, whatever its locale, and the cheapest to compare.
            (Self::Text, Dialect::Postgres) => "TEXT COLLATE \"C\" NOT NULL",
            (Self::NullableText, Dialect::Postgres) => "TEXT COLLATE \"C\"",
            (Self::Text, Dialect::Sqlite) => "TEXT NOT NULL",
            (Self::NullableText, Dialect::Sqlite) => "TEXT",
            (Self::Integer | Self::FirstInteger | Self::Position, Dialect::Postgres) => "BIGINT NOT NULL",
            (Self::NullableInteger, Dialect::Postgres) => "BIGINT",
            (Self::Boolean, Dialect::Postgres) => "BOOLEAN NOT NULL",
            (Self::Integer | Self::FirstInteger | Self::Boolean | Self::Position, Dialect::Sqlite) => "INTEGER NOT NULL",
            (Self::NullableInteger, Dialect::Sqlite) => "INTEGER",
        }
    }
}
