//! Holding the head lock while a command is decided: for one that changes so many streams that, beside a busy log, it would lose race after
//! race. Nobody appends meanwhile, on any node, so that it is decided and written once.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{
    APPEND, Append, AppendError, Appended, Log, Unavailable,
    write::{Job, Waiting},
};

/// The longest that the lock is held for an append to come: the store's own bound (`idle_in_transaction_session_timeout`) is longer.
pub(super) const LONGEST: Duration = Duration::from_secs(4);

/// Whoever wants the lock; the answer is where their append goes.
pub(super) type Asked = oneshot::Sender<oneshot::Sender<Waiting>>;

/// The head lock. Dropped, it is given back and nothing was written.
pub struct Hold {
    log: Log,
    writer: oneshot::Sender<Waiting>,
}

impl Log {
    /// Takes the head lock for a few seconds at most. What is loaded from now on is as the append will find it.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or others have the lock for too long.
    pub async fn hold(&self) -> Result<Hold, Unavailable> {
        let (asked, held) = oneshot::channel();
        self.0.queue.send(Job::Hold(asked)).map_err(|_| Unavailable)?;
        let writer = tokio::time::timeout(APPEND, held).await.map_err(|_| Unavailable)?.map_err(|_| Unavailable)?;
        Ok(Hold { log: self.clone(), writer })
    }
}

impl Hold {
    /// Writes the append, and gives the lock back.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn append(self, append: Append) -> Result<Appended, AppendError> {
        let Self { log, writer } = self;
        log.send(append, |waiting| writer.send(waiting).is_ok()).await
    }
}
