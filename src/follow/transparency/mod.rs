//! A Merkle tree over the log in the order of its positions (RFC 9162 section 2.1, C2SP tlog-tiles), signed so that nobody can change
//! what was signed without it being seen. `docs/transparency.md` tells what it proves and how.

mod file;
mod key;
mod note;
mod proof;
mod prove;
mod root;
mod seal;
mod tree;
mod verify_log;
mod witness;

use std::sync::Arc;

pub use key::KeyError;
use key::NoteKey;
pub use note::{NoteError, SignedCheckpoint, VerifierKey};
pub use proof::{Proof, ProofError, Proven};
pub use prove::ProveError;
pub use root::{FoundTree, root_at};
pub use seal::{SealError, Step, follow, run};
use tokio::sync::{Mutex, watch};
use tree::Tree;
pub use tree::TreeError;
pub use verify_log::{Difference, Report, VerifyError};
pub use witness::{Cosignature, NotAWitnessKey, NotCosigned, WitnessKey, Witnesses, run as ask_witnesses};

use crate::{
    dispatch::Dispatch,
    log::{Log, TILE_BYTES, Unavailable},
};

/// Grows and tells the tree over a log. Cheap to clone.
#[derive(Clone)]
pub struct Transparency(Arc<Inner>);

struct Inner {
    log: Log,
    key: NoteKey,
    /// The tree as this node grew it last, so that its edge is not read each time.
    tree: Mutex<Option<Tree>>,
    latest: watch::Sender<Option<SignedCheckpoint>>,
}

impl Transparency {
    /// Opens the tree; its key is made at the first time in each epoch of the log. `prefix` is the address under which the tiles are
    /// served: it names the log in a key that is made now.
    ///
    /// # Errors
    /// That the store does not answer, or was sealed under another master key.
    pub async fn open(dispatch: &Dispatch, prefix: &str) -> Result<Self, KeyError> {
        let key = key::load_or_make(dispatch, prefix).await?;
        let (log, latest) = (dispatch.log.clone(), watch::Sender::new(None));
        Ok(Self(Arc::new(Inner { log, key, tree: Mutex::new(None), latest })))
    }

    /// The key that checkpoints and proofs of this log are verified with.
    #[must_use]
    pub fn verifier_key(&self) -> VerifierKey {
        self.0.key.verifier_key()
    }

    /// The last checkpoint that this node knows of, as it changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<SignedCheckpoint>> {
        self.0.latest.subscribe()
    }

    /// The last checkpoint that was signed, on whichever node, with the cosignatures that it has.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn checkpoint(&self) -> Result<Option<String>, Unavailable> {
        let Some(SignedCheckpoint { note, .. }) = self.signed().await? else { return Ok(None) };
        let cosigned = self.cosigned().await?.into_iter().map(|cosigned| cosigned.note);
        Ok(Some(cosigned.rev().find(|cosigned| cosigned.starts_with(&note)).unwrap_or(note)))
    }

    /// The checkpoints that witnesses cosigned, by size: of each witness the last one.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn cosigned(&self) -> Result<Vec<SignedCheckpoint>, Unavailable> {
        let key = self.verifier_key();
        let kept = self.0.log.cosigned().await?.into_iter().map(|(size, note)| SignedCheckpoint { size, note });
        Ok(kept.filter(|kept| key.open(&kept.note).is_ok_and(|opened| opened.size() == kept.size)).collect())
    }

    /// The last checkpoint that was signed, on whichever node.
    async fn signed(&self) -> Result<Option<SignedCheckpoint>, Unavailable> {
        let signed = self.0.log.sealed().await?.signed;
        Ok(signed.map(|(size, note)| SignedCheckpoint { size: size.unsigned_abs(), note }))
    }

    /// The first so many hashes of a tile, as C2SP tlog-tiles serves them; `None` where it has not grown so wide.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, Unavailable> {
        let hashes = self.0.log.tile(path.level, path.number).await?;
        Ok(hashes.and_then(|mut hashes| {
            hashes.truncate(path.bytes());
            (hashes.len() == path.bytes()).then_some(hashes)
        }))
    }
}

/// A tile by its path: `<L>/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePath {
    level: u8,
    number: u64,
    /// How many hashes: 256 for a full tile.
    width: u32,
}

impl TilePath {
    const HEIGHT: u8 = 8;
    const FULL: u32 = 1 << Self::HEIGHT;
    /// A tree of 2^64 leaves has no tile above.
    const TOP: u8 = 7;

    /// Reads a path in its one right form; `None` for any other.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..Self::FULL).contains(width))?),
            None => (rest, Self::FULL),
        };
        let level = level.parse().ok().filter(|level| *level <= Self::TOP)?;
        let number = number.split('/').try_fold(0_u64, |number, part| {
            let part: u64 = part.trim_start_matches('x').parse().ok()?;
            number.checked_mul(1000)?.checked_add(part)
        })?;
        let tile = Self { level, number, width };
        (tile.path() == path).then_some(tile)
    }

    fn path(self) -> String {
        let tile = tlog_tiles::Tile::new(Self::HEIGHT, self.level, self.number, self.width, false);
        tile.path().trim_start_matches("tile/8/").to_owned()
    }

    const fn bytes(self) -> usize {
        TILE_BYTES / Self::FULL as usize * self.width as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_has_one_path() {
        for (path, level, number, width) in
            [("0/000", 0, 0, 256), ("0/000.p/1", 0, 0, 1), ("1/x001/x234/067", 1, 1_234_067, 256), ("7/999.p/255", 7, 999, 255)]
        {
            assert_eq!(TilePath::parse(path), Some(TilePath { level, number, width }), "{path}");
        }
        for path in [
            "",
            "0",
            "0/",
            "/000",
            "0/0",
            "00/000",
            "8/000",
            "255/000",
            "300/000",
            "-1/000",
            "data/000",
            "entries/000",
            "0/000.p/0",
            "0/000.p/00",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/x000/000",
            "0/001/000",
            "0/x001/x000",
            "0/1000",
            "0/xx001/000",
            "0/000/",
            "0/000.p/1/2",
            "0/+01",
            "../0/000",
            "0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(TilePath::parse(path), None, "{path}");
        }
    }
}
