//! What is read for a build: the log's next events, and what they change, over a connection of its own, so that a batch can be read while
//! the one before it is written.

use domain::Timestamp;
use projections::{Changes, Db, Table, cutoff, token};

use super::RebuildError;
use crate::log::{
    archive::Archive,
    connection::Connection,
    project::{self, Projector},
    read,
};

/// Events of one batch: so long do other writers wait at most, where there is one lock for all (SQLite).
const BATCH: u32 = 1000;

/// Whose rows end when they first said, never later: what has long ended is not built again.
const NEVER_EXTENDED: [&Table; 2] = [&token::TABLE, &cutoff::TABLE];

/// Reads the log, a batch at a time.
pub(super) struct Reader {
    connection: Connection,
    archive: Archive,
    projector: Projector,
    /// Rows that ended before are swept long since.
    ended: Timestamp,
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
    pub(super) async fn open(db: &Db, archive: &Archive, ended: Timestamp) -> Result<Self, RebuildError> {
        let connection = Connection::open_by_index(db).await?;
        Ok(Self { connection, archive: archive.clone(), projector: Projector::new(archive.clone()), ended })
    }

    /// Reads the next events after a position, and what they change.
    pub(super) async fn read(&mut self, after: i64) -> Result<Batch, RebuildError> {
        let stored = read::after_on(&mut self.connection, &self.archive, after, BATCH).await?;
        let end = stored.last().map_or(after, |last| last.position);
        let events = stored.iter().map(project::decode).collect::<Result<Vec<_>, _>>()?;
        let mut changes = self.projector.changes(&mut self.connection, &events).await?;
        for table in NEVER_EXTENDED {
            changes.leave_out_ended(table, self.ended);
        }
        Ok(Batch { changes, events: events.len(), end })
    }
}
