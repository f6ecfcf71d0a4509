//! Comparing what was built with what answers, while others go on writing to that.

use std::time::Instant;

use domain::Timestamp;
use projections::{
    Db,
    compare::{Compared, DifferingRow},
};

use super::{Difference, Pace, RebuildError, build::Build, read::Batch};
use crate::log::connection::{Connection, on_connection};

/// Rows of one projection that are named at most when they differ.
const NAMED: usize = 10;
/// Rows that are compared at a time.
const COMPARED: i64 = 2_000;
/// After every key: no text begins with this character, which Unicode keeps free.
const LAST_KEY: &str = "\u{10ffff}";

impl Build {
    /// Compares all that was built with the live rows, but for those that were changed since: some rows at a time, with rests between.
    pub(super) async fn compare_all(&self, db: &Db, horizon: Timestamp, pace: &Pace) -> Result<Vec<Difference>, RebuildError> {
        let mut connection = Connection::open_by_index(db).await?;
        let mut differences = Vec::new();
        for target in &self.targets {
            let Some(live) = target.comparable() else { continue };
            let next = target.table.key_after(live);
            let sql = target.table.differences(connection.dialect(), live, target.building, Compared::Between);
            let (mut after, found) = (Some(String::new()), differences.len());
            while let Some(from) = after {
                let begun = Instant::now();
                after = on_connection!(&mut connection, inner => {
                    sqlx::query_scalar(&next).bind(&from).bind(COMPARED).fetch_optional(inner).await
                })?;
                let to = after.as_deref().unwrap_or(LAST_KEY);
                let rows: Vec<DifferingRow> = on_connection!(&mut connection, inner => {
                    let query = sqlx::query_as(&sql).bind(self.position()).bind(horizon.unix()).bind(&from).bind(to).bind(named());
                    query.fetch_all(inner).await
                })?;
                differences.extend(rows.into_iter().map(|row| Difference::of(target.table, row)));
                differences.truncate(found + NAMED);
                pace.pause(begun.elapsed()).await;
            }
        }
        Ok(differences)
    }

    /// Compares the rows that a batch changed, but for those that were changed since.
    pub(super) async fn compare_batch(
        &mut self,
        batch: &Batch,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
    ) -> Result<(), RebuildError> {
        for target in &self.targets {
            let (Some(live), Some(keys)) = (target.comparable(), batch.changes.keys_json(target.table)) else { continue };
            let dialect = self.connection.dialect();
            let sql = target.table.differences(dialect, live, target.building, Compared::Keys);
            let rows: Vec<DifferingRow> = on_connection!(&mut self.connection, inner => {
                let query = sqlx::query_as(&sql).bind(batch.end).bind(horizon.unix()).bind(keys).bind(named());
                query.fetch_all(inner).await
            })?;
            differences.extend(rows.into_iter().map(|row| Difference::of(target.table, row)));
        }
        differences.dedup();
        Ok(())
    }
}

fn named() -> i64 {
    i64::try_from(NAMED).expect("it is small")
}
