//! One revocation, and whom it concerns.

use serde::Serialize;

use crate::follow::relay::message::{Ended, Reason};

/// Something that was issued is dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub position: i64,
    pub what: Ended,
    pub reason: Reason,
    /// By whom: `system`, `operator`, or `user:`, `client:`, `administrator:` and an id.
    pub actor: String,
    /// In seconds since the Unix epoch, as what follows.
    pub at: i64,
    /// From then on every access token that it kills has expired by itself.
    pub forget_after: i64,
    #[serde(skip)]
    pub concerns: Concerns,
}

/// Who may learn of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// It can kill tokens for anybody.
    Everybody,
    /// The client that the tokens were issued to (the id of its stream), and those who answer for their audiences.
    Tokens { client_id: String, audience: Vec<String> },
    /// Nobody: what it kills has expired.
    Nobody,
}
