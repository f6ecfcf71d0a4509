//! Importing a log into an empty store, all of it in one transaction: the same events at the same positions, in the same epoch.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::mpsc;

use super::{
    Progress,
    lines::Written,
    record::{Header, Record},
    restore::{self, RestoreError},
    stream::read_stream,
    write::RestoreWriter,
};
use crate::{
    log::{LogSettings, connection::Connection, migrate},
    vault::MasterKeys,
};

/// A store that holds the log of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub header: Header,
    pub events: u64,
    /// Of all events: what the export said.
    pub digest: String,
    /// Sealed values that came with it.
    pub vault: u64,
}

/// Imports a log that `export` wrote into a store that was migrated and holds nothing: events at their positions, claims, epochs, and the
/// vault from the file beside it, if one is given with the master keys that it was sealed under. Heads and read models are made anew. The
/// epoch goes on: what was issued stays good, so the store that it came from must not be served from any more. Without the vault the log
/// can be read, replayed and verified, but nothing can be signed, and what is personal stays sealed for ever. All of it is there, or nothing.
///
/// # Errors
/// That the stream is not whole, was made by a later grantlog, the vault is another log's or sealed under another master key, or the store
/// is not empty. And what was in the way.
pub async fn import(
    settings: &LogSettings,
    source: impl Read + Send + 'static,
    vault: Option<(PathBuf, MasterKeys)>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Imported, RestoreError> {
    let db = migrate::connect(settings).await?;
    migrate::current_head(&db).await?;
    let vault = match vault {
        Some((path, master)) => Some(survey(path, master).await?),
        None => None,
    };
    let mut connection = Connection::open_by_index(&db).await?;
    connection.begin().await?;
    restore::check_empty(&mut connection).await?;
    let mut writer = RestoreWriter::new(&mut connection, &db).await?;
    let (header, written) = import_log(&mut connection, &mut writer, source, progress).await?;
    let sealed = match vault {
        Some((path, of)) if of.epoch == header.epoch && of.position == header.position => {
            import_vault(&mut connection, &mut writer, &path).await?
        }
        Some(_) => return Err(RestoreError::OtherVault),
        None => 0,
    };
    writer.end(&mut connection, &header.epoch).await?;
    connection.commit().await?;
    Ok(Imported { header, events: written.counts.events, digest: written.digest, vault: sealed })
}

/// Reads the vault's file once; gives what it says of itself.
async fn survey(path: PathBuf, master: MasterKeys) -> Result<(PathBuf, Header), RestoreError> {
    let master = Arc::new(master);
    let read = path.clone();
    let (header, _) = tokio::task::spawn_blocking(move || restore::survey(&read, &master)).await??;
    Ok((path, header))
}

async fn import_log(
    connection: &mut Connection,
    writer: &mut RestoreWriter,
    source: impl Read + Send + 'static,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Header, Written), RestoreError> {
    let (pages, mut waiting) = mpsc::channel(restore::WAITING);
    let reading = tokio::task::spawn_blocking(move || -> Result<(Header, Written), RestoreError> {
        let mut reader = read_stream(source).map_err(super::FileError::from)?;
        let header = reader.header()?;
        if header.migration > migrate::last_migration() {
            return Err(RestoreError::LaterMigration(header.migration));
        }
        // The header goes along, so that whoever writes knows how much is to come.
        drop(pages.blocking_send(vec![Record::Header(header.clone())]));
        restore::send_pages(|| reader.next(), &pages)?;
        Ok((header, reader.read()))
    });
    let mut last = 0;
    while let Some(page) = waiting.recv().await {
        if let Some(Record::Header(header)) = page.first() {
            last = header.position;
        }
        writer.write(connection, page).await?;
        progress(Progress { position: writer.position(), last });
    }
    let (header, written) = reading.await??;
    if writer.position() != header.position {
        return Err(RestoreError::NotTheNext(writer.position() + 1));
    }
    Ok((header, written))
}

async fn import_vault(connection: &mut Connection, writer: &mut RestoreWriter, path: &Path) -> Result<u64, RestoreError> {
    let (pages, mut waiting) = mpsc::channel(restore::WAITING);
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || restore::read_pages(&path, &pages));
    while let Some(page) = waiting.recv().await {
        writer.write(connection, page).await?;
    }
    Ok(reading.await??.counts.vault)
}
