//! What stands in a backup: JSON lines, one record each. Every event is there as it is stored, byte for byte.

use serde::{Deserialize, Serialize};

use crate::log::StoredEvent;

/// The form of the records. A backup of a later form is refused.
pub(super) const FORMAT: u32 = 1;

/// One line. The header comes first, then epochs, vault, claims, events by position, their digest, and the end. The vault may be left out, or
/// stand alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Header(Header),
    Epoch(EpochRow),
    Vault(VaultRow),
    Claim(ClaimRow),
    Event(StoredEvent),
    Digest(String),
    End(Counts),
}

/// What was backed up, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: u32,
    /// The store's last migration.
    pub migration: i64,
    /// The epoch of the log.
    pub epoch: String,
    /// The head of the log: the last event in the backup.
    pub position: i64,
    /// When that event was recorded, in microseconds since the Unix epoch.
    pub recorded_at: i64,
}

/// An epoch that the log has had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct EpochRow {
    pub(super) epoch: String,
    pub(super) from_position: i64,
}

/// A sealed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct VaultRow {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) sealed: String,
}

/// A name that is taken, and by which stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct ClaimRow {
    pub(super) name: String,
    pub(super) stream: String,
}

/// How many records of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub events: u64,
    pub vault: u64,
    pub claims: u64,
    pub epochs: u64,
}

impl Counts {
    pub(super) const fn count(&mut self, record: &Record) {
        match record {
            Record::Epoch(_) => self.epochs += 1,
            Record::Vault(_) => self.vault += 1,
            Record::Claim(_) => self.claims += 1,
            Record::Event(_) => self.events += 1,
            Record::Header(_) | Record::Digest(_) | Record::End(_) => {}
        }
    }
}
