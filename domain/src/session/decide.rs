//! The rules of a session, and what each event makes of one.

use crate::Decide;

use super::{Session, SessionCommand, SessionError, SessionEvent};

impl Decide for Session {
    fn decide(&self, command: SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match (self, command) {
            (Self::Absent, SessionCommand::Start { sign_in, browser, at }) => {
                Ok(vec![SessionEvent::Started { sign_in, browser, at }])
            }
            (Self::Started(_) | Self::Ended, SessionCommand::Start { .. }) => Err(SessionError::Exists),
            (Self::Absent, SessionCommand::Reauthenticate { .. } | SessionCommand::End { .. }) => Err(SessionError::Unknown),
            (Self::Started(now), SessionCommand::Reauthenticate { sign_in, .. }) if now.user_id != sign_in.user_id => {
                Err(SessionError::OtherUser)
            }
            (Self::Started(_), SessionCommand::Reauthenticate { sign_in, at }) => {
                Ok(vec![SessionEvent::Reauthenticated { sign_in, at }])
            }
            (Self::Ended, SessionCommand::Reauthenticate { .. }) => Err(SessionError::Ended),
            (Self::Started(_), SessionCommand::End { reason, at }) => Ok(vec![SessionEvent::Ended { reason, at }]),
            (Self::Ended, SessionCommand::End { .. }) => Ok(vec![]),
        }
    }
}

impl Session {
    pub(super) fn apply_event(&mut self, event: SessionEvent) {
        *self = match event {
            SessionEvent::Started { sign_in, .. } | SessionEvent::Reauthenticated { sign_in, .. } => Self::Started(sign_in),
            SessionEvent::Ended { .. } => Self::Ended,
        };
    }
}
