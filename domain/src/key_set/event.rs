//! What can have happened to the key set.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Timestamp, client::SigningAlgorithm};

/// A fact about the issuer's signing keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KeySetEvent {
    Added {
        key: PublicKey,
        at: Timestamp,
    },
    /// The one that signed for its algorithm before is superseded.
    Activated {
        kid: String,
        at: Timestamp,
    },
    /// A cutoff for all that it signed.
    Retired {
        kid: String,
        at: Timestamp,
    },
    /// The log was restored from a backup: a cutoff for all that the issuer issued before.
    EpochBegun {
        epoch: String,
        at: Timestamp,
    },
}

/// A key as everybody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    pub alg: SigningAlgorithm,
    /// The public JWK (RFC 7517) without kid, alg and use.
    pub jwk: Value,
}

impl DomainEvent for KeySetEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Added { .. } => "key_set.key_added",
            Self::Activated { .. } => "key_set.key_activated",
            Self::Retired { .. } => "key_set.key_retired",
            Self::EpochBegun { .. } => "key_set.epoch_begun",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
