//! Making the proof of an event from the stored tiles.

use super::{Proof, ProofError, SealError, SignedCheckpoint, Transparency, tree};
use crate::log::Unavailable;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("there is no event at position {0}")]
    NoEvent(i64),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the event at position {position} is not what was signed ({cause}): `grantlog audit verify-log` tells more")]
    Differs { position: i64, cause: ProofError },
}

impl Transparency {
    /// The proof that the event at a position is in the log. What is not in the tree yet is taken in first. The checkpoint is the one that
    /// most witnesses cosigned, where one did since.
    ///
    /// # Errors
    /// That there is no such event, or it is not what was signed.
    pub async fn prove(&self, position: i64) -> Result<Proof, ProveError> {
        let log = &self.0.log;
        let event = log.read(position.saturating_sub(1), 1).await?.pop().filter(|event| event.position == position);
        let event = event.ok_or(ProveError::NoEvent(position))?;
        let place = u64::try_from(position).ok().and_then(|position| position.checked_sub(1));
        let index = place.ok_or(ProveError::NoEvent(position))?;
        let checkpoint = self.checkpoint_with(position).await?;
        let path = tree::from_tiles(log, |hashes| tlog_tiles::prove_record(checkpoint.size, index, hashes)).await;
        let path = path.map_err(SealError::from)?;
        let proof = Proof { event: event.envelope(), index, path, checkpoint: checkpoint.note };
        match proof.verify(&self.verifier_key()) {
            Ok(_) => Ok(proof),
            Err(cause) => Err(ProveError::Differs { position, cause }),
        }
    }

    /// A checkpoint of a tree that holds a position: of those that most cosigned, the last one.
    async fn checkpoint_with(&self, position: i64) -> Result<SignedCheckpoint, SealError> {
        let cosigned = self.cosigned().await?.into_iter().filter(|cosigned| cosigned.size >= position.unsigned_abs());
        match cosigned.max_by_key(|cosigned| (cosigned.signatures(), cosigned.size)) {
            Some(cosigned) => Ok(cosigned),
            None => self.signed_with(position).await,
        }
    }
}
