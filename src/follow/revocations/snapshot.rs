//! All revocations that still matter, at once: for whoever begins, or was away for long.

use std::{collections::HashSet, sync::Arc};

use domain::Timestamp;
use projections::{cutoff, token};

use super::{Entry, PAGE, source::Source};
use crate::log::Unavailable;

/// Positions read at a time.
const READ: usize = 1_000;
/// A snapshot that is further behind is made anew: the log is long, what is still alive may be little.
const NEAR: i64 = 1_000_000;

/// The compact set.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// No revocation up to here that still matters is missing.
    pub position: i64,
    /// In the order of their positions.
    pub entries: Vec<Arc<Entry>>,
    pub made: Timestamp,
}

impl Snapshot {
    /// Whether it is worth renewing at a position.
    pub(super) const fn is_near(&self, position: i64) -> bool {
        position - self.position <= NEAR
    }
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
        Ok(Snapshot { position, entries, made: now })
    }

    /// Makes the snapshot of now out of an earlier one and what came since, without what does not matter any more. All of the log up to
    /// `position` has been read.
    pub(super) async fn renew(&self, earlier: &Snapshot, position: i64) -> Result<Snapshot, Unavailable> {
        let (now, mut entries, mut reached) = (self.now(), earlier.entries.clone(), earlier.position);
        while reached < position {
            let read = self.read(reached, position, PAGE).await?;
            entries.extend(read.entries);
            reached = read.position;
        }
        // What came while the earlier one was made is in both.
        entries.sort_by_key(|entry| entry.position);
        entries.dedup_by_key(|entry| entry.position);
        entries.retain(|entry| entry.forget_after > now.unix());
        Ok(Snapshot { position, entries, made: now })
    }
}
