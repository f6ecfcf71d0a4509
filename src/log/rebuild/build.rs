//! A build: generations of projections that are filled from the log beside the live ones, batch by batch, each in one transaction
//! with the position it came to.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::Timestamp;
use projections::{
    Changes, Db, Dialect, Table,
    compare::{Compared, DifferingRow},
    cutoff, token,
};

use super::{
    BATCH, Difference, Differing, OnDifference, RebuildError, RebuiltProjection,
    lock::Lock,
    status::{self, GenerationState},
};
use crate::log::{
    connection::{Connection, on_connection},
    project::{self, Projector},
    read,
};

/// Rows of one projection that are named at most when they differ.
const NAMED: usize = 10;
/// Whose rows end when they first said, never later: what has long ended is not built again.
const NEVER_EXTENDED: [&Table; 2] = [&token::TABLE, &cutoff::TABLE];

/// A build that this process works on.
pub(super) struct Build {
    pub(super) connection: Connection,
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
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) table: &'static Table,
    pub(super) live: i64,
    pub(super) building: i64,
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
    /// `UnderWay` when another works on one.
    pub(super) async fn open(
        db: &Db,
        tables: &[&'static Table],
        differences: OnDifference,
        ended: Timestamp,
    ) -> Result<Self, RebuildError> {
        let mut connection = Connection::open_by_index(db).await?;
        let lock = Lock::take(&mut connection).await?;
        connection.begin().await?;
        let begun = begin(&mut connection, tables, differences).await?;
        connection.commit().await?;
        connection.lazily(true).await?;
        let (targets, position) = begun;
        Ok(Self { connection, targets, position, ended, projector: Projector::new(), worked: Duration::ZERO, _lock: lock })
    }

    /// The position up to which it is built.
    pub(super) const fn position(&self) -> i64 {
        self.position
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
        let sql = format!("{} WHERE position > $1 ORDER BY position LIMIT $2", read::select(self.connection.dialect()));
        let stored: Vec<read::StoredEvent> = on_connection!(&mut self.connection, inner => {
            sqlx::query_as(&sql).bind(after).bind(i64::from(BATCH)).fetch_all(inner).await
        })?;
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
            "UPDATE projection SET position = $1 WHERE name = $2 AND generation = $3 AND state = 'building' AND position = $4";
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

    /// Compares all that was built with the live rows, but for those that were changed since.
    pub(super) async fn compare_all(&self, db: &Db, horizon: Timestamp) -> Result<Vec<Difference>, RebuildError> {
        let mut connection = Connection::open(db).await?;
        let mut differences = Vec::new();
        for target in &self.targets {
            let sql = target.table.differences(connection.dialect(), target.live, target.building, Compared::All);
            let rows: Vec<DifferingRow> = on_connection!(&mut connection, inner => {
                let query = sqlx::query_as(&sql).bind(self.position).bind(horizon.unix()).bind(named());
                query.fetch_all(inner).await
            })?;
            differences.extend(rows.into_iter().map(|row| difference(target.table, row)));
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
            let Some(keys) = batch.changes.keys_json(target.table) else { continue };
            let dialect = self.connection.dialect();
            let sql = target.table.differences(dialect, target.live, target.building, Compared::Keys);
            let rows: Vec<DifferingRow> = on_connection!(&mut self.connection, inner => {
                let query = sqlx::query_as(&sql).bind(batch.end).bind(horizon.unix()).bind(keys).bind(named());
                query.fetch_all(inner).await
            })?;
            differences.extend(rows.into_iter().map(|row| difference(target.table, row)));
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

/// The generations to build into, and the position from which.
async fn begin(
    connection: &mut Connection,
    tables: &[&'static Table],
    differences: OnDifference,
) -> Result<(Vec<Target>, i64), RebuildError> {
    let rows = status::rows(connection).await?;
    let mut live = BTreeMap::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut left: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for row in &rows {
        match row.state()? {
            GenerationState::Active => drop(live.insert(row.name.as_str(), row.generation)),
            GenerationState::Building => drop(left.insert(row.name.as_str(), (row.generation, row.position))),
            GenerationState::Retired => {}
        }
        let last = last.entry(row.name.as_str()).or_default();
        *last = (*last).max(row.generation);
    }
    let live_of = |table: &Table| live.get(table.name).copied().unwrap_or(1);
    let first = left.values().map(|(_, position)| *position).next();
    let same = left.len() == tables.len() && tables.iter().all(|table| left.get(table.name).map(|left| left.1) == first);
    // What was left may have been built by other rules: whoever takes it unseen builds from the beginning.
    if same && differences == OnDifference::Refuse {
        let targets = tables.iter().map(|table| Target { table, live: live_of(table), building: left[table.name].0 });
        return Ok((targets.collect(), first.unwrap_or_default()));
    }
    for table in projections::LIVE {
        if let Some((generation, _)) = left.get(table.name) {
            status::drop_generation(connection, table, *generation).await?;
        }
    }
    let mut targets = Vec::new();
    for table in tables {
        let building = last.get(table.name).copied().unwrap_or_default() + 1;
        for statement in table.create_generation(connection.dialect(), building) {
            connection.run(&statement).await?;
        }
        let sql = "INSERT INTO projection (name, generation, state, position) VALUES ($1, $2, 'building', 0)";
        on_connection!(&mut *connection, inner => sqlx::query(sql).bind(table.name).bind(building).execute(inner).await.map(drop))?;
        targets.push(Target { table, live: live_of(table), building });
    }
    Ok((targets, 0))
}

fn named() -> i64 {
    i64::try_from(NAMED).expect("it is small")
}

fn difference(table: &'static Table, row: DifferingRow) -> Difference {
    let what = match row.found.as_str() {
        "live" => Differing::OnlyLive,
        "rebuilt" => Differing::OnlyRebuilt,
        _ => Differing::Columns(row.columns.split_whitespace().map(str::to_owned).collect()),
    };
    Difference { projection: table.name, key: row.key, what }
}
