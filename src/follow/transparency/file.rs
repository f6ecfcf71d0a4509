//! The file that keeps the last checkpoint outside of the store: a store that was put back behind it, or is another, is noticed.

use std::{io, path::PathBuf};

use tokio::{fs, io::AsyncWriteExt};

use super::{SealError, SignedCheckpoint, Transparency};

/// Where checkpoints are kept, one in place of the other.
pub(super) struct CheckpointFile {
    path: PathBuf,
    /// Whether what was in the file before has been looked at.
    checked: bool,
    /// The size in the file, as far as this process has written it.
    kept: u64,
}

impl CheckpointFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, checked: false, kept: 0 }
    }

    /// Checks, once, that the tree in the store goes on from what the file holds. A file of another epoch of the log, or of another log,
    /// is put aside.
    ///
    /// # Errors
    /// That it does not, or the file cannot be read.
    pub(super) async fn check(&mut self, transparency: &Transparency) -> Result<(), SealError> {
        if !self.checked {
            self.check_found(transparency).await?;
            self.checked = true;
        }
        Ok(())
    }

    async fn check_found(&self, transparency: &Transparency) -> Result<(), SealError> {
        let note = match fs::read_to_string(&self.path).await {
            Ok(note) => note,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let kept = transparency.0.log.sealed().await?.position.unsigned_abs();
        match transparency.check_extends(&note, kept).await {
            Err(SealError::Checkpoint(error)) => {
                let aside = self.beside(".before");
                tracing::warn!(%error, aside = %aside.display(), "the checkpoint file is of another log or epoch: it is put aside");
                Ok(fs::rename(&self.path, &aside).await?)
            }
            outcome => outcome,
        }
    }

    /// Keeps a checkpoint: the file holds the one before or this one, whole.
    ///
    /// # Errors
    /// That it cannot be written.
    pub(super) async fn keep(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), io::Error> {
        if self.kept >= checkpoint.size {
            return Ok(());
        }
        let partial = self.beside(".partial");
        let mut file = fs::File::create(&partial).await?;
        file.write_all(checkpoint.note.as_bytes()).await?;
        file.sync_all().await?;
        fs::rename(&partial, &self.path).await?;
        self.kept = checkpoint.size;
        Ok(())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }
}
