//! The head of the log: how far this process knows it, and how others wait for it.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use tokio::sync::watch;

use super::{LOOK_UP, Log, Unavailable, read};

/// The highest position that this process knows to be committed.
pub(super) struct Head {
    known: AtomicI64,
    changed: watch::Sender<i64>,
}

impl Head {
    /// Begins at the head that a store was found with.
    pub(super) fn at(position: i64) -> Self {
        Self { known: AtomicI64::new(position), changed: watch::Sender::new(position) }
    }

    /// What is known.
    pub(super) fn known(&self) -> i64 {
        self.known.load(Ordering::Acquire)
    }

    /// Takes note of a committed position, and wakes followers.
    pub(super) fn note(&self, position: i64) {
        if self.known.fetch_max(position, Ordering::AcqRel) < position {
            self.changed.send_if_modified(|seen| {
                let newer = position > *seen;
                *seen = position.max(*seen);
                newer
            });
        }
    }
}

impl Log {
    /// The highest position that this process knows to be committed.
    #[must_use]
    pub fn known_head(&self) -> i64 {
        self.0.head.known()
    }

    /// The head's position, asked of the store.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer.
    pub async fn head(&self) -> Result<i64, Unavailable> {
        tokio::time::timeout(LOOK_UP, read::head(&self.0.db)).await.map_err(|_| Unavailable)?
    }

    /// Changes when the known head does.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.0.head.changed.subscribe()
    }

    /// Waits until a position is committed, as far as this process knows; `false` when it was not in time.
    pub async fn wait_for(&self, position: i64, deadline: Duration) -> bool {
        let mut changed = self.watch();
        let reached = changed.wait_for(|head| *head >= position);
        matches!(tokio::time::timeout(deadline, reached).await, Ok(Ok(_)))
    }
}
