//! Writing a batch's changes to the live projections: a statement a table and form of change, whose text is made once a generation.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use projections::{Changes, LIVE, SqliteValue, Table};
use rusqlite::{CachedStatement, Connection, types::Null};

/// The statements that write to the live projections' active generations.
pub(super) struct LiveStatements {
    /// The count of switches that the generations belong to.
    switches: i64,
    tables: Vec<TableStatements>,
}

struct TableStatements {
    table: &'static Table,
    generation: i64,
    put: String,
    /// By the columns that a row names: a bit each.
    sets: HashMap<u64, String>,
}

impl LiveStatements {
    pub(super) fn of(switches: i64, generations: &BTreeMap<String, i64>) -> Self {
        let tables = LIVE.iter().map(|table| {
            let generation = generations.get(table.name).copied().unwrap_or(1);
            TableStatements { table, generation, put: table.sqlite_put(generation, 1), sets: HashMap::new() }
        });
        Self { switches, tables: tables.collect() }
    }

    /// Whether they are those of so many switches.
    pub(super) const fn are_of(&self, switches: i64) -> bool {
        self.switches == switches
    }

    /// Writes the changes. `base` is the head before the batch.
    pub(super) fn write(&mut self, connection: &Connection, base: i64, changes: &Changes) -> rusqlite::Result<()> {
        self.tables.iter_mut().try_for_each(|statements| statements.write(connection, base, changes))
    }
}

impl TableStatements {
    fn write(&mut self, connection: &Connection, base: i64, changes: &Changes) -> rusqlite::Result<()> {
        for row in changes.sets(self.table) {
            let sql = match self.sets.entry(self.table.columns_named(row)) {
                Entry::Occupied(sql) => sql.into_mut(),
                Entry::Vacant(place) => place.insert(self.table.sqlite_set(self.generation, row)),
            };
            execute(&mut connection.prepare_cached(sql)?, self.table.sqlite_values(row, base))?;
        }
        let mut puts = changes.puts(self.table).peekable();
        if puts.peek().is_some() {
            let mut put = connection.prepare_cached(&self.put)?;
            puts.try_for_each(|row| execute(&mut put, self.table.sqlite_values(row, base)))?;
        }
        Ok(())
    }
}

/// Runs a statement with the values of a table's columns, of which it takes those up to its last parameter.
fn execute<'a>(statement: &mut CachedStatement<'_>, values: impl Iterator<Item = SqliteValue<'a>>) -> rusqlite::Result<()> {
    let parameters = statement.parameter_count();
    for (place, value) in (1..=parameters).zip(values) {
        match value {
            SqliteValue::Null => statement.raw_bind_parameter(place, Null)?,
            SqliteValue::Integer(number) => statement.raw_bind_parameter(place, number)?,
            SqliteValue::Text(text) => statement.raw_bind_parameter(place, text)?,
        }
    }
    statement.raw_execute()?;
    Ok(())
}
