//! Moving old events into the archive: written, on the disk, read back, known to the store, and only then gone from the table.

use std::{
    fs::{File, OpenOptions, TryLockError},
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

use domain::Timestamp;
use projections::{Db, on_db};

use super::{ArchiveError, ArchivePlan, ArchiveSettings, Manifest, Segment, SegmentError, segment};
use crate::log::{
    Log,
    connection::{Connection, is_locked, on_connection},
    read,
};

/// Events of SQLite's table that go at once.
const BATCH: i64 = 500;
/// Attempts to take a partition away from under its readers, and the rest between two.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);
/// The file in the folder that whoever archives has locked.
const LOCK: &str = "lock";
/// PostgreSQL's partitions of which all is archived, by name.
const ARCHIVED_PARTITIONS: &str = "SELECT child.relname::text FROM pg_inherits \
     JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid \
     WHERE pg_inherits.inhparent = 'events'::regclass \
         AND (regexp_match(pg_get_expr(child.relpartbound, child.oid), 'TO \\(''(\\d+)''\\)'))[1]::bigint <= $1 + 1 \
     ORDER BY child.oid";

/// What went into the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    pub segments: Vec<Manifest>,
    /// Partitions that were dropped (PostgreSQL), or events that were deleted (SQLite).
    pub dropped: u64,
}

impl Log {
    /// All segments of the archive.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn segments(&self) -> Result<Vec<Segment>, ArchiveError> {
        self.archive().segments(0, i64::MAX).await
    }

    /// Moves what is old at a moment into the archive. One process at a time does. Where events go by batches, the rest between two is so many times as
    /// long as the work before it. `root` gives the root of the tree of the log's first so many events.
    ///
    /// # Errors
    /// What was in the way, or that another process does it. What was moved before it stays moved; nothing is gone that is not in a file that was read back.
    pub async fn archive_old<F>(
        &self,
        now: Timestamp,
        rest: u32,
        root: impl Fn(i64) -> F + Send + Sync,
        mut progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Archived, ArchiveError>
    where
        F: Future<Output = Result<String, ArchiveError>> + Send,
    {
        let mut done = Archived::default();
        let ArchivePlan { archived: mut position, segments, .. } = self.archive_plan(now).await?;
        if segments > 0 {
            let settings = self.archive().settings().cloned().ok_or(ArchiveError::NoFolder)?;
            // Goes with the process that holds it. What the store knows is looked at again behind it: nobody writes over a file that counts.
            let _alone = lock(&settings.folder)?;
            let plan = self.archive_plan(now).await?;
            position = plan.archived;
            while position < plan.until {
                let tree_root = match settings.rooted {
                    true => Some(root(position + i64::from(settings.segment_events)).await?),
                    false => None,
                };
                let manifest = self.make_segment(settings.clone(), position, tree_root).await?;
                position = manifest.last;
                metrics::counter!("grantlog_archived_events_total").increment(manifest.events);
                done.segments.push(manifest);
                progress(position, plan.until);
            }
        }
        done.dropped = match self.db() {
            Db::Postgres(_) => self.drop_partitions(position).await?,
            Db::Sqlite(_) => self.delete_events(position, rest).await?,
        };
        Ok(done)
    }

    async fn make_segment(
        &self,
        settings: ArchiveSettings,
        after: i64,
        tree_root: Option<String>,
    ) -> Result<Manifest, ArchiveError> {
        let mut events = read::in_table(self.db(), after, settings.segment_events).await?;
        let wanted = usize::try_from(settings.segment_events).unwrap_or(usize::MAX);
        if events.len() != wanted || events.first().is_none_or(|first| first.position != after + 1) {
            return Err(SegmentError::Damaged { path: settings.folder.clone(), why: "events are missing".to_owned() }.into());
        }
        let folder = settings.folder.clone();
        let written = move || {
            let manifest = segment::write(&folder, &events, tree_root)?;
            let segment = Segment { first: manifest.first, last: manifest.last, digest: manifest.digest.clone() };
            let back = segment::read(&folder, &segment)?;
            events.retain(|event| Some(event) != back.get(usize::try_from(event.position - segment.first).unwrap_or_default()));
            if events.is_empty() { Ok(manifest) } else { Err(differs(&folder)) }
        };
        let manifest = tokio::task::spawn_blocking(written).await??;
        let sql = "INSERT INTO archive_segment (first_position, last_position, digest) VALUES ($1, $2, $3)";
        on_db!(self.db(), pool => {
            sqlx::query(sql).bind(manifest.first).bind(manifest.last).bind(&manifest.digest).execute(pool).await.map(drop)
        })?;
        Ok(manifest)
    }

    /// Drops the partitions of which all is archived: each in a moment in which nobody reads it.
    async fn drop_partitions(&self, archived: i64) -> Result<u64, ArchiveError> {
        let mut connection = Connection::open(self.db()).await?;
        let partitions: Vec<String> = on_connection!(&mut connection, inner => {
            sqlx::query_scalar(ARCHIVED_PARTITIONS).bind(archived).fetch_all(inner).await
        })?;
        for partition in &partitions {
            drop_patiently(&mut connection, partition).await?;
        }
        Ok(partitions.len() as u64)
    }

    /// Deletes what is archived, some rows at a time.
    async fn delete_events(&self, archived: i64, rest: u32) -> Result<u64, ArchiveError> {
        let mut connection = Connection::open(self.db()).await?;
        let sql =
            "DELETE FROM events WHERE position IN (SELECT position FROM events WHERE position <= $1 ORDER BY position LIMIT $2)";
        let mut gone = 0;
        loop {
            let begun = Instant::now();
            connection.begin().await?;
            let batch = on_connection!(&mut connection, inner => {
                sqlx::query(sql).bind(archived).bind(BATCH).execute(inner).await.map(|done| done.rows_affected())
            })?;
            connection.commit().await?;
            gone += batch;
            if batch < BATCH.unsigned_abs() {
                return Ok(gone);
            }
            tokio::time::sleep(begun.elapsed() * rest).await;
        }
    }
}

/// Takes the lock of an archive's folder, which is made where it is not there.
fn lock(folder: &Path) -> Result<File, ArchiveError> {
    let path = folder.join(LOCK);
    let io = |cause| SegmentError::Io { path: path.clone(), cause };
    std::fs::create_dir_all(folder).map_err(io)?;
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Busy(folder.to_owned())),
        Err(TryLockError::Error(cause)) => Err(io(cause).into()),
    }
}

fn differs(folder: &Path) -> SegmentError {
    SegmentError::Damaged { path: folder.to_owned(), why: "what was read back is not what was written".to_owned() }
}

async fn drop_patiently(connection: &mut Connection, partition: &str) -> Result<(), sqlx::Error> {
    let statements =
        format!("SET LOCAL lock_timeout = '300ms'; ALTER TABLE events DETACH PARTITION {partition}; DROP TABLE {partition}");
    let mut attempts = 0;
    loop {
        connection.begin().await?;
        match connection.run(&statements).await {
            Ok(()) => return connection.commit().await,
            Err(error) => {
                connection.rollback().await?;
                attempts += 1;
                if attempts == ATTEMPTS || !is_locked(&error) {
                    return Err(error);
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
