//! How the log is opened.

use std::path::PathBuf;

use super::{MigrateError, archive::ArchiveSettings, migrate};

/// Where the log is, and what it may take.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// `postgres://...` or `sqlite://path`.
    pub url: String,
    /// Connections for reads.
    pub connections: u32,
    /// Appends that wait or are being written at most; beyond, callers are told to come back.
    pub queue: usize,
    /// Where old events go, and which.
    pub archive: Option<ArchiveSettings>,
}

impl LogSettings {
    /// The file that an SQLite store lies in; `None` for PostgreSQL.
    ///
    /// # Errors
    /// That the address is none.
    pub fn file(&self) -> Result<Option<PathBuf>, MigrateError> {
        migrate::file(&self.url)
    }
}
