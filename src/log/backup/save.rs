//! Taking a backup, or writing the whole log as a stream: one transaction sees one moment of the store; a thread compresses what it reads.

use std::{io::Write, path::Path};

use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

use super::{
    Progress,
    file::{BackupWriter, FileError},
    lines::Written,
    record::{ClaimRow, Counts, EpochRow, FORMAT, Header, Record, VaultRow},
    stream::StreamWriter,
};
use crate::log::{
    Log,
    archive::Archive,
    connection::{Connection, on_connection},
    read,
};

/// Rows that are read at once.
const PAGE: u32 = 2000;
/// Pages that wait to be compressed: memory does not grow with the log.
const WAITING: usize = 2;

/// A backup that is whole and on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    pub header: Header,
    pub counts: Counts,
    /// Of all events: the same as that of the log as a stream.
    pub digest: String,
    /// Of the file.
    pub bytes: u64,
}

/// A log that was written as a stream, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub header: Header,
    pub counts: Counts,
    /// Of all events.
    pub digest: String,
    /// Sealed values in the file beside it.
    pub vault: u64,
}

/// What of a store is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    All,
    /// Epochs, claims and events.
    Log,
    Vault,
}

/// Takes records in a thread of its own.
trait Sink: Send + 'static {
    type Done: Send;
    fn write(&mut self, record: &Record) -> Result<(), FileError>;
    fn finish(self) -> Result<Self::Done, FileError>;
}

impl Sink for BackupWriter {
    type Done = Written;

    fn write(&mut self, record: &Record) -> Result<(), FileError> {
        Self::write(self, record)
    }

    fn finish(self) -> Result<Written, FileError> {
        Self::finish(self)
    }
}

impl<W: Write + Send + 'static> Sink for StreamWriter<W> {
    type Done = (W, Written);

    fn write(&mut self, record: &Record) -> Result<(), FileError> {
        Self::write(self, record)
    }

    fn finish(self) -> Result<(W, Written), FileError> {
        Self::finish(self)
    }
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
    let written = write_out((&mut connection, log.archive()), (&header, Content::All), writer, progress).await?;
    connection.rollback().await?;
    let bytes = std::fs::metadata(path).map_err(FileError::from)?.len();
    Ok(BackedUp { header, counts: written.counts, digest: written.digest, bytes })
}

/// Writes the whole log as a stream of JSON lines, plain or compressed: all events as they are stored, the names that are taken, and the
/// epochs, as of one position; and beside it, where a path is given, the vault (sealed) of the same moment, in a file of its own. Gives the
/// writer back.
///
/// # Errors
/// That the store does not answer, or what is written cannot be.
pub async fn export<W: Write + Send + 'static>(
    log: &Log,
    (out, compressed): (W, bool),
    vault: Option<&Path>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(W, Exported), BackupError> {
    let (stream, vault) = (StreamWriter::new(out, compressed)?, vault.map(BackupWriter::create).transpose()?);
    let mut connection = Connection::open(log.db()).await?;
    connection.begin_snapshot().await?;
    let header = header(&mut connection).await?;
    let (out, written) = write_out((&mut connection, log.archive()), (&header, Content::Log), stream, progress).await?;
    let vault = match vault {
        Some(vault) => {
            write_out((&mut connection, log.archive()), (&header, Content::Vault), vault, progress).await?.counts.vault
        }
        None => 0,
    };
    connection.rollback().await?;
    Ok((out, Exported { header, counts: written.counts, digest: written.digest, vault }))
}

/// Sends what is wanted to a thread that writes it.
async fn write_out<S: Sink>(
    store: (&mut Connection, &Archive),
    (header, content): (&Header, Content),
    sink: S,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<S::Done, BackupError> {
    let (pages, waiting) = mpsc::channel(WAITING);
    let writing: JoinHandle<Result<Option<S::Done>, FileError>> = tokio::task::spawn_blocking(move || write(sink, waiting));
    let sent = send(store, (header, content), &pages, progress).await;
    drop(pages);
    let done = writing.await??;
    sent?;
    Ok(done.ok_or(FileError::Damaged("its writing was given up"))?)
}

/// Writes what comes until the empty page that ends it. Without one, the reader gave up: there is nothing whole.
fn write<S: Sink>(mut sink: S, mut pages: mpsc::Receiver<Vec<Record>>) -> Result<Option<S::Done>, FileError> {
    while let Some(page) = pages.blocking_recv() {
        if page.is_empty() {
            return sink.finish().map(Some);
        }
        for record in &page {
            sink.write(record)?;
        }
    }
    Ok(None)
}

/// Sends all pages, and an empty one after them. A writer that no longer listens says itself why.
async fn send(
    (connection, archive): (&mut Connection, &Archive),
    (header, content): (&Header, Content),
    pages: &mpsc::Sender<Vec<Record>>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), sqlx::Error> {
    let (log, vault) = match content {
        Content::All => (true, true),
        Content::Log => (true, false),
        Content::Vault => (false, true),
    };
    if pages.send(vec![Record::Header(header.clone())]).await.is_err() {
        return Ok(());
    }
    if vault && !send_vault(connection, pages).await? {
        return Ok(());
    }
    if log && !send_log((connection, archive), header.position, pages, progress).await? {
        return Ok(());
    }
    drop(pages.send(Vec::new()).await);
    Ok(())
}

/// Sends epochs, claims and events; `false` where nobody listens any longer.
async fn send_log(
    (connection, archive): (&mut Connection, &Archive),
    last: i64,
    pages: &mpsc::Sender<Vec<Record>>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT epoch, from_position FROM log_epoch ORDER BY from_position";
    let epochs: Vec<EpochRow> = on_connection!(&mut *connection, inner => sqlx::query_as(sql).fetch_all(inner).await)?;
    if pages.send(epochs.into_iter().map(Record::Epoch).collect()).await.is_err() || !send_claims(connection, pages).await? {
        return Ok(false);
    }
    let mut position = 0;
    while position < last {
        let mut events = read::after_on(connection, archive, position, PAGE).await?;
        events.retain(|event| event.position <= last);
        let Some(end) = events.last() else { break };
        position = end.position;
        if pages.send(events.into_iter().map(Record::Event).collect()).await.is_err() {
            return Ok(false);
        }
        progress(Progress { position, last });
    }
    Ok(true)
}

async fn send_vault(connection: &mut Connection, pages: &mpsc::Sender<Vec<Record>>) -> Result<bool, sqlx::Error> {
    let sql = "SELECT kind, id, sealed FROM vault WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3";
    let (mut kind, mut id) = (String::new(), String::new());
    loop {
        let rows: Vec<VaultRow> = on_connection!(&mut *connection, inner => {
            sqlx::query_as(sql).bind(&kind).bind(&id).bind(i64::from(PAGE)).fetch_all(inner).await
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
            sqlx::query_as(sql).bind(&name).bind(i64::from(PAGE)).fetch_all(inner).await
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
