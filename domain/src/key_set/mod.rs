//! The issuer's signing keys: one signs for each algorithm, the others are published until they retire. Private parts are in the vault.

mod command;
mod event;
#[cfg(test)]
mod tests;

pub use command::KeySetCommand;
pub use event::{KeySetEvent, PublicKey};
use serde::{Deserialize, Serialize};

use crate::{Decide, aggregate::aggregate, client::SigningAlgorithm};

/// All keys of the issuer, in the order they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    pub keys: Vec<Key>,
}

/// One key and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub public: PublicKey,
    pub state: KeyState,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, so that others know it before it signs.
    Added,
    /// Published, and the one that signs for its algorithm.
    Active,
    /// Published: what it signed still verifies.
    Superseded,
    /// Not published; what it signed is dead.
    Retired,
}

/// Why a command on the key set is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("there is no such key")]
    Unknown,
    #[error("a key with this kid exists already")]
    Exists,
    #[error("the key has been retired")]
    Retired,
    #[error("the new key is for another algorithm")]
    OtherAlgorithm,
    #[error("the only key that signs for its algorithm cannot be retired: rotate first")]
    LastActive,
}

aggregate!(KeySet, "key_set", KeySetCommand, KeySetEvent, KeySetError);

impl Decide for KeySet {
    fn decide(&self, command: KeySetCommand) -> Result<Vec<KeySetEvent>, KeySetError> {
        match command {
            KeySetCommand::Add { key, at } => {
                self.check_new(&key.kid)?;
                Ok(vec![KeySetEvent::Added { key, at }])
            }
            KeySetCommand::Rotate { key, at } => {
                self.check_new(&key.kid)?;
                let kid = key.kid.clone();
                Ok(vec![KeySetEvent::Added { key, at }, KeySetEvent::Activated { kid, at }])
            }
            KeySetCommand::Activate { kid, at } => match self.state_of(&kid)? {
                KeyState::Added | KeyState::Superseded => Ok(vec![KeySetEvent::Activated { kid, at }]),
                KeyState::Active => Ok(vec![]),
                KeyState::Retired => Err(KeySetError::Retired),
            },
            KeySetCommand::Replace { kid, key, at } => {
                if self.algorithm_of(&kid)? != key.alg {
                    return Err(KeySetError::OtherAlgorithm);
                }
                self.check_new(&key.kid)?;
                let (new, retired) = (key.kid.clone(), KeySetEvent::Retired { kid: kid.clone(), at });
                match self.state_of(&kid)? {
                    KeyState::Active => {
                        Ok(vec![KeySetEvent::Added { key, at }, KeySetEvent::Activated { kid: new, at }, retired])
                    }
                    KeyState::Added | KeyState::Superseded => Ok(vec![retired]),
                    KeyState::Retired => Ok(vec![]),
                }
            }
            KeySetCommand::Retire { kid, at } => match self.state_of(&kid)? {
                KeyState::Added | KeyState::Superseded => Ok(vec![KeySetEvent::Retired { kid, at }]),
                // Activating another key of the algorithm supersedes this one, so an active key is always the only one.
                KeyState::Active => Err(KeySetError::LastActive),
                KeyState::Retired => Ok(vec![]),
            },
            KeySetCommand::BeginEpoch { epoch, at } => Ok(vec![KeySetEvent::EpochBegun { epoch, at }]),
        }
    }
}

impl KeySet {
    /// Whether one of its keys signs by this algorithm.
    #[must_use]
    pub fn signs_by(&self, algorithm: SigningAlgorithm) -> bool {
        self.keys.iter().any(|key| key.state == KeyState::Active && key.public.alg == algorithm)
    }

    /// The key that signs with this algorithm.
    #[must_use]
    pub fn active(&self, alg: SigningAlgorithm) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.state == KeyState::Active && key.public.alg == alg).map(|key| &key.public)
    }

    /// The keys that everybody may verify with.
    pub fn published(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.state != KeyState::Retired)
    }

    fn check_new(&self, kid: &str) -> Result<(), KeySetError> {
        match self.state_of(kid) {
            Ok(_) => Err(KeySetError::Exists),
            Err(_) => Ok(()),
        }
    }

    /// The algorithm of a key, retired or not.
    ///
    /// # Errors
    /// That there is no such key.
    pub fn algorithm_of(&self, kid: &str) -> Result<SigningAlgorithm, KeySetError> {
        self.keys.iter().find(|key| key.public.kid == kid).map(|key| key.public.alg).ok_or(KeySetError::Unknown)
    }

    fn state_of(&self, kid: &str) -> Result<KeyState, KeySetError> {
        self.keys.iter().find(|key| key.public.kid == kid).map(|key| key.state).ok_or(KeySetError::Unknown)
    }

    fn apply_event(&mut self, event: KeySetEvent) {
        match event {
            KeySetEvent::Added { key, .. } => self.keys.push(Key { public: key, state: KeyState::Added }),
            KeySetEvent::Activated { kid, .. } => self.activate(&kid),
            KeySetEvent::Retired { kid, .. } => {
                for key in self.keys.iter_mut().filter(|key| key.public.kid == kid) {
                    key.state = KeyState::Retired;
                }
            }
            KeySetEvent::EpochBegun { .. } => {}
        }
    }

    fn activate(&mut self, kid: &str) {
        let alg = self.keys.iter().find(|key| key.public.kid == kid).map(|key| key.public.alg);
        for key in &mut self.keys {
            if key.public.kid == kid {
                key.state = KeyState::Active;
            } else if key.state == KeyState::Active && Some(key.public.alg) == alg {
                key.state = KeyState::Superseded;
            }
        }
    }
}
