//! Signing keys are rotated and retired, and the vault is sealed anew under another master key.

use std::sync::Arc;

use domain::{
    Decide, StreamId,
    client::SigningAlgorithm,
    id::THE_ONLY,
    key_set::{KeySet, KeySetCommand, KeySetError, KeySetEvent},
};
use serde::Serialize;

use crate::{
    log::{Actor, Unavailable, VaultChange},
    signer::{self, NewKey},
    vault::kind,
};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

/// What a re-sealing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    pub sealed_anew: usize,
    pub already_current: usize,
}

/// A change of the key set.
enum KeyChange {
    Rotate(NewKey),
    Retire {
        kid: String,
    },
    Replace {
        kid: String,
        new: NewKey,
    },
    /// Of an algorithm that nothing signs for yet.
    Complete(NewKey),
}

impl Dispatch {
    /// Makes a new key for an algorithm and lets it sign; the one before is still published. Gives the new kid.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn rotate_keys(&self, actor: Actor, algorithm: SigningAlgorithm) -> Result<Done<String>, Refusal<KeySetError>> {
        let new = new_key(algorithm).await?;
        let kid = new.public.kid.clone();
        let done = self.perform(actor, &KeyChange::Rotate(new)).await?;
        Ok(Done { answer: kid, position: done.position })
    }

    /// Makes keys for the algorithms that a store of an earlier release has none for: whichever node is first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn complete_keys(&self) -> Result<(), Unavailable> {
        for algorithm in SigningAlgorithm::ALL {
            if self.key_set().await?.signs_by(algorithm) {
                continue;
            }
            let completed = self.perform(Actor::System, &KeyChange::Complete(new_key(algorithm).await?)).await;
            completed.map_err(|error| {
                tracing::error!(%error, ?algorithm, "there is no key for an algorithm, and none could be made");
                Unavailable
            })?;
        }
        Ok(())
    }

    /// Withdraws a key: what it signed is dead.
    ///
    /// # Errors
    /// That there is no such key, or it is the one that signs.
    pub async fn retire_key(&self, actor: Actor, kid: &str) -> Result<Done<()>, Refusal<KeySetError>> {
        self.perform(actor, &KeyChange::Retire { kid: kid.to_owned() }).await
    }

    /// Signs what the issuer says of itself, with the key that is active now; `typ` is the media type of the header.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or there is no key to sign with.
    pub async fn sign(&self, typ: &str, claims: &(impl Serialize + Sync)) -> Result<String, Unavailable> {
        self.sign_by(SigningAlgorithm::ES256, typ, claims).await
    }

    /// The same, by another algorithm.
    pub(super) async fn sign_by(
        &self,
        algorithm: SigningAlgorithm,
        typ: &str,
        claims: &(impl Serialize + Sync),
    ) -> Result<String, Unavailable> {
        let key = self.0.signer.active(self.key_set().await?.as_ref(), algorithm).await?;
        self.0.signer.sign(&key, typ, claims).await
    }

    /// Withdraws a key also where it signs at present: a new one takes its place in the same append.
    ///
    /// # Errors
    /// That there is no such key.
    pub async fn replace_key(&self, actor: Actor, kid: &str) -> Result<Done<()>, Refusal<KeySetError>> {
        let algorithm = self.key_set().await?.algorithm_of(kid).map_err(Refusal::Rule)?;
        self.perform(actor, &KeyChange::Replace { kid: kid.to_owned(), new: new_key(algorithm).await? }).await
    }

    /// All keys, as they are now.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn key_set(&self) -> Result<Arc<KeySet>, Unavailable> {
        Ok(self.load_fresh::<KeySet>(THE_ONLY).await?.state)
    }

    /// Seals every vault row anew under the current master key.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or a row opens under none of the keys.
    pub async fn rewrap(&self) -> Result<Rewrapped, Unavailable> {
        let mut outcome = Rewrapped { sealed_anew: 0, already_current: 0 };
        for row in self.vault.all().await? {
            if self.master.is_current(&row.sealed) {
                outcome.already_current += 1;
                continue;
            }
            let plain = self.master.open(&row.kind, &row.id, &row.sealed).map_err(|error| {
                tracing::error!(kind = row.kind, id = row.id, %error, "a vault row opens under none of the master keys");
                Unavailable
            })?;
            let sealed = self.master.seal(&row.kind, &row.id, &plain);
            self.vault.replace(&row, &sealed).await?;
            outcome.sealed_anew += 1;
        }
        Ok(outcome)
    }
}

/// Makes a key pair in a thread of its own: an RSA one takes a moment.
pub(super) async fn new_key(algorithm: SigningAlgorithm) -> Result<NewKey, Unavailable> {
    let made = tokio::task::spawn_blocking(move || signer::generate(algorithm)).await.map_err(|_| Unavailable)?;
    made.map_err(|error| {
        tracing::error!(%error, "a signing key could not be made");
        Unavailable
    })
}

impl NewKey {
    /// The vault row that holds the private part.
    pub(super) fn vault_change(&self, master: &crate::vault::MasterKeys) -> VaultChange {
        let id = self.public.kid.clone();
        let sealed = master.seal(kind::SIGNING_KEY, &id, &self.private);
        VaultChange::Put { kind: kind::SIGNING_KEY, id, sealed }
    }
}

impl UseCase for KeyChange {
    type Answer = ();
    type Refusal = KeySetError;

    fn stream(&self) -> Option<StreamId> {
        Some(KeySet::stream(THE_ONLY))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<KeySetError>> {
        let keys = work.load::<KeySet>(THE_ONLY).await?;
        let at = work.now;
        let (command, new) = match self {
            Self::Complete(new) if keys.state.signs_by(new.public.alg) => return Ok(()),
            Self::Complete(new) => (KeySetCommand::Rotate { key: new.public.clone(), at }, Some(new)),
            Self::Rotate(new) => (KeySetCommand::Rotate { key: new.public.clone(), at }, Some(new)),
            Self::Retire { kid } => (KeySetCommand::Retire { kid: kid.clone(), at }, None),
            Self::Replace { kid, new } => (KeySetCommand::Replace { kid: kid.clone(), key: new.public.clone(), at }, Some(new)),
        };
        let (events, _) = work.decide(&keys, command).map_err(Refusal::Rule)?;
        // Where the key that is replaced did not sign, the new one is not used.
        if let Some(new) = new.filter(|_| events.iter().any(|event| matches!(event, KeySetEvent::Added { .. }))) {
            work.vault.push(new.vault_change(&work.inner.master));
        }
        Ok(())
    }
}
