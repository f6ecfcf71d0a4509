//! Signed checkpoints (C2SP signed-note and tlog-checkpoint), and the key that they are verified with.

use std::{fmt, str::FromStr};

use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::Checkpoint;

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// How many events the tree holds.
    pub size: u64,
    /// In the form in which it is served.
    pub note: String,
}

impl SignedCheckpoint {
    /// How many signed it.
    pub(super) fn signatures(&self) -> usize {
        self.note.rsplit_once("\n\n").map_or(0, |(_, signatures)| signatures.lines().count())
    }
}

/// Why a checkpoint is not believed.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    #[error("this is no verifier key: it has the form NAME+ID+KEY, as /transparency/key gives it")]
    Key,
    #[error("the checkpoint is not signed with this key: {0}")]
    Signature(#[from] signed_note::NoteError),
    #[error("the signed text is no checkpoint of this log")]
    Checkpoint,
}

/// A public key with the name of the log that it is for.
#[derive(Clone)]
pub struct VerifierKey {
    text: String,
    verifier: StandardVerifier,
}

impl VerifierKey {
    /// The checkpoint in a note, where this key signed it for this log.
    ///
    /// # Errors
    /// Why it is not believed.
    pub(super) fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let note = Note::from_bytes(note.as_bytes())?;
        note.verify(&VerifierList::new(vec![Box::new(self.verifier.clone())]))?;
        let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|_| NoteError::Checkpoint)?;
        if checkpoint.origin() == self.verifier.name() { Ok(checkpoint) } else { Err(NoteError::Checkpoint) }
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let text = text.trim().to_owned();
        let verifier = StandardVerifier::new(&text).map_err(|_| NoteError::Key)?;
        Ok(Self { text, verifier })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}
