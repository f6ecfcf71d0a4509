//! One browser sign-in: whose, when, how (amr, acr), until when.

mod command;
mod context;
mod event;
#[cfg(test)]
mod tests;

pub use command::SessionCommand;
pub use context::ContextClass;
pub use event::{LogoutNotice, NoticeOutcome, SessionEnd, SessionEvent};
use serde::{Deserialize, Serialize};

use crate::{Decide, Digest, Timestamp, UserId, aggregate::aggregate};

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

impl SignIn {
    /// How surely it tells who they are; `None` for one of before that was told.
    #[must_use]
    pub fn context(&self) -> Option<ContextClass> {
        self.acr.as_deref().and_then(ContextClass::named)
    }
}

aggregate!(Session, "session", SessionCommand, SessionEvent, SessionError);

impl Decide for Session {
    fn decide(&self, command: SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match (self, command) {
            (Self::Absent, SessionCommand::Start { sign_in, browser, at }) => {
                Ok(vec![SessionEvent::Started { sign_in, browser, at }])
            }
            (Self::Started(_) | Self::Ended, SessionCommand::Start { .. }) => Err(SessionError::Exists),
            (
                Self::Absent,
                SessionCommand::Reauthenticate { .. } | SessionCommand::End { .. } | SessionCommand::RecordNotice { .. },
            ) => Err(SessionError::Unknown),
            (Self::Started(current), SessionCommand::Reauthenticate { sign_in, at }) => {
                if sign_in.user_id != current.user_id {
                    return Err(SessionError::OtherUser);
                }
                Ok(vec![SessionEvent::Reauthenticated { sign_in, at }])
            }
            (Self::Ended, SessionCommand::Reauthenticate { .. }) => Err(SessionError::Ended),
            (Self::Started(_), SessionCommand::End { reason, at }) => Ok(vec![SessionEvent::Ended { reason, at }]),
            (Self::Ended, SessionCommand::End { .. }) => Ok(vec![]),
            (Self::Started(_) | Self::Ended, SessionCommand::RecordNotice { notice, at }) => {
                Ok(vec![SessionEvent::ClientNotified { notice, at }])
            }
        }
    }
}

impl Session {
    fn apply_event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Started { sign_in, .. } | SessionEvent::Reauthenticated { sign_in, .. } => {
                *self = Self::Started(sign_in);
            }
            SessionEvent::Ended { .. } => *self = Self::Ended,
            // It changes nothing of the sign-in.
            SessionEvent::ClientNotified { .. } => {}
        }
    }
}
