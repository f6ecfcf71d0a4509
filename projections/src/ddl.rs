//! The SQL of a projection's table, made from its description: how a generation of it is made, shown and dropped.

use std::collections::BTreeMap;

use crate::{
    LIVE,
    store::Dialect,
    table::{Kind, Table},
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
        let of_list = |list: &str| self.unnested(|place| format!("{list}[{place}]"));
        format!(
            "CREATE OR REPLACE FUNCTION {name}(base bigint, puts text[], sets text[]) RETURNS void LANGUAGE plpgsql AS $apply$
BEGIN
    IF sets IS NOT NULL THEN
        {set};
    END IF;
    IF puts IS NOT NULL THEN
        {put};
    END IF;
END
$apply$",
            name = self.apply_name(generation),
            set = self.set_from(generation, "base", &of_list("sets")),
            put = self.put_from(generation, "base", &of_list("puts")),
        )
    }
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
