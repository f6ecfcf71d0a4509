//! Proofs of possession (RFC 9449) are good once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
};

use grantlog_dpop::{Proof, WINDOW};

/// How long a proof is remembered after it was made, in seconds: twice as long as it is good, for another thread may have read the time a while
/// ago, and a clock may be set back.
const REMEMBERED: i64 = 2 * WINDOW as i64;

/// Those that were used, each until it has long been too old to be used again.
#[derive(Debug, Default)]
pub(crate) struct UsedProofs(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    /// When each was made, by its key and its `jti`.
    proofs: HashMap<(String, String), i64>,
    swept_at: i64,
}

impl UsedProofs {
    /// Uses a proof up; whether it was not used before.
    pub(crate) fn use_up(&self, proof: Proof, now: i64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now - used.swept_at > i64::from(WINDOW) {
            used.proofs.retain(|_, made_at| now - *made_at <= REMEMBERED);
            used.swept_at = now;
        }
        match used.proofs.entry((proof.thumbprint, proof.jti)) {
            Entry::Vacant(place) => {
                place.insert(proof.iat);
                true
            }
            Entry::Occupied(mut known) => {
                let made_at = proof.iat.max(*known.get());
                known.insert(made_at);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 10_000;

    fn proof(thumbprint: &str, jti: &str, iat: i64) -> Proof {
        Proof { thumbprint: thumbprint.to_owned(), jti: jti.to_owned(), iat, nonce: None }
    }

    #[test]
    fn a_proof_is_good_once_and_forgotten_when_it_is_too_old() {
        let (used, window) = (UsedProofs::default(), i64::from(WINDOW));
        assert!(used.use_up(proof("key", "1", NOW), NOW) && used.use_up(proof("other", "1", NOW), NOW));
        assert!(!used.use_up(proof("key", "1", NOW - 1), NOW + window));
        assert!(used.use_up(proof("key", "2", NOW + 2 * window), NOW + 2 * window));
        assert!(!used.use_up(proof("key", "1", NOW), NOW + window), "a clock was set back");
        assert!(used.use_up(proof("key", "3", NOW + 4 * window), NOW + 4 * window));
        assert_eq!(used.0.lock().unwrap().proofs.len(), 2);
    }
}
