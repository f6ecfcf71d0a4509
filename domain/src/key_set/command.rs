//! What can be asked of the key set.

use crate::Timestamp;

use super::PublicKey;

/// A request to change the issuer's signing keys.
#[derive(Clone, Debug)]
pub enum KeySetCommand {
    /// Publish a key. Its private part goes to the vault in the same append.
    Add { key: PublicKey, at: Timestamp },
    /// Let it sign; the one that signed for its algorithm is superseded.
    Activate { kid: String, at: Timestamp },
    /// Publish and activate in one.
    Rotate { key: PublicKey, at: Timestamp },
    /// Withdraw a key that may sign at present, and let a new one of its algorithm sign in its place, in one.
    Replace { kid: String, key: PublicKey, at: Timestamp },
    /// Withdraw it: what it signed is dead.
    Retire { kid: String, at: Timestamp },
    /// Record that the log goes on from a backup, under a new epoch: all that was issued before is dead. Allowed before the first key.
    BeginEpoch { epoch: String, at: Timestamp },
}
