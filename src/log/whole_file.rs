//! A file that appears under its name when it is whole and on the disk, for its owner alone.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufWriter, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const BUFFER: usize = 1 << 20;
/// Readable by its owner alone: it holds what is sealed, and who did what.
const MODE: u32 = 0o600;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum WriteFileError {
    #[error("the file cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    #[error("another file is being written to {}", .0.display())]
    InUse(PathBuf),
}

/// A file that is being written, under a temporary name.
#[derive(Debug)]
pub struct WholeFile {
    writer: BufWriter<File>,
    partial: Partial,
    path: PathBuf,
}

/// The file that is not whole yet; it goes when the writing is given up.
#[derive(Debug)]
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "an unfinished file stays behind");
        }
    }
}

impl WholeFile {
    /// Begins a file.
    ///
    /// # Errors
    /// That it exists, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, WriteFileError> {
        if path.try_exists()? {
            return Err(WriteFileError::Exists(path.to_owned()));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = OpenOptions::new().create(true).write(true).truncate(false).mode(MODE).open(&partial)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &partial)? => file.set_len(0)?,
            // Whoever held it has just finished: it bears its own name by now.
            Ok(()) => return Err(WriteFileError::InUse(path.to_owned())),
            Err(TryLockError::WouldBlock) => return Err(WriteFileError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let writer = BufWriter::with_capacity(BUFFER, file);
        Ok(Self { writer, partial: Partial(Some(partial)), path: path.to_owned() })
    }

    /// Ends it: it is on the disk, whole, under its own name.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let Self { writer, mut partial, path } = self;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        if let Some(partial) = &partial.0 {
            std::fs::rename(partial, &path)?;
        }
        partial.0 = None;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        File::open(folder)?.sync_all()
    }
}

/// Whether an open file is still the one of this name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_once_do_not_write_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = WholeFile::create(&path).unwrap();
        assert!(matches!(WholeFile::create(&path), Err(WriteFileError::InUse(_))));
        drop(first);
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
        WholeFile::create(&path).unwrap().finish().unwrap();
        assert!(matches!(WholeFile::create(&path), Err(WriteFileError::Exists(_))));
    }
}
