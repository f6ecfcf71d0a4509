//! A proof that an event is in the log, which anybody can check with the public key alone (C2SP tlog-proof). The event's canonical bytes
//! travel as its extra data.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use tlog_tiles::Hash;

use super::{
    Cosignature, WitnessKey,
    note::{NoteError, VerifierKey},
};
use crate::log::{NotAnEvent, StoredEvent};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A proof, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The event's canonical bytes.
    pub(super) event: Vec<u8>,
    /// The leaf's place, counted from 0.
    pub(super) index: u64,
    /// From the leaf's sibling up to the root's child (RFC 9162 section 2.1.3).
    pub(super) path: Vec<Hash>,
    /// The signed checkpoint.
    pub(super) checkpoint: String,
}

/// What a proof that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub event: StoredEvent,
    /// The log's name.
    pub origin: String,
    /// How many events the log held when the checkpoint was signed.
    pub size: u64,
}

/// Why a proof does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("this is no proof (C2SP tlog-proof) of an event")]
    Malformed,
    #[error(transparent)]
    Event(#[from] NotAnEvent),
    #[error(transparent)]
    Checkpoint(#[from] NoteError),
    #[error("the event is not at its place in the tree that was signed")]
    NotThere,
    #[error("{name} did not cosign the checkpoint: {cause}")]
    NotWitnessed { name: String, cause: NoteError },
}

impl Proof {
    /// Checks it with nothing but the key.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify(&self, key: &VerifierKey) -> Result<Proven, ProofError> {
        let event = StoredEvent::from_envelope(&self.event)?;
        let checkpoint = key.open(&self.checkpoint)?;
        let place = u64::try_from(event.position).ok().and_then(|position| position.checked_sub(1));
        if place != Some(self.index) {
            return Err(ProofError::NotThere);
        }
        let leaf = tlog_tiles::record_hash(&self.event);
        tlog_tiles::check_record(&self.path, checkpoint.size(), *checkpoint.hash(), self.index, leaf)
            .map_err(|_| ProofError::NotThere)?;
        Ok(Proven { event, origin: checkpoint.origin().to_owned(), size: checkpoint.size() })
    }

    /// What a witness said of the checkpoint, with nothing but the witness's key.
    ///
    /// # Errors
    /// That it did not cosign it.
    pub fn witnessed(&self, witness: &WitnessKey) -> Result<Cosignature, ProofError> {
        let not_witnessed = |cause| ProofError::NotWitnessed { name: witness.name().to_owned(), cause };
        witness.cosignature(&self.checkpoint).map_err(not_witnessed)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nextra {}\nindex {}", STANDARD.encode(&self.event), self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(ProofError::Malformed);
        }
        let mut value = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)).ok_or(ProofError::Malformed);
        let event = STANDARD.decode(value("extra ")?).map_err(|_| ProofError::Malformed)?;
        let index = value("index ")?.parse().map_err(|_| ProofError::Malformed)?;
        let path = lines.map(Hash::parse_hash).collect::<Result<_, _>>().map_err(|_| ProofError::Malformed)?;
        let proof = Self { event, index, path, checkpoint: checkpoint.to_owned() };
        // There is one way to write a proof.
        if proof.to_string() == text { Ok(proof) } else { Err(ProofError::Malformed) }
    }
}
