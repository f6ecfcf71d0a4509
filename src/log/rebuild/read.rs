//! What is read for a build: the log's next events, and what they change, in a task and over a connection of its own, so that a batch is
//! read while the one before it is written.

use std::time::{Duration, Instant};

use domain::Timestamp;
use projections::{Changes, Db, Dialect, Table, cutoff, token};
use tokio::sync::mpsc;

use super::RebuildError;
use crate::log::{
    archive::Archive,
    connection::Connection,
    project::{self, Projector},
    read,
};

/// Whose rows end when they first said, never later: what has long ended is not built again.
const NEVER_EXTENDED: [&Table; 2] = [&token::TABLE, &cutoff::TABLE];

/// Lets the log be read, a batch at a time. Dropped, it reads no more.
pub(super) struct Reader {
    wanted: mpsc::Sender<i64>,
    read: mpsc::Receiver<Result<(Batch, Duration), RebuildError>>,
}

/// What some events change.
pub(super) struct Batch {
    pub(super) changes: Changes,
    events: usize,
    /// The position of the last of them; where there are none, the one after which they were read.
    pub(super) end: i64,
}

impl Batch {
    pub(super) const fn len(&self) -> usize {
        self.events
    }
}

impl Reader {
    /// What ended before the moment `ended` was swept long since.
    pub(super) async fn open(db: &Db, archive: &Archive, ended: Timestamp) -> Result<Self, RebuildError> {
        let connection = Connection::open_by_index(db).await?;
        let mut source = Source { connection, archive: archive.clone(), projector: Projector::new(archive.clone()), ended };
        let ((wanted, mut positions), (batches, read)) = (mpsc::channel(1), mpsc::channel(1));
        tokio::spawn(async move {
            while let Some(after) = positions.recv().await {
                let begun = Instant::now();
                let batch = source.read(after).await.map(|batch| (batch, begun.elapsed()));
                if batches.send(batch).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { wanted, read })
    }

    /// Lets the next events after a position be read: [`Reader::take`] gives them.
    pub(super) async fn want(&self, after: i64) -> Result<(), RebuildError> {
        self.wanted.send(after).await.map_err(|_| crashed())
    }

    /// What was last wanted, and how long it took to read.
    pub(super) async fn take(&mut self) -> Result<(Batch, Duration), RebuildError> {
        self.read.recv().await.ok_or_else(crashed)?
    }

    /// Reads the next events after a position, and what they change.
    pub(super) async fn read(&mut self, after: i64) -> Result<Batch, RebuildError> {
        self.want(after).await?;
        self.take().await.map(|(batch, _)| batch)
    }
}

const fn crashed() -> RebuildError {
    RebuildError::Store(sqlx::Error::WorkerCrashed)
}

/// What the task reads.
struct Source {
    connection: Connection,
    archive: Archive,
    projector: Projector,
    ended: Timestamp,
}

impl Source {
    async fn read(&mut self, after: i64) -> Result<Batch, RebuildError> {
        let limit = events_of_a_batch(self.connection.dialect());
        let stored = read::after_on(&mut self.connection, &self.archive, after, limit).await?;
        let end = stored.last().map_or(after, |last| last.position);
        let events = stored.iter().map(project::decode).collect::<Result<Vec<_>, _>>()?;
        let mut changes = self.projector.changes(&mut self.connection, &events).await?;
        for table in NEVER_EXTENDED {
            changes.leave_out_ended(table, self.ended);
        }
        Ok(Batch { changes, events: events.len(), end })
    }
}

/// Events of one batch. Where there is one lock for all, other writers wait for as long as it takes.
const fn events_of_a_batch(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::Postgres => 2_000,
        Dialect::Sqlite => 1_000,
    }
}
