//! What can have happened to a session.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ClientId, Sealed, Timestamp};

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
    /// A client was sent word of the end (OpenID Connect Back-Channel Logout 1.0), or it was given up.
    ClientNotified {
        notice: LogoutNotice,
        at: Timestamp,
    },
}

/// What came of telling a client that a sign-in has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutNotice {
    pub client_id: ClientId,
    pub outcome: NoticeOutcome,
    /// How often it was tried.
    pub tries: u32,
    /// The HTTP status of the last answer; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOutcome {
    /// The client answered that it has logged the user out.
    Acknowledged,
    /// It did not for so long that it is no longer tried.
    GivenUp,
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
            Self::ClientNotified { .. } => "session.client_notified",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
