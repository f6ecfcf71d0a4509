//! The issuer's signing keys: one signs for each algorithm, the others are published until they retire. Private parts are in the vault.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::KeySetCommand;
pub use event::{KeySetEvent, PublicKey};
use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;

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

aggregate!(KeySet, "key_set", KeySetCommand, KeySetEvent, KeySetError);

/// Why a command on the key set is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("there is no such key")]
    Unknown,
    #[error("a key with this kid exists already")]
    Exists,
    #[error("the key has been retired")]
    Retired,
    #[error("the only key that signs for its algorithm cannot be retired: rotate first")]
    LastActive,
}
