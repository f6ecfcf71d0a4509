//! Writing a batch's row changes into a generation of a projection's table.

use sqlx::{PgConnection, SqliteConnection};

use crate::{Changes, Table};

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
        let (puts, sets) = (changes.puts_json(self), changes.sets_json(self));
        if puts.is_none() && sets.is_none() {
            return Ok(());
        }
        let sql = format!("SELECT {}($1, $2::json, $3::json)", self.apply_name(generation));
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
        if let Some(sets) = changes.sets_json(self) {
            sqlx::query(&self.sqlite_sets(generation)).bind(base).bind(sets).execute(&mut *connection).await?;
        }
        if let Some(puts) = changes.puts_json(self) {
            sqlx::query(&self.sqlite_puts(generation)).bind(base).bind(puts).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
