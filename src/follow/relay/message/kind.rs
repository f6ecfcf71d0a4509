//! The kinds of messages: of which event each tells, in which version, and what it means to a subscriber.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What a message means to a subscriber: the second token of its subject, so that one filter is all revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A client was registered or changed.
    Registration,
    /// Somebody let a client do something.
    Approval,
    /// Tokens were given.
    Issuance,
    /// Something that was issued is dead.
    Revocation,
    /// Somebody signed in.
    Session,
    /// A user was made or changed.
    Account,
    /// A signing key came or took over.
    Key,
    Other,
}

impl Effect {
    /// All of them, in the order of [`Effect::place`].
    pub const ALL: [Self; 8] = [
        Self::Registration,
        Self::Approval,
        Self::Issuance,
        Self::Revocation,
        Self::Session,
        Self::Account,
        Self::Key,
        Self::Other,
    ];

    /// As it stands in a subject.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Approval => "approval",
            Self::Issuance => "issuance",
            Self::Revocation => "revocation",
            Self::Session => "session",
            Self::Account => "account",
            Self::Key => "key",
            Self::Other => "other",
        }
    }

    /// Its place in a list of one value an effect.
    #[must_use]
    pub const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub effect: Effect,
    /// `client`, `user`, `session`, `consent`, `grant`, `key_set`, `catalogue` or `audit`.
    pub aggregate: &'static str,
    /// What happened, for example `tokens_issued`.
    pub event: &'static str,
    /// Of the form of its data. A member may be added within a version; whatever else changes is the next version.
    pub version: u32,
    /// A sentence.
    pub about: &'static str,
}

impl Kind {
    /// The CloudEvents `type`, for example `grantlog.grant.tokens_issued.v1`.
    #[must_use]
    pub fn message_type(&self) -> String {
        format!("grantlog.{}.{}.v{}", self.aggregate, self.event, self.version)
    }

    /// The subject of a message about the aggregate with this id. `prefix` is a setting.
    #[must_use]
    pub fn subject(&self, prefix: &str, id: &str) -> String {
        format!("{prefix}.{}.{}.{}.{id}", self.effect, self.aggregate, self.event)
    }
}
