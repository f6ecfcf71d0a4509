//! All revocations that still matter, at once: for whoever begins, or was away for long.

use std::{collections::HashSet, sync::Arc};

use projections::{cutoff, token};

use super::{Entry, source::Source};
use crate::log::Unavailable;

/// Positions read at a time.
const READ: usize = 1_000;

/// The compact set.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// No revocation up to here that still matters is missing.
    pub position: i64,
    /// In the order of their positions.
    pub entries: Vec<Arc<Entry>>,
}

impl Source {
    /// Makes the snapshot of now: what the live read models hold, told as the events that did it. All of the log up to `position` has
    /// been read.
    pub(super) async fn snapshot(&self, position: i64) -> Result<Snapshot, Unavailable> {
        let (db, now) = (self.log().db(), self.now());
        let mut positions: HashSet<i64> = token::revoked(db, now).await?.into_iter().collect();
        if let Some(lowest) = token::lowest_pos(db, now).await? {
            positions.extend(cutoff::above(db, lowest, now).await?);
        }
        let mut positions: Vec<_> = positions.into_iter().collect();
        positions.sort_unstable();
        let mut entries = Vec::with_capacity(positions.len());
        for positions in positions.chunks(READ) {
            let events = self.log().read_at(positions).await?;
            entries.extend(self.entries(events).await?.into_iter().filter(|entry| entry.forget_after > now.unix()));
        }
        Ok(Snapshot { position, entries })
    }
}
