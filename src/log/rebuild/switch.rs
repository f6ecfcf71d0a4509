//! The end of a rebuild: under the head lock the last events are caught up and compared, and what was built becomes the live one.

use std::time::Duration;

use domain::Timestamp;
use projections::{Dialect, create_apply_live, key_list};

use super::{
    Difference, OnDifference, RebuildError, Then, all_names,
    build::{Build, Target},
};
use crate::log::connection::{is_locked, on_connection};

/// Attempts to get both locks.
const ATTEMPTS: usize = 100;
/// Between two attempts others have the store to themselves.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a view's lock is waited for: appends wait behind the head lock meanwhile, and who reads the view behind this.
const WAIT_SHORTLY: &str = "SET LOCAL lock_timeout = '300ms'";

impl Build {
    /// Catches up and compares to the very head, and switches if that is wanted: each projection in a transaction of its own, so that
    /// only one view is locked at a time and nobody who reads several can get in its way. Gives the head.
    ///
    /// # Errors
    /// `Differs`, and what is not switched yet stays as it is.
    pub(super) async fn finish(
        &mut self,
        then: Then,
        on_difference: OnDifference,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
    ) -> Result<i64, RebuildError> {
        self.connection.lazily(false).await?;
        let mut position = self.position();
        let mut to_switch = match then {
            Then::Switch => self.targets.clone(),
            Then::Keep | Then::Drop => Vec::new(),
        };
        loop {
            let target = to_switch.pop();
            position = position.max(self.patiently(target, on_difference, horizon, differences).await?);
            if let Some(target) = target {
                self.targets.retain(|other| other.table.name != target.table.name);
            }
            if to_switch.is_empty() {
                return Ok(position);
            }
        }
    }

    async fn patiently(
        &mut self,
        target: Option<Target>,
        on_difference: OnDifference,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
    ) -> Result<i64, RebuildError> {
        for _ in 0..ATTEMPTS {
            self.connection.begin().await?;
            let found = differences.len();
            match self.attempt(target, on_difference, horizon, differences).await {
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
        target: Option<Target>,
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
        if let Some(target) = target {
            self.switch(target, head).await?;
        }
        Ok(head)
    }

    async fn switch(&mut self, target: Target, head: i64) -> Result<(), RebuildError> {
        let (dialect, table) = (self.connection.dialect(), target.table);
        match dialect {
            Dialect::Postgres => self.connection.run(WAIT_SHORTLY).await?,
            Dialect::Sqlite => {}
        }
        if target.comparable().is_none() {
            self.connection.run(&table.drop_view()).await?;
        }
        for statement in table.create_view(dialect, target.building) {
            self.connection.run(&statement).await?;
        }
        let sql = "UPDATE projection SET state = $1, position = $2 WHERE name = $3 AND generation = $4";
        let retired = target.live.map(|live| ("retired", live.generation));
        for (state, generation) in retired.into_iter().chain([("active", target.building)]) {
            on_connection!(&mut self.connection, inner => {
                sqlx::query(sql).bind(state).bind(head).bind(table.name).bind(generation).execute(inner).await.map(drop)
            })?;
        }
        self.retire_unknown(head).await?;
        match dialect {
            Dialect::Postgres => {
                let active = self.connection.active_generations().await?;
                self.connection.run(&create_apply_live(&active)).await?;
            }
            Dialect::Sqlite => {}
        }
        self.connection.run("UPDATE log_head SET generations = generations + 1").await?;
        Ok(())
    }

    /// Retires projections of a later grantlog: where an earlier one takes its own back, nobody writes to them any more.
    async fn retire_unknown(&mut self, head: i64) -> Result<(), RebuildError> {
        let sql = format!(
            "UPDATE projection SET state = 'retired', position = $1 WHERE state = 'active' AND name NOT IN {}",
            self.connection.dialect().keys(2)
        );
        let known = key_list(&all_names().into_iter().map(str::to_owned).collect::<Vec<_>>());
        on_connection!(&mut self.connection, inner => sqlx::query(&sql).bind(head).bind(known).execute(inner).await.map(drop))?;
        Ok(())
    }
}
