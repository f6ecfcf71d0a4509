//! A build: generations of projections that are filled from the log beside the live ones, batch by batch, each in one transaction
//! with the position it came to.

use std::time::{Duration, Instant};

use domain::Timestamp;
use projections::{Db, Dialect, Table};

use super::{
    OnDifference, RebuildError, RebuiltProjection,
    begin::{begin, go_on, in_state},
    lock::Lock,
    read::{Batch, Reader},
    status::{self, GenerationState},
};
use crate::log::{
    archive::Archive,
    connection::{Connection, on_connection},
};

/// A build that this process works on.
pub(super) struct Build {
    pub(super) connection: Connection,
    reader: Reader,
    pub(super) targets: Vec<Target>,
    position: i64,
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
        let reader = Reader::open(db, archive, ended).await?;
        Ok(Self { connection, reader, targets, position, _lock: lock })
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

    /// The build has come to this position, and it is durable.
    pub(super) const fn came_to(&mut self, position: i64) {
        self.position = position;
    }

    /// Reads the next events after a position, and what they change.
    pub(super) async fn read(&mut self, after: i64) -> Result<Batch, RebuildError> {
        self.reader.read(after).await
    }

    /// Writes a batch in a transaction of its own, and reads the one after it meanwhile. Gives that, and how long both took together,
    /// without the time that the first waited for its turn.
    pub(super) async fn apply_and_read_on(&mut self, batch: &Batch) -> Result<(Batch, Duration), RebuildError> {
        self.reader.want(batch.end).await?;
        let writing = write_alone(&mut self.connection, &self.targets, batch, self.position).await?;
        self.position = batch.end;
        let (next, reading) = self.reader.take().await?;
        Ok((next, writing + reading))
    }

    /// Writes a batch in a transaction of its own.
    pub(super) async fn apply(&mut self, batch: &Batch) -> Result<(), RebuildError> {
        write_alone(&mut self.connection, &self.targets, batch, self.position).await?;
        self.position = batch.end;
        Ok(())
    }

    /// Writes a batch in the transaction that is under way.
    ///
    /// # Errors
    /// `UnderWay` when the build is no longer where this process left it.
    pub(super) async fn write(&mut self, batch: &Batch, from: i64) -> Result<(), RebuildError> {
        write(&mut self.connection, &self.targets, batch, from).await
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

/// Writes a batch in a transaction of its own; gives the time that it took, without the time that it waited for its turn.
async fn write_alone(
    connection: &mut Connection,
    targets: &[Target],
    batch: &Batch,
    from: i64,
) -> Result<Duration, RebuildError> {
    if batch.len() == 0 {
        return Ok(Duration::ZERO);
    }
    connection.begin().await?;
    let begun = Instant::now();
    match write(connection, targets, batch, from).await {
        Ok(()) => connection.commit().await?,
        Err(error) => {
            connection.rollback().await?;
            return Err(error);
        }
    }
    Ok(begun.elapsed())
}

async fn write(connection: &mut Connection, targets: &[Target], batch: &Batch, from: i64) -> Result<(), RebuildError> {
    for target in targets {
        connection.write(target.table, target.building, &batch.changes).await?;
    }
    let named = targets.iter().map(|target| format!("('{}', {})", target.table.name, target.building)).collect::<Vec<_>>();
    let sql = format!(
        "UPDATE projection SET position = $1 WHERE state <> 'active' AND position = $2 AND (name, generation) IN (VALUES {})",
        named.join(", ")
    );
    let moved = on_connection!(&mut *connection, inner => {
        sqlx::query(&sql).bind(batch.end).bind(from).execute(inner).await.map(|done| done.rows_affected())
    })?;
    if moved == targets.len() as u64 { Ok(()) } else { Err(RebuildError::UnderWay) }
}
