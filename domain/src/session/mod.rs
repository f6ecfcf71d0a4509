//! One browser sign-in: whose, when, how (amr, acr), until when.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::SessionCommand;
pub use event::{SessionEnd, SessionEvent};
use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp, UserId, aggregate::aggregate};

/// What is known of a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Session {
    /// Not there yet.
    #[default]
    Absent,
    Started(SignIn),
    Ended,
}

/// A sign-in that has not been ended. It may have expired: compare `expires_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    pub user_id: UserId,
    /// The digest of the cookie's secret half.
    pub cookie: Digest,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub acr: Option<String>,
    pub expires_at: Timestamp,
}

aggregate!(Session, "session", SessionCommand, SessionEvent, SessionError);

/// Why a command on a session is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    #[error("there is no such session")]
    Unknown,
    #[error("the session exists already")]
    Exists,
    #[error("the session has ended")]
    Ended,
    #[error("the session is another user's")]
    OtherUser,
}
