//! Taking a backup: one transaction sees one moment of the store; a thread compresses what it reads.

use std::path::Path;

use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

use super::{
    Progress,
    file::{BackupWriter, FileError},
    record::{ClaimRow, Counts, EpochRow, FORMAT, Header, Record, VaultRow},
};
use crate::log::{
    Log,
    connection::{Connection, on_connection},
    read::{self, StoredEvent},
};

/// Rows that are read at once.
const PAGE: i64 = 2000;
/// Pages that wait to be compressed: memory does not grow with the log.
const WAITING: usize = 2;

/// A backup that is whole and on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    pub header: Header,
    pub counts: Counts,
    /// Of the file.
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the backup's writer died: {0}")]
    Writer(#[from] JoinError),
}

/// Backs the log up into one file while the server serves: all events as they are stored, the vault (sealed), claims and epochs, as of
/// one position. The file appears under its name when it is whole. Ephemeral rows and followers' checkpoints are not in it, and read
/// models are rebuilt.
///
/// The vault holds the keys of the people in the log: whoever is erased after this is not erased in this file.
///
/// # Errors
/// That the store does not answer, or the file exists already or cannot be written.
pub async fn backup(log: &Log, path: &Path, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<BackedUp, BackupError> {
    let writer = BackupWriter::create(path)?;
    let mut connection = Connection::open(log.db()).await?;
    connection.begin_snapshot().await?;
    let header = header(&mut connection).await?;
    let (pages, waiting) = mpsc::channel(WAITING);
    let writing = tokio::task::spawn_blocking(move || write(writer, waiting));
    let sent = send(&mut connection, &header, &pages, progress).await;
    drop(pages);
    let counts = written(writing).await?;
    sent?;
    connection.rollback().await?;
    let Some(counts) = counts else { return Err(FileError::Damaged("its writing was given up").into()) };
    let bytes = std::fs::metadata(path).map_err(FileError::from)?.len();
    Ok(BackedUp { header, counts, bytes })
}

async fn written(writing: JoinHandle<Result<Option<Counts>, FileError>>) -> Result<Option<Counts>, BackupError> {
    Ok(writing.await??)
}

/// Writes what comes until the empty page that ends it. Without one, the reader gave up: there is no backup.
fn write(mut writer: BackupWriter, mut pages: mpsc::Receiver<Vec<Record>>) -> Result<Option<Counts>, FileError> {
    while let Some(page) = pages.blocking_recv() {
        if page.is_empty() {
            return writer.finish().map(Some);
        }
        for record in &page {
            writer.write(record)?;
        }
    }
    Ok(None)
}

/// Sends all pages, and an empty one after them. A writer that no longer listens says itself why.
async fn send(
    connection: &mut Connection,
    header: &Header,
    pages: &mpsc::Sender<Vec<Record>>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), sqlx::Error> {
    let sql = "SELECT epoch, from_position FROM log_epoch ORDER BY from_position";
    let epochs: Vec<EpochRow> = on_connection!(&mut *connection, inner => sqlx::query_as(sql).fetch_all(inner).await)?;
    let first = std::iter::once(Record::Header(header.clone())).chain(epochs.into_iter().map(Record::Epoch)).collect();
    if pages.send(first).await.is_err() || !send_vault(connection, pages).await? || !send_claims(connection, pages).await? {
        return Ok(());
    }
    let sql = format!("{} WHERE position > $1 ORDER BY position LIMIT $2", read::select(connection.dialect()));
    let mut position = 0;
    loop {
        let events: Vec<StoredEvent> = on_connection!(&mut *connection, inner => {
            sqlx::query_as(&sql).bind(position).bind(PAGE).fetch_all(inner).await
        })?;
        position = events.last().map_or(position, |last| last.position);
        let ended = events.is_empty();
        // The page after the last is the empty one.
        if pages.send(events.into_iter().map(Record::Event).collect()).await.is_err() || ended {
            return Ok(());
        }
        progress(Progress { position, last: header.position });
    }
}

async fn send_vault(connection: &mut Connection, pages: &mpsc::Sender<Vec<Record>>) -> Result<bool, sqlx::Error> {
    let sql = "SELECT kind, id, sealed FROM vault WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3";
    let (mut kind, mut id) = (String::new(), String::new());
    loop {
        let rows: Vec<VaultRow> = on_connection!(&mut *connection, inner => {
            sqlx::query_as(sql).bind(&kind).bind(&id).bind(PAGE).fetch_all(inner).await
        })?;
        let Some(last) = rows.last() else { return Ok(true) };
        (kind, id) = (last.kind.clone(), last.id.clone());
        if pages.send(rows.into_iter().map(Record::Vault).collect()).await.is_err() {
            return Ok(false);
        }
    }
}

async fn send_claims(connection: &mut Connection, pages: &mpsc::Sender<Vec<Record>>) -> Result<bool, sqlx::Error> {
    let sql = "SELECT name, stream FROM claim WHERE name > $1 ORDER BY name LIMIT $2";
    let mut name = String::new();
    loop {
        let rows: Vec<ClaimRow> = on_connection!(&mut *connection, inner => {
            sqlx::query_as(sql).bind(&name).bind(PAGE).fetch_all(inner).await
        })?;
        let Some(last) = rows.last() else { return Ok(true) };
        name = last.name.clone();
        if pages.send(rows.into_iter().map(Record::Claim).collect()).await.is_err() {
            return Ok(false);
        }
    }
}

async fn header(connection: &mut Connection) -> Result<Header, sqlx::Error> {
    let sql = "SELECT position, epoch, recorded_at, (SELECT max(version) FROM _sqlx_migrations) FROM log_head";
    let (position, epoch, recorded_at, migration): (i64, String, i64, i64) =
        on_connection!(connection, inner => sqlx::query_as(sql).fetch_one(inner).await)?;
    Ok(Header { format: FORMAT, migration, epoch, position, recorded_at })
}
