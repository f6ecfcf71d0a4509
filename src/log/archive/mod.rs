//! The archive: the log's oldest events, in files in a folder, compressed. Readers find them as if they stood in the table.

mod check;
mod keep;
mod plan;
mod segment;
mod stream;

use std::{path::PathBuf, sync::Arc};

pub use check::CheckedSegment;
pub use keep::Archived;
pub use plan::ArchivePlan;
use projections::{Db, on_db};
use quick_cache::sync::Cache;
pub use segment::{Manifest, SegmentError};
pub(super) use stream::WithArchive;
use uuid::Uuid;

use super::{StoredEvent, Unavailable};

/// Segments that are kept in memory: a reader goes through one after the other, and there are few readers.
const LOADED: usize = 4;

/// Where the archive is, and what goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSettings {
    pub folder: PathBuf,
    /// Events that stay in the table.
    pub after_events: u32,
    /// For so many seconds events stay in the table, also where more of them do.
    pub after: Option<u32>,
    /// Events of a segment.
    pub segment_events: u32,
    /// Whether a segment's manifest says the root of the tree over the log that ends with it: it is made once the tree has come so far.
    pub rooted: bool,
}

/// Why the archive could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Segment(#[from] SegmentError),
    #[error("old events are in an archive, and the settings do not say where: archive.folder")]
    NoFolder,
    #[error("the tree over the log has no root of {size} events: {why}")]
    NoRoot { size: i64, why: String },
    #[error("another process archives into {} at this moment: try again", .0.display())]
    Busy(PathBuf),
    #[error("what reads the archive died: {0}")]
    Died(#[from] tokio::task::JoinError),
}

impl From<ArchiveError> for Unavailable {
    fn from(error: ArchiveError) -> Self {
        tracing::error!(%error, "the archive cannot be read");
        Self
    }
}

impl From<ArchiveError> for sqlx::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Store(error) => error,
            error => Self::Io(std::io::Error::other(error)),
        }
    }
}

/// The events from a position to another that are in one file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Segment {
    #[sqlx(rename = "first_position")]
    pub first: i64,
    #[sqlx(rename = "last_position")]
    pub last: i64,
    /// Of its events.
    pub digest: String,
}

/// The archive of a store. Cheap to clone.
#[derive(Clone)]
pub(super) struct Archive(Arc<Inner>);

struct Inner {
    db: Db,
    settings: Option<ArchiveSettings>,
    loaded: Cache<i64, Arc<Vec<StoredEvent>>>,
}

impl Archive {
    pub(super) fn new(db: Db, settings: Option<ArchiveSettings>) -> Self {
        Self(Arc::new(Inner { db, settings, loaded: Cache::new(LOADED) }))
    }

    /// Where it is; `None` where the settings name no folder.
    pub(super) fn settings(&self) -> Option<&ArchiveSettings> {
        self.0.settings.as_ref()
    }

    /// The segments that hold something after a position and up to another, in order.
    pub(super) async fn segments(&self, after: i64, to: i64) -> Result<Vec<Segment>, ArchiveError> {
        let sql = "SELECT first_position, last_position, digest FROM archive_segment \
             WHERE last_position > $1 AND first_position <= $2 ORDER BY last_position";
        Ok(on_db!(&self.0.db, pool => sqlx::query_as(sql).bind(after).bind(to).fetch_all(pool).await)?)
    }

    /// Events after a position, in order; none where the next one is not in the archive.
    pub(super) async fn after(&self, position: i64, limit: u32) -> Result<Vec<StoredEvent>, ArchiveError> {
        let Some(segment) = self.segments(position, position + 1).await?.pop() else { return Ok(Vec::new()) };
        let events = self.load(&segment).await?;
        let begin = usize::try_from(position + 1 - segment.first).unwrap_or_default();
        Ok(events.iter().skip(begin).take(limit as usize).cloned().collect())
    }

    /// The first of the events after a position and up to another, that are wanted.
    pub(super) async fn matching(
        &self,
        (after, to): (i64, i64),
        limit: u32,
        wanted: impl Fn(&StoredEvent) -> bool,
    ) -> Result<Vec<StoredEvent>, ArchiveError> {
        let mut found = Vec::new();
        for segment in self.segments(after, to).await? {
            self.collect(&segment, (after, to), &wanted, &mut found).await?;
            if found.len() >= limit as usize {
                break;
            }
        }
        Ok(found)
    }

    /// As `matching`, of the streams with an id: only the segments that hold some of theirs are read.
    pub(super) async fn of_stream(
        &self,
        id: Uuid,
        after: i64,
        limit: u32,
        wanted: impl Fn(&StoredEvent) -> bool,
    ) -> Result<Vec<StoredEvent>, ArchiveError> {
        let (mut found, text) = (Vec::new(), id.to_string());
        let wanted = |event: &StoredEvent| event.aggregate_id == text && wanted(event);
        for segment in self.holding(id, after).await? {
            self.collect(&segment, (after, i64::MAX), &wanted, &mut found).await?;
            if found.len() >= limit as usize {
                break;
            }
        }
        Ok(found)
    }

    async fn collect(
        &self,
        segment: &Segment,
        (after, to): (i64, i64),
        wanted: &impl Fn(&StoredEvent) -> bool,
        found: &mut Vec<StoredEvent>,
    ) -> Result<(), ArchiveError> {
        let events = self.load(segment).await?;
        let within = events.iter().filter(|event| event.position > after && event.position <= to);
        found.extend(within.filter(|event| wanted(event)).cloned());
        Ok(())
    }

    /// The segments after a position that hold events of streams with this id, as far as their indexes say.
    async fn holding(&self, id: Uuid, after: i64) -> Result<Vec<Segment>, ArchiveError> {
        let segments = self.segments(after, i64::MAX).await?;
        if segments.is_empty() {
            return Ok(segments);
        }
        let folder = self.folder()?;
        let look = move || segments.into_iter().filter(|segment| segment::holds(&folder, segment, id)).collect();
        Ok(tokio::task::spawn_blocking(look).await?)
    }

    /// The events of a segment, whose digest was found right.
    async fn load(&self, segment: &Segment) -> Result<Arc<Vec<StoredEvent>>, ArchiveError> {
        if let Some(loaded) = self.0.loaded.get(&segment.first) {
            return Ok(loaded);
        }
        let (folder, of) = (self.folder()?, segment.clone());
        let events = Arc::new(tokio::task::spawn_blocking(move || segment::read(&folder, &of)).await??);
        self.0.loaded.insert(segment.first, events.clone());
        Ok(events)
    }

    fn folder(&self) -> Result<PathBuf, ArchiveError> {
        Ok(self.settings().ok_or(ArchiveError::NoFolder)?.folder.clone())
    }
}
