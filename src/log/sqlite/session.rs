//! How a file is opened, the same by both drivers: WAL, and durable at each commit. Readers come through sqlx's pool, the writer through
//! rusqlite.

use std::{str::FromStr, time::Duration};

use rusqlite::OpenFlags;
use sqlx::sqlite::SqliteConnectOptions;

/// How long SQLite waits for another's lock.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Connections of the pool at most, each of which is a thread: the look-ups that many share go through none of them.
pub(in crate::log) const READERS: u32 = 4;
/// What a connection is told, in this order.
const PRAGMAS: [(&str, &str); 5] = [
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),
    ("foreign_keys", "ON"),
    // Else each statement that may be undone keeps its journal in a file.
    ("temp_store", "MEMORY"),
    // Pages after which the write-ahead log is moved into the file: 16 MiB, so that a page which changes often is moved once.
    ("wal_autocheckpoint", "4096"),
];
/// What a connection of the pool keeps in memory: 2 MiB, told in KiB as a negative number. It forgets all of it at each commit of the writer,
/// and the system keeps the file's pages too.
const POOL_CACHE: &str = "-2048";
/// What the writer keeps in memory: 8 MiB, for the pages of the indexes that are written all over.
const WRITER_CACHE: &str = "-8192";
/// Statements that the writer keeps prepared: more than it has.
const WRITER_STATEMENTS: usize = 128;

/// A file as the pool opens it.
pub(in crate::log) fn pool_options(url: &str) -> Result<SqliteConnectOptions, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).busy_timeout(BUSY);
    let pragmas = PRAGMAS.into_iter().chain([("cache_size", POOL_CACHE)]);
    Ok(pragmas.fold(options, |options, (name, value)| options.pragma(name, value)))
}

/// A connection that writes. The file is there: the pool has opened it.
pub(super) fn open_writer(url: &str) -> rusqlite::Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(uri(url), flags)?;
    connection.busy_timeout(BUSY)?;
    for (name, value) in PRAGMAS.into_iter().chain([("cache_size", WRITER_CACHE)]) {
        connection.pragma_update(None, name, value)?;
    }
    connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
    Ok(connection)
}

/// The store's address as SQLite's own: sqlx's parameters are SQLite's (https://www.sqlite.org/uri.html), and its paths, too, are
/// percent-encoded, but a `#` means nothing to it.
fn uri(url: &str) -> String {
    let path = url.trim_start_matches("sqlite://").trim_start_matches("sqlite:");
    format!("file:{}", path.replace('#', "%23"))
}

#[cfg(test)]
mod tests {
    use super::{open_writer, pool_options};

    #[test]
    fn both_drivers_open_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        for name in ["plain.db", "with%20space.db", "with%23and%3F.db", "with#.db", "with.db?mode=rwc&cache=private"] {
            for scheme in ["sqlite://", "sqlite:"] {
                let url = format!("{scheme}{folder}/{name}");
                let writer = open_writer(&url).unwrap();
                assert_eq!(writer.path(), pool_options(&url).unwrap().get_filename().to_str(), "{url}");
            }
        }
    }

    #[test]
    fn what_may_only_be_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/store.db", folder.path().to_str().unwrap());
        drop(open_writer(&url).unwrap());
        let error = open_writer(&format!("{url}?mode=ro")).and_then(|writer| writer.execute_batch("CREATE TABLE t (c)"));
        assert!(error.is_err());
    }
}
