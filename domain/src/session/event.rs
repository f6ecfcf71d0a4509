//! What can have happened to a session.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{Sealed, Timestamp};

use super::SignIn;

/// A fact about a browser sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionEvent {
    Started {
        sign_in: SignIn,
        browser: Option<Sealed>,
        at: Timestamp,
    },
    Reauthenticated {
        sign_in: SignIn,
        at: Timestamp,
    },
    /// A cutoff for all that was granted in it without offline access.
    Ended {
        reason: SessionEnd,
        at: Timestamp,
    },
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    SignedOut,
    /// Another account signed in in the same browser.
    Replaced,
    EndedByOperator,
}

impl DomainEvent for SessionEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Started { .. } => "session.started",
            Self::Reauthenticated { .. } => "session.reauthenticated",
            Self::Ended { .. } => "session.ended",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
