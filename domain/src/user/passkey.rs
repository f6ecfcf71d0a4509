//! A passkey (Web Authentication Level 3): a key pair whose private part never leaves what the user holds. What would tell it from others,
//! its credential id and public key, is sealed under the user's own key; how often it has signed stands in clear, for the rules to judge.

use serde::{Deserialize, Serialize};

use crate::{PasskeyId, Sealed, Timestamp};

use super::UserEvent;

/// A passkey that a user enrols.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPasskey {
    pub passkey_id: PasskeyId,
    /// Its credential id and public key.
    pub credential: Sealed,
    /// What its user calls it.
    pub name: Sealed,
    /// How often it says to have signed; always zero where it does not count.
    pub sign_count: u32,
    /// Whether there is a copy of it in its maker's care (`BS`), so that it outlives the device.
    pub backed_up: bool,
}

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    pub id: PasskeyId,
    pub credential: Sealed,
    pub name: Sealed,
    /// The most that it has said.
    pub sign_count: u32,
    pub backed_up: bool,
    pub enrolled_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// When its counter last was not above what it had said before: there may be a copy of it in a stranger's hands.
    pub went_back_at: Option<Timestamp>,
}

impl Passkey {
    pub(super) fn new(passkey: NewPasskey, at: Timestamp) -> Self {
        let NewPasskey { passkey_id, credential, name, sign_count, backed_up } = passkey;
        Self { id: passkey_id, credential, name, sign_count, backed_up, enrolled_at: at, last_used_at: None, went_back_at: None }
    }

    /// A passkey that counts must have counted on (Web Authentication section 6.1.1); one that never counted need not.
    pub(super) const fn used(&self, sign_count: u32, backed_up: bool, at: Timestamp) -> UserEvent {
        let passkey_id = self.id;
        let counts = sign_count > 0 || self.sign_count > 0;
        match counts && sign_count <= self.sign_count {
            true => UserEvent::PasskeyCounterWentBack { passkey_id, sign_count, at },
            false => UserEvent::PasskeyUsed { passkey_id, sign_count, backed_up, at },
        }
    }
}
