//! What can have happened to an invitation.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ClientId, Digest, Timestamp};

/// A fact about an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InvitationEvent {
    /// It was made, for so many registrations until then.
    Made { digest: Digest, uses: u32, expires_at: Timestamp, at: Timestamp },
    /// A client registered itself with it; so many more can.
    Used { client_id: ClientId, uses_left: u32, at: Timestamp },
    /// It is good for nothing more.
    Withdrawn { at: Timestamp },
}

impl DomainEvent for InvitationEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Made { .. } => "invitation.made",
            Self::Used { .. } => "invitation.used",
            Self::Withdrawn { .. } => "invitation.withdrawn",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
