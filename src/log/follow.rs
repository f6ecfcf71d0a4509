//! Following the log: its events in batches, by position. A follower is woken when the head moves; a slow look is the net.

use std::time::Duration;

use tokio::sync::watch;

use super::{Log, StoredEvent, Unavailable};

/// How long a follower waits to be woken before it looks all the same.
const LOOK: Duration = Duration::from_secs(5);

/// Reads the log as it grows, from a position on. Each follower has its own; none holds another up.
#[derive(Debug)]
pub struct Follower {
    log: Log,
    position: i64,
    limit: u32,
    head: watch::Receiver<i64>,
}

impl Follower {
    pub(super) fn new(log: Log, position: i64, limit: u32) -> Self {
        let head = log.watch();
        Self { log, position, limit, head }
    }

    /// The next events, at least one, in order and without a gap: waits until there are some. After an error, or when the wait is
    /// given up, the next call goes on where this one began.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn next(&mut self) -> Result<Vec<StoredEvent>, Unavailable> {
        loop {
            let position = self.position;
            // Late or early, the wait is followed by a look: what the head is known to be only saves looking in vain.
            drop(tokio::time::timeout(LOOK, self.head.wait_for(|head| *head > position)).await);
            let events = self.log.read_as_written(position, self.limit).await?;
            if let Some(last) = events.last() {
                self.position = last.position;
                return Ok(events);
            }
        }
    }

    /// The position of the last event that was given.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }
}
