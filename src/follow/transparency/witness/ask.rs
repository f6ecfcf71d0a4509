//! Asking a witness to cosign a checkpoint (C2SP tlog-witness, `add-checkpoint`).

use tlog_tiles::Hash;
use url::Url;

use super::{
    super::{NoteError, SignedCheckpoint, Transparency, TreeError, tree},
    key::{Cosignature, WitnessKey},
};
use crate::fetch::{FetchError, Fetched, Fetcher};

/// Why a witness did not cosign a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum NotCosigned {
    #[error("the proof for it cannot be made: {0}")]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("it does not know this log or its key: its operator has to take in what /transparency/key tells (status {0})")]
    Unknown(u16),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it does not say how many events it knows")]
    NoSize,
    #[error("its answer is no cosignature of its key: {0}")]
    Answer(#[from] NoteError),
    #[error("it cosigned a later checkpoint meanwhile, for another node")]
    Overtaken,
    #[error("it says that it knows {0} events, and then again that it does not")]
    Undecided(u64),
    #[error(
        "it cosigned a checkpoint of {known} events, and the last one here is of {asked}: was the store put back to an earlier state?"
    )]
    Ahead { known: u64, asked: u64 },
    #[error(
        "it cosigned a checkpoint of {0} events under this log's name that this log does not go on from: the log was changed or put back, \
         or somebody else signs with its key. `grantlog audit verify-log` tells more"
    )]
    Fork(u64),
}

impl NotCosigned {
    /// Whether the log is not what the witness saw.
    pub(super) const fn is_fork(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::Fork(_) => true,
            Self::Tree(_)
            | Self::Fetch(_)
            | Self::Unknown(_)
            | Self::Status(_)
            | Self::NoSize
            | Self::Answer(_)
            | Self::Overtaken
            | Self::Undecided(_) => false,
        }
    }
}

/// A witness where it is asked.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) key: WitnessKey,
    /// Where `add-checkpoint` is.
    pub(super) url: Url,
    pub(super) fetcher: Fetcher,
}

/// What a witness answered, where it can be gone on with.
enum Answer {
    Cosigned(Cosignature),
    /// It knows a tree of this size, not the one that was named.
    Knows(u64),
}

impl Witness {
    /// Asks for a cosignature. `known` is how many events the witness is believed to know; where it corrects that, it is asked again.
    ///
    /// # Errors
    /// Why it did not cosign.
    pub(super) async fn ask(
        &self,
        transparency: &Transparency,
        checkpoint: &SignedCheckpoint,
        known: u64,
    ) -> Result<Cosignature, NotCosigned> {
        let asked = checkpoint.size;
        match self.add(transparency, checkpoint, known.min(asked)).await? {
            Answer::Cosigned(cosignature) => Ok(cosignature),
            Answer::Knows(known) if known > asked => Err(transparency.outrun(known, asked).await?),
            Answer::Knows(known) => match self.add(transparency, checkpoint, known).await? {
                Answer::Cosigned(cosignature) => Ok(cosignature),
                // Of the same size, and still in conflict: then the root is another.
                Answer::Knows(still) if still == known && known == asked => Err(NotCosigned::Fork(known)),
                Answer::Knows(_) => Err(NotCosigned::Undecided(known)),
            },
        }
    }

    async fn add(&self, transparency: &Transparency, checkpoint: &SignedCheckpoint, old: u64) -> Result<Answer, NotCosigned> {
        let proof = transparency.consistency(old, checkpoint.size).await?;
        let Fetched { status, body, .. } = self.fetcher.post(&self.url, request(old, &proof, &checkpoint.note)).await?;
        let body = String::from_utf8_lossy(&body);
        match status {
            200 => Ok(Answer::Cosigned(self.key.cosignature(&format!("{}{body}", checkpoint.note))?)),
            409 => Ok(Answer::Knows(body.trim_end().parse().map_err(|_| NotCosigned::NoSize)?)),
            422 => Err(NotCosigned::Fork(old)),
            403 | 404 => Err(NotCosigned::Unknown(status)),
            _ => Err(NotCosigned::Status(status)),
        }
    }
}

fn request(old: u64, proof: &[Hash], note: &str) -> String {
    let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    format!("old {old}\n{proof}\n{note}")
}

impl Transparency {
    /// Why a witness knows more than it was asked about.
    async fn outrun(&self, known: u64, asked: u64) -> Result<NotCosigned, TreeError> {
        let signed = self.signed().await?.map_or(0, |signed| signed.size);
        Ok(if signed >= known { NotCosigned::Overtaken } else { NotCosigned::Ahead { known, asked } })
    }

    /// The proof that the tree of a size goes on from an earlier one (RFC 9162 section 2.1.4).
    async fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, TreeError> {
        match old {
            0 => Ok(Vec::new()),
            old => tree::from_tiles(&self.0.log, |hashes| tlog_tiles::prove_tree(size, old, hashes)).await,
        }
    }
}
