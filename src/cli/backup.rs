//! `grantlog backup` and `grantlog restore`.

use std::path::PathBuf;

use serde_json::json;

use crate::{
    clock::Clock,
    log::{
        backup::{self, BackupError, FileError, RestoreError},
        whole_file::WriteFileError,
    },
};

use super::{
    failure::Failure,
    migrate,
    output::{self, Format, moment},
    progress::Progress,
    store::Context,
};

/// Back everything up into one file, while the server serves
///
/// All events, the vault (sealed: without the master key the file opens nothing, so keep a copy of that elsewhere), and what names
/// are taken, as of one moment. The form is the same for SQLite and PostgreSQL. The file is there when it is whole, for its owner
/// alone (0600). Whoever is erased later is not erased in it: keep backups no longer than you must.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog backup /backups/grantlog-$(date +%F).backup")]
pub(super) struct Backup {
    /// The file to write, which must not be there yet
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Restore a backup into an empty store
///
/// Makes the store if it is not there. It also moves a log from SQLite to PostgreSQL and back. The log goes on as a new epoch: all
/// codes, tokens and sign-ins from before are dead, because what was revoked after the backup is not in it. Stop the servers first,
/// start them afterwards, and erase again whoever was erased after the backup.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog restore /backups/grantlog-2026-11-25.backup
  DATABASE_URL=postgres://grantlog@db.example/grantlog \\
    grantlog restore grantlog.backup")]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Write(error) => error.into(),
            FileError::Io(_) | FileError::Damaged(_) => Self::Failed(error.to_string()),
            FileError::NotABackup | FileError::Later(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<WriteFileError> for Failure {
    fn from(error: WriteFileError) -> Self {
        match error {
            WriteFileError::Io(_) => Self::Failed(error.to_string()),
            WriteFileError::Exists(_) | WriteFileError::InUse(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(_) => Self::Unavailable(error.to_string()),
            BackupError::File(error) => error.into(),
            BackupError::Writer(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Store(_) => Self::Unavailable(error.to_string()),
            RestoreError::Migrate(error) => error.into(),
            RestoreError::File(error) => error.into(),
            RestoreError::WrongMasterKey => Self::Usage(error.to_string()),
            RestoreError::LaterMigration(_) | RestoreError::NotEmpty | RestoreError::OtherVault => {
                Self::Refused(error.to_string())
            }
            RestoreError::Event(_)
            | RestoreError::Stream { .. }
            | RestoreError::NotTheNext(_)
            | RestoreError::Epoch(_)
            | RestoreError::Reader(_) => Self::Failed(error.to_string()),
        }
    }
}

impl Backup {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut progress = Progress::of("events");
        let done = backup::backup(&log, &self.file, &mut |at| progress.at_position(at.position, at.last)).await?;
        drop(progress);
        let (header, counts) = (&done.header, done.counts);
        if self.format.json {
            return output::json(&json!({
                "file": self.file, "bytes": done.bytes, "position": header.position, "epoch": header.epoch, "events": counts.events,
                "vault": counts.vault, "digest": done.digest,
            }));
        }
        output::line(format_args!(
            "{} events and {} sealed values are in {} ({} bytes), up to position {}.\nIt opens with the master key alone: keep a copy of \
             that elsewhere.",
            counts.events,
            counts.vault,
            self.file.display(),
            done.bytes,
            header.position
        ))
    }
}

impl Restore {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let master = context.settings.master_keys()?;
        if !self.file.exists() {
            return Err(Failure::Refused(format!("there is no file {}", self.file.display())));
        }
        let settings = context.settings.log_settings();
        migrate::prepare(&settings, migrate::ALL_THE_TIME).await?;
        let mut progress = Progress::of("events");
        let mut tell = |at: backup::Progress| progress.at_position(at.position, at.last);
        let done = backup::restore(&settings, &self.file, master, &Clock::default(), &mut tell).await?;
        drop(progress);
        let (events, recorded_at) = (done.counts.events, moment(done.backup.recorded_at.div_euclid(1_000_000)));
        if self.format.json {
            return output::json(&json!({
                "events": events, "epoch": done.epoch.to_string(), "position": done.position, "backup_recorded_at": recorded_at,
                "subject_keys": done.subject_keys,
            }));
        }
        output::line(format_args!(
            "{events} events are restored, the last from {recorded_at}. The log goes on as epoch {}: everything issued before is dead.\n\
             Start the servers again. Whoever was erased after {recorded_at} must be erased again.",
            done.epoch
        ))
    }
}
