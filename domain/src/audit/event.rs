//! What can have happened to the audit.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ClientId, GrantId, Timestamp, UserId};

/// A fact about who asked the log, and what of it others are not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AuditEvent {
    /// Somebody was told what the log says; who, is the actor.
    Read {
        #[serde(flatten)]
        read: Read,
        at: Timestamp,
    },
    /// An operator let the relay pass over the event at a position, which it cannot read: subscribers are told no more than that it is there.
    /// The operator answers for it that the event ended nothing.
    PassedOver { position: i64, reason: String, at: Timestamp },
}

/// What was asked, and about whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub question: Question,
    /// The grant that was asked about, also by one of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<GrantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// All grants, or those of a client or user.
    Grants,
    /// The story of one grant.
    Grant,
    /// Where a token came from and what came of it.
    Token,
    /// The history of a client.
    Client,
    /// The history of a user.
    User,
    /// Who could do something at a moment.
    Who,
    /// What became of grants between two moments.
    Changes,
    /// What a revocation would end.
    Revocation,
    /// That an event is in the log.
    Proof,
    /// Whether a signed token was issued.
    TokenCheck,
}

impl Read {
    /// A question that names nobody.
    #[must_use]
    pub const fn of(question: Question) -> Self {
        Self { question, grant_id: None, client_id: None, user_id: None }
    }
}

impl DomainEvent for AuditEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Read { .. } => "audit.read",
            Self::PassedOver { .. } => "audit.passed_over",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
