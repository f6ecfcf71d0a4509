//! Work of which one node at a time has the turn. PostgreSQL keeps a lock for it, which goes with the connection of a node that dies.

use projections::Db;
use sqlx::{Postgres, Transaction};

use super::{Log, Unavailable};

/// What one node at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnOf {
    /// Taking away what has ended.
    Sweep,
    /// Growing the tree over the log.
    Seal,
}

impl TurnOf {
    /// The number of its lock, which means nothing else.
    const fn lock(self) -> i64 {
        match self {
            Self::Sweep => 7_236_180_442_511,
            Self::Seal => 7_236_180_442_512,
        }
    }
}

/// The right to do a work, until it is given back, or a while after it was dropped.
#[derive(Debug)]
pub struct Turn {
    /// What holds PostgreSQL's lock.
    lock: Option<Transaction<'static, Postgres>>,
}

impl Turn {
    /// Lets another node have it.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn give_back(self) -> Result<(), Unavailable> {
        match self.lock {
            Some(lock) => Ok(lock.rollback().await?),
            None => Ok(()),
        }
    }
}

impl Log {
    /// Takes the turn; `None` while another node has it. A file has one server: there it is always free.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn turn(&self, of: TurnOf) -> Result<Option<Turn>, Unavailable> {
        let Db::Postgres(pool) = self.db() else {
            return Ok(Some(Turn { lock: None }));
        };
        let mut lock = pool.begin().await?;
        let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(of.lock()).fetch_one(&mut *lock).await?;
        Ok(ours.then_some(Turn { lock: Some(lock) }))
    }
}
