//! The end of a rebuild: under the head lock the last events are caught up and compared, and what was built becomes the live one.

use std::time::Duration;

use domain::Timestamp;

use super::{Difference, OnDifference, RebuildError, build::Build};
use crate::log::connection::on_connection;

/// Attempts to get all locks. Each waits for them a moment only: whoever reads meanwhile waits behind it.
const ATTEMPTS: usize = 40;
/// Between two attempts readers have the views to themselves.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a lock on a view is waited for: well below the second after which PostgreSQL looks for deadlocks.
const LOCK_VIEWS: &str = "SET LOCAL lock_timeout = '100ms'";

/// What is to become of what was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Switch,
    Drop,
}

impl Build {
    /// Catches up and compares to the very head, and switches if that is wanted. Gives the head.
    ///
    /// # Errors
    /// `Differs`, and nothing is switched.
    pub(super) async fn finish(
        &mut self,
        then: Then,
        on_difference: OnDifference,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
    ) -> Result<i64, RebuildError> {
        for _ in 0..ATTEMPTS {
            self.connection.begin().await?;
            let found = differences.len();
            match self.attempt(then, on_difference, horizon, differences).await {
                Ok(position) => {
                    self.connection.commit().await?;
                    self.came_to(position);
                    return Ok(position);
                }
                Err(RebuildError::Store(error)) if is_locked(&error) => {
                    self.connection.rollback().await?;
                    differences.truncate(found);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    self.connection.rollback().await?;
                    return Err(error);
                }
            }
        }
        Err(RebuildError::Busy)
    }

    async fn attempt(
        &mut self,
        then: Then,
        on_difference: OnDifference,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
    ) -> Result<i64, RebuildError> {
        let head = self.connection.lock_head().await?;
        let mut position = self.position();
        while position < head {
            let batch = self.read(position).await?;
            self.write(&batch, position).await?;
            self.compare_batch(&batch, horizon, differences).await?;
            position = batch.end;
        }
        if !differences.is_empty() && on_difference == OnDifference::Refuse {
            return Err(RebuildError::Differs(std::mem::take(differences)));
        }
        match then {
            Then::Switch => self.switch().await?,
            Then::Drop => {}
        }
        Ok(head)
    }

    async fn switch(&mut self) -> Result<(), RebuildError> {
        let dialect = self.connection.dialect();
        match dialect {
            projections::Dialect::Postgres => self.connection.run(LOCK_VIEWS).await?,
            projections::Dialect::Sqlite => {}
        }
        for target in &self.targets {
            for statement in target.table.create_view(dialect, target.building) {
                self.connection.run(&statement).await?;
            }
            let change = "UPDATE projection SET state = $1 WHERE name = $2 AND generation = $3";
            for (state, generation) in [("retired", target.live), ("active", target.building)] {
                on_connection!(&mut self.connection, inner => {
                    sqlx::query(change).bind(state).bind(target.table.name).bind(generation).execute(inner).await.map(drop)
                })?;
            }
        }
        self.connection.run("UPDATE log_head SET generations = generations + 1").await?;
        Ok(())
    }
}

/// Whether somebody else has a lock that is needed.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else { return false };
    match code.as_ref() {
        // PostgreSQL: lock_not_available, deadlock_detected.
        "55P03" | "40P01" => true,
        sqlite => sqlite.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, BUSY | LOCKED)),
    }
}
