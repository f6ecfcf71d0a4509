//! An invitation to register clients: the initial access token of RFC 7591 section 1.2. It is good for so many registrations, and so long.

mod command;
mod event;
#[cfg(test)]
mod tests;

pub use command::InvitationCommand;
pub use event::InvitationEvent;
use serde::{Deserialize, Serialize};

use crate::{Decide, Digest, Timestamp, aggregate::aggregate};

/// What is known of an invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Invitation {
    /// Not there yet.
    #[default]
    Absent,
    Open {
        digest: Digest,
        uses_left: u32,
        expires_at: Timestamp,
    },
    UsedUp,
    Withdrawn,
}

/// Why a command on an invitation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error("there is no such invitation")]
    Unknown,
    #[error("the invitation exists already")]
    Exists,
    #[error("an invitation is good for one registration at least")]
    NoUses,
    #[error("the invitation has expired")]
    Expired,
    #[error("the invitation is used up")]
    UsedUp,
    #[error("the invitation was withdrawn")]
    Withdrawn,
}

aggregate!(Invitation, "invitation", InvitationCommand, InvitationEvent, InvitationError);

impl Decide for Invitation {
    fn decide(&self, command: InvitationCommand) -> Result<Vec<InvitationEvent>, InvitationError> {
        match (self, command) {
            (Self::Absent, InvitationCommand::Make { uses: 0, .. }) => Err(InvitationError::NoUses),
            (Self::Absent, InvitationCommand::Make { digest, uses, expires_at, at }) => {
                Ok(vec![InvitationEvent::Made { digest, uses, expires_at, at }])
            }
            (Self::Open { .. } | Self::UsedUp | Self::Withdrawn, InvitationCommand::Make { .. }) => Err(InvitationError::Exists),
            (Self::Absent, InvitationCommand::Use { .. } | InvitationCommand::Withdraw { .. }) => Err(InvitationError::Unknown),
            (Self::Open { digest, .. }, InvitationCommand::Use { presented, .. }) if *digest != presented => {
                Err(InvitationError::Unknown)
            }
            (Self::Open { expires_at, .. }, InvitationCommand::Use { at, .. }) if *expires_at <= at => {
                Err(InvitationError::Expired)
            }
            (Self::Open { uses_left, .. }, InvitationCommand::Use { client_id, at, .. }) => {
                Ok(vec![InvitationEvent::Used { client_id, uses_left: uses_left.saturating_sub(1), at }])
            }
            (Self::UsedUp, InvitationCommand::Use { .. }) => Err(InvitationError::UsedUp),
            (Self::Withdrawn, InvitationCommand::Use { .. }) => Err(InvitationError::Withdrawn),
            (Self::Open { .. }, InvitationCommand::Withdraw { at }) => Ok(vec![InvitationEvent::Withdrawn { at }]),
            (Self::UsedUp | Self::Withdrawn, InvitationCommand::Withdraw { .. }) => Ok(vec![]),
        }
    }
}

impl Invitation {
    fn apply_event(&mut self, event: InvitationEvent) {
        match event {
            InvitationEvent::Made { digest, uses, expires_at, .. } => *self = Self::Open { digest, uses_left: uses, expires_at },
            InvitationEvent::Used { uses_left: 0, .. } => *self = Self::UsedUp,
            InvitationEvent::Used { uses_left: left, .. } => {
                if let Self::Open { uses_left, .. } = self {
                    *uses_left = left;
                }
            }
            InvitationEvent::Withdrawn { .. } => *self = Self::Withdrawn,
        }
    }
}
