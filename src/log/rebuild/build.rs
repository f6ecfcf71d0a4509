//! A build: generations of projections that are filled from the log beside the live ones, batch by batch, each in one transaction
//! with the position it came to.

use std::time::{Duration, Instant};

use domain::Timestamp;
use projections::{
    Changes, Db, Dialect, Table,
    compare::{Compared, DifferingRow},
    cutoff, token,
};

use super::{
    BATCH, Difference, OnDifference, Pace, RebuildError, RebuiltProjection,
    begin::{begin, go_on, in_state},
    lock::Lock,
    status::{self, GenerationState},
};
use crate::log::{
    archive::Archive,
    connection::{Connection, on_connection},
    project::{self, Projector},
    read,
};

/// Rows of one projection that are named at most when they differ.
const NAMED: usize = 10;
/// Rows that are compared at a time.
const COMPARED: i64 = 2_000;
/// After every key: no text begins with this character, which Unicode keeps free.
const LAST_KEY: &str = "\u{10ffff}";
/// Whose rows end when they first said, never later: what has long ended is not built again.
const NEVER_EXTENDED: [&Table; 2] = [&token::TABLE, &cutoff::TABLE];

/// A build that this process works on.
pub(super) struct Build {
    pub(super) connection: Connection,
    archive: Archive,
    pub(super) targets: Vec<Target>,
    position: i64,
    /// Rows that ended before are swept long since.
    ended: Timestamp,
    projector: Projector,
    /// The time that the last batch took, without the time that it waited for its turn.
    worked: Duration,
    _lock: Lock,
}

/// A projection that is built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) table: &'static Table,
    /// The live one; `None` for a projection that the store does not have yet.
    pub(super) live: Option<Live>,
    pub(super) building: i64,
}

/// The generation that answers, and its form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) generation: i64,
    pub(super) form: i64,
}

impl Target {
    /// The live generation, where its rows say what this program's do.
    pub(super) fn comparable(&self) -> Option<i64> {
        self.live.filter(|live| live.form == self.table.form).map(|live| live.generation)
    }
}

/// What is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The log from its beginning, or the build that was left.
    Log,
    /// The log, for those projections alone that are not of this program's form.
    LogInNewForm,
    /// What was built and is not live yet.
    Ready,
    /// What was live before.
    Retired,
}

/// What some events change.
pub(super) struct Batch {
    changes: Changes,
    events: usize,
    /// The position of the last of them; where there are none, the one after which they were read.
    pub(super) end: i64,
}

impl Batch {
    pub(super) const fn len(&self) -> usize {
        self.events
    }
}

