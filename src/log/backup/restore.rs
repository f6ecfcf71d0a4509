//! Restoring a backup into an empty store, all of it in one transaction: the log goes on as a new epoch, and what was issued before
//! is dead.

use std::{path::Path, sync::Arc};

use domain::key_set::KeySetError;
use tokio::{sync::mpsc, task::JoinError};
use uuid::Uuid;

use super::{
    Progress,
    file::{BackupReader, FileError},
    lines::Written,
    record::{Counts, Header, Record},
    write::RestoreWriter,
};
use crate::{
    clock::Clock,
    log::{
        LogSettings, MigrateError, ProjectError,
        connection::{Connection, on_connection},
        fold::FoldError,
        migrate,
    },
    vault::{MasterKeys, kind},
};

/// Records that are written at once.
const PAGE: usize = 1000;
/// Pages that wait to be written: memory does not grow with the backup.
pub(super) const WAITING: usize = 2;

/// A store that goes on from a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself. Whoever was erased after its `recorded_at` has their key back, and must be erased again.
    pub backup: Header,
    pub counts: Counts,
    /// The keys of people that came back with the vault.
    pub subject_keys: u64,
    /// The log's new epoch.
    pub epoch: Uuid,
    /// Of the event that began it, which is a cutoff for all that was issued before.
    pub position: i64,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the backup was made by a later grantlog: its store had the migration {0}")]
    LaterMigration(i64),
    #[error("the backup's vault was sealed under another master key than the settings name")]
    WrongMasterKey,
    #[error("the store is not empty: a backup or a log goes into a new one")]
    NotEmpty,
    #[error("the vault is not that of this log: it was written at another moment")]
    OtherVault,
    #[error(transparent)]
    Event(ProjectError),
    #[error("the stream {stream}: {cause}")]
    Stream { stream: String, cause: FoldError },
    #[error("the event at position {0} is not the next of its stream or of the log")]
    NotTheNext(i64),
    #[error("the new epoch cannot begin: {0}")]
    Epoch(#[from] KeySetError),
    #[error("the backup's reader died: {0}")]
    Reader(#[from] JoinError),
}

impl From<ProjectError> for RestoreError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Store(error) => Self::Store(error),
            ProjectError::Event { .. } => Self::Event(error),
        }
    }
}

/// Restores a backup into a store that was migrated and holds nothing: events at their positions, the vault, claims; heads and read
/// models are made anew. Then a new epoch begins: every code, token and session from before is dead, and running servers must be
/// started again. All of it is there, or nothing.
///
/// A backup holds the keys of all people in it who had not been erased when it was made. Whoever was erased since is known again: the
/// operator erases them again, from [`Restored::backup`] on. What was not yet answered in ephemeral rows (codes' retries, used
/// assertions, counters of failures) is not in a backup: it is about tokens that are dead.
///
/// # Errors
/// Before anything is written: that the file is no whole backup, was made by a later grantlog or sealed under another master key, or
/// the store is not empty. And what was in the way.
pub async fn restore(
    settings: &LogSettings,
    path: &Path,
    master: MasterKeys,
    clock: &Clock,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Restored, RestoreError> {
    let db = migrate::connect(settings).await?;
    migrate::current_head(&db).await?;
    let (path, master) = (path.to_owned(), Arc::new(master));
    let (backup, subject_keys) = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || survey(&path, &master)).await??
    };
    let mut connection = Connection::open_by_index(&db).await?;
    connection.begin().await?;
    check_empty(&mut connection).await?;
    let (pages, mut waiting) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || read_pages(&path, &pages));
    let mut writer = RestoreWriter::new(&mut connection, &db).await?;
    while let Some(page) = waiting.recv().await {
        writer.write(&mut connection, page).await?;
        progress(Progress { position: writer.position(), last: backup.position });
    }
    let counts = reading.await??.counts;
    if writer.position() != backup.position {
        return Err(RestoreError::NotTheNext(writer.position() + 1));
    }
    let epoch = Uuid::now_v7();
    writer.begin_epoch(&mut connection, epoch, clock.now()).await?;
    let position = writer.position();
    connection.commit().await?;
    Ok(Restored { backup, counts, subject_keys, epoch, position })
}

/// Reads the whole backup once: it is whole, not from a later grantlog, and opens under one of the master keys. Gives its header and
/// how many people's keys it holds.
pub(super) fn survey(path: &Path, master: &MasterKeys) -> Result<(Header, u64), RestoreError> {
    let (mut reader, header) = BackupReader::open(path)?;
    if header.migration > migrate::last_migration() {
        return Err(RestoreError::LaterMigration(header.migration));
    }
    let mut subject_keys = 0;
    while let Some(record) = reader.next()? {
        let Record::Vault(row) = record else { continue };
        master.open(&row.kind, &row.id, &row.sealed).map_err(|_| RestoreError::WrongMasterKey)?;
        if row.kind == kind::SUBJECT_KEY {
            subject_keys += 1;
        }
    }
    Ok((header, subject_keys))
}

/// Reads the records after the header, page by page, until somebody no longer listens.
pub(super) fn read_pages(path: &Path, pages: &mpsc::Sender<Vec<Record>>) -> Result<Written, FileError> {
    let (mut reader, _) = BackupReader::open(path)?;
    send_pages(|| reader.next(), pages)?;
    Ok(reader.read())
}

/// Sends records, page by page, until somebody no longer listens.
pub(super) fn send_pages(
    mut next: impl FnMut() -> Result<Option<Record>, FileError>,
    pages: &mpsc::Sender<Vec<Record>>,
) -> Result<(), FileError> {
    let mut page = Vec::with_capacity(PAGE);
    while let Some(record) = next()? {
        page.push(record);
        if page.len() == PAGE && pages.blocking_send(std::mem::replace(&mut page, Vec::with_capacity(PAGE))).is_err() {
            break;
        }
    }
    drop(pages.blocking_send(page));
    Ok(())
}

/// Takes the head lock: nobody else writes until it is done.
pub(super) async fn check_empty(connection: &mut Connection) -> Result<(), RestoreError> {
    let head = connection.lock_head().await?;
    let sql = "SELECT (SELECT count(*) FROM vault) + (SELECT count(*) FROM claim) + (SELECT count(*) FROM stream_head)";
    let rows: i64 = on_connection!(connection, inner => sqlx::query_scalar(sql).fetch_one(inner).await)?;
    if head == 0 && rows == 0 { Ok(()) } else { Err(RestoreError::NotEmpty) }
}
