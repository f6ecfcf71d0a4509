//! One rebuild at a time. PostgreSQL keeps an advisory lock for the session; beside a SQLite file stands a file that is locked.

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
    time::Duration,
};

use super::RebuildError;
use crate::log::connection::Connection;

/// "grantlog" in ASCII.
const ADVISORY_KEY: i64 = 0x6772_616e_746c_6f67;

/// The server notices a moment later that the connection of the one before has gone.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Held while somebody rebuilds; a process that dies lets go of it.
pub(super) enum Lock {
    /// It goes with the connection.
    Session,
    File {
        path: PathBuf,
        _locked: File,
    },
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// `UnderWay` when another has it.
    pub(super) async fn take(connection: &mut Connection) -> Result<Self, RebuildError> {
        match connection {
            Connection::Postgres(connection) => {
                for _ in 0..ATTEMPTS {
                    let sql = "SELECT pg_try_advisory_lock($1)";
                    if sqlx::query_scalar(sql).bind(ADVISORY_KEY).fetch_one(&mut *connection).await? {
                        return Ok(Self::Session);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Err(RebuildError::UnderWay)
            }
            Connection::Sqlite(connection) => {
                let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
                let database: String = sqlx::query_scalar(sql).fetch_one(connection).await?;
                Self::of_file(format!("{database}-rebuild").into())
            }
        }
    }

    fn of_file(path: PathBuf) -> Result<Self, RebuildError> {
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(RebuildError::Lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Self::File { path, _locked: file }),
            Err(TryLockError::WouldBlock) => Err(RebuildError::UnderWay),
            Err(TryLockError::Error(error)) => Err(RebuildError::Lock(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match self {
            Self::Session => {}
            // Who opened it meanwhile locks a file that is gone: each batch checks besides that nobody else went on with the build.
            Self::File { path, .. } => {
                if let Err(error) = std::fs::remove_file(path) {
                    tracing::debug!(%error, "the lock file of a rebuild stays behind");
                }
            }
        }
    }
}
