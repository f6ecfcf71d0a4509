//! The digest of a replay: SHA-256 over the grants' records in JSON, one a line, in the order of their ids. Two replays of one log have
//! the same, on whichever store it lies.

use aws_lc_rs::digest::{Context, SHA256};

use super::GrantRecord;
use crate::log::digest::hex;

/// A digest that grows with each record.
pub struct RecordsDigest {
    context: Context,
    records: u64,
}

impl Default for RecordsDigest {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), records: 0 }
    }
}

impl RecordsDigest {
    /// Takes the next record.
    pub fn add(&mut self, record: &GrantRecord) {
        self.context.update(&serde_json::to_vec(record).expect("a record has a JSON form"));
        self.context.update(b"\n");
        self.records += 1;
    }

    /// How many records it has taken.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// In hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex(self.context.finish().as_ref())
    }
}
