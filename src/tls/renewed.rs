//! What is read of files that somebody renews: the last content that can be used is in use.

use std::{
    fs,
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use domain::Digest;

use super::TlsError;

/// Something that is made of files' content.
#[derive(Debug)]
pub(super) struct Renewed<T> {
    files: Vec<PathBuf>,
    current: RwLock<(Digest, T)>,
}

/// What a file holds.
pub(super) struct Content {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl<T: Clone> Renewed<T> {
    /// Reads the files, and makes it of their contents, which come in the same order.
    pub(super) fn open(files: Vec<PathBuf>, make: impl FnOnce(&[Content]) -> Result<T, TlsError>) -> Result<Self, TlsError> {
        let contents = contents(&files)?;
        let made = make(&contents)?;
        Ok(Self { files, current: RwLock::new((digest(&contents), made)) })
    }

    pub(super) fn current(&self) -> T {
        self.current.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Reads the files again, and makes it anew where they hold something else: whether it did. What fails changes nothing.
    pub(super) fn renew(&self, make: impl FnOnce(&[Content]) -> Result<T, TlsError>) -> Result<bool, TlsError> {
        let contents = contents(&self.files)?;
        let digest = digest(&contents);
        if digest == self.current.read().unwrap_or_else(PoisonError::into_inner).0 {
            return Ok(false);
        }
        let made = make(&contents)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (digest, made);
        Ok(true)
    }
}

fn contents(files: &[PathBuf]) -> Result<Vec<Content>, TlsError> {
    let read = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => Ok(Content { path: path.clone(), bytes }),
        Err(error) => Err(TlsError::File { path: path.clone(), why: error.to_string() }),
    };
    files.iter().map(read).collect()
}

fn digest(contents: &[Content]) -> Digest {
    let bytes: Vec<u8> = contents.iter().flat_map(|content| content.bytes.iter().copied()).collect();
    Digest::of(&bytes)
}
