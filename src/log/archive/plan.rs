//! What may go into the archive: whole segments that are old enough, and that everything has passed that goes after the log.

use domain::Timestamp;
use projections::on_db;

use super::ArchiveError;
use crate::log::Log;

/// How far all that goes after the log has come.
const PASSED: &str = "SELECT min(position) FROM (SELECT position FROM checkpoint \
     UNION ALL SELECT position FROM projection WHERE state IN ('building', 'ready')) AS passed";

/// What would go into the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivePlan {
    /// The position up to which events are in it.
    pub archived: i64,
    /// The position up to which events may go.
    pub until: i64,
    /// Segments that would be made.
    pub segments: i64,
}

impl Log {
    /// What `archive_old` would do at a moment: whole segments alone, older than the settings keep in the table, which everything has passed
    /// that goes after the log; also the tree, where segments are to have its roots.
    ///
    /// # Errors
    /// That the settings name no folder, or the store does not answer.
    pub async fn archive_plan(&self, now: Timestamp) -> Result<ArchivePlan, ArchiveError> {
        let settings = self.archive().settings().ok_or(ArchiveError::NoFolder)?;
        let archived = self.number("SELECT max(last_position) FROM archive_segment").await?.unwrap_or_default();
        let mut passed = self.number(PASSED).await?.unwrap_or(i64::MAX);
        if settings.rooted {
            passed = passed.min(self.sealed().await?.position);
        }
        let old = (self.head().await? - i64::from(settings.after_events)).min(passed);
        let events = i64::from(settings.segment_events);
        let mut segments = (old - archived).max(0) / events;
        if let Some(seconds) = settings.after {
            let old = Timestamp::from_unix(now.unix().saturating_sub(i64::from(seconds)));
            segments = self.recorded_by(old, (archived, events), segments).await?;
        }
        Ok(ArchivePlan { archived, until: archived + segments * events, segments })
    }

    /// How many of so many segments of so many events after a position hold only what was recorded by a moment: no event was recorded before
    /// the one ahead of it.
    async fn recorded_by(&self, moment: Timestamp, (after, events): (i64, i64), segments: i64) -> Result<i64, ArchiveError> {
        let (mut old, mut young) = (0, segments + 1);
        while young - old > 1 {
            let middle = i64::midpoint(old, young);
            let last = self.read_at(&[after + middle * events]).await?.pop();
            if last.is_some_and(|last| last.is_recorded_by(moment)) {
                old = middle;
            } else {
                young = middle;
            }
        }
        Ok(old)
    }

    async fn number(&self, sql: &str) -> Result<Option<i64>, sqlx::Error> {
        on_db!(self.db(), pool => sqlx::query_scalar(sql).fetch_one(pool).await)
    }
}
