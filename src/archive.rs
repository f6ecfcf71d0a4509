//! The archive with the tree over the log beside it: each segment that is made says the root of the tree that ends with it.

use crate::{
    follow::transparency::{TreeError, root_at},
    log::{
        Log,
        archive::{ArchiveError, Archived},
    },
};

/// Moves old events into the archive, as [`Log::archive_old`] does, with the tree's roots where the settings let it grow.
///
/// # Errors
/// As there, or that the tree in the store is not whole.
pub async fn archive_old(log: &Log, rest: u32, progress: impl FnMut(i64, i64) + Send) -> Result<Archived, ArchiveError> {
    log.archive_old(rest, |size| root(log, size), progress).await
}

async fn root(log: &Log, size: i64) -> Result<String, ArchiveError> {
    root_at(log, size).await.map_err(|error| match error {
        TreeError::Unavailable(unavailable) => unavailable.into(),
        TreeError::Tile { .. } | TreeError::Tree(_) => ArchiveError::NoRoot { size, why: error.to_string() },
    })
}