impl Build {
    /// Begins a build, or goes on with the one that was left.
    ///
    /// # Errors
    /// `UnderWay` when another works on one; `NothingBuilt` where there is nothing to go on with.
    pub(super) async fn open(
        (db, archive): (&Db, &Archive),
        tables: &[&'static Table],
        (source, differences): (Source, OnDifference),
        ended: Timestamp,
    ) -> Result<Self, RebuildError> {
        let mut connection = Connection::open_by_index(db).await?;
        let lock = Lock::take(&mut connection).await?;
        connection.begin().await?;
        let begun = match source {
            Source::Log => begin(&mut connection, tables, differences).await?,
            Source::LogInNewForm => {
                let rows = status::rows(&mut connection).await?;
                let live = in_state(&rows, GenerationState::Active)?;
                let stale: Vec<_> = tables.iter().copied().filter(|table| !live.contains_key(table.name)).collect();
                begin(&mut connection, &stale, differences).await?
            }
            Source::Ready => go_on(&mut connection, tables, GenerationState::Ready).await?,
            Source::Retired => go_on(&mut connection, tables, GenerationState::Retired).await?,
        };
        connection.commit().await?;
        connection.lazily(true).await?;
        let (targets, position) = begun;
        let projector = Projector::new(archive.clone());
        Ok(Self {
            connection,
            archive: archive.clone(),
            targets,
            position,
            ended,
            projector,
            worked: Duration::ZERO,
            _lock: lock,
        })
    }

    /// The position up to which it is built.
    pub(super) const fn position(&self) -> i64 {
        self.position
    }

    /// The head of the log.
    pub(super) async fn head(&mut self) -> Result<i64, RebuildError> {
        let sql = "SELECT position FROM log_head";
        Ok(on_connection!(&mut self.connection, inner => sqlx::query_scalar(sql).fetch_one(inner).await)?)
    }

    /// The time that the last batch took, without the time that it waited for its turn.
    pub(super) const fn worked(&self) -> Duration {
        self.worked
    }

    /// The build has come to this position, and it is durable.
    pub(super) const fn came_to(&mut self, position: i64) {
        self.position = position;
    }

    /// Reads the next events after a position, and what they change.
    pub(super) async fn read(&mut self, after: i64) -> Result<Batch, RebuildError> {
        let begun = Instant::now();
        let stored = read::after_on(&mut self.connection, &self.archive, after, BATCH).await?;
        let end = stored.last().map_or(after, |last| last.position);
        let events = stored.iter().map(project::decode).collect::<Result<Vec<_>, _>>()?;
        let mut changes = self.projector.changes(&mut self.connection, &events).await?;
        for table in NEVER_EXTENDED {
            changes.leave_out_ended(table, self.ended);
        }
        self.worked = begun.elapsed();
        Ok(Batch { changes, events: events.len(), end })
    }

    /// Writes a batch in a transaction of its own.
    pub(super) async fn apply(&mut self, batch: &Batch) -> Result<(), RebuildError> {
        if batch.len() == 0 {
            return Ok(());
        }
        self.connection.begin().await?;
        let begun = Instant::now();
        match self.write(batch, self.position).await {
            Ok(()) => self.connection.commit().await?,
            Err(error) => {
                self.connection.rollback().await?;
                return Err(error);
            }
        }
        self.position = batch.end;
        self.worked += begun.elapsed();
        Ok(())
    }

    /// Writes a batch in the transaction that is under way.
    ///
    /// # Errors
    /// `UnderWay` when the build is no longer where this process left it.
    pub(super) async fn write(&mut self, batch: &Batch, from: i64) -> Result<(), RebuildError> {
        let sql =
            "UPDATE projection SET position = $1 WHERE name = $2 AND generation = $3 AND state <> 'active' AND position = $4";
        for target in &self.targets {
            self.connection.write(target.table, target.building, &batch.changes).await?;
            let moved = on_connection!(&mut self.connection, inner => {
                let moved = sqlx::query(sql).bind(batch.end).bind(target.table.name).bind(target.building).bind(from);
                moved.execute(inner).await.map(|done| done.rows_affected())
            })?;
            if moved != 1 {
                return Err(RebuildError::UnderWay);
            }
        }
        Ok(())
    }

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
                    let query = sqlx::query_as(&sql).bind(self.position).bind(horizon.unix()).bind(&from).bind(to).bind(named());
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

    /// Lets PostgreSQL's planner know what was built, before anybody asks for it.
    pub(super) async fn analyze(&mut self) -> Result<(), RebuildError> {
        match self.connection.dialect() {
            Dialect::Sqlite => {}
            Dialect::Postgres => {
                for target in &self.targets {
                    self.connection.run(&format!("ANALYZE {}", target.table.generation(target.building))).await?;
                }
            }
        }
        Ok(())
    }

    /// How many rows were built.
    pub(super) async fn count(&self, db: &Db) -> Result<Vec<RebuiltProjection>, RebuildError> {
        let mut counted = Vec::new();
        for target in &self.targets {
            let rows = status::count(db, target.table, target.building).await?;
            counted.push(RebuiltProjection { name: target.table.name, generation: target.building, rows });
        }
        Ok(counted)
    }

    /// Lets what was built stand, for a switch at another time.
    pub(super) async fn keep(&mut self) -> Result<(), RebuildError> {
        self.connection.begin().await?;
        for target in &self.targets {
            let sql = "UPDATE projection SET state = 'ready' WHERE name = $1 AND generation = $2";
            on_connection!(&mut self.connection, inner => {
                sqlx::query(sql).bind(target.table.name).bind(target.building).execute(inner).await.map(drop)
            })?;
        }
        self.connection.commit().await?;
        Ok(())
    }

    /// Takes what was built away.
    pub(super) async fn discard(&mut self) -> Result<(), RebuildError> {
        self.connection.begin().await?;
        for target in &self.targets {
            status::drop_generation(&mut self.connection, target.table, target.building).await?;
        }
        self.connection.commit().await?;
        Ok(())
    }
}

fn named() -> i64 {
    i64::try_from(NAMED).expect("it is small")
}
