//! Backups: one file, the same for both stores, taken from a running server as of one position, and restored into an empty store as
//! a new epoch. And the whole log as a stream, from one store to another, in the same epoch.

mod file;
mod import;
mod lines;
mod record;
mod restore;
mod rows;
mod save;
mod stream;
mod write;

pub use file::FileError;
pub use import::{Imported, import};
pub use record::{Counts, Header};
pub use restore::{RestoreError, Restored, restore};
pub use save::{BackedUp, BackupError, Exported, backup, export};

/// How far a backup or a restore has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Of the last event that is through.
    pub position: i64,
    /// Of the last event of the backup.
    pub last: i64,
}
