//! What one command writes, and what comes of it.

use std::fmt;

use domain::{ClientId, CommandId, Event, StreamId, Timestamp, UserId, grant::Terms};

/// One command's writes: all of it or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    pub command_id: CommandId,
    pub metadata: Metadata,
    pub streams: Vec<StreamAppend>,
    pub guards: Vec<Guard>,
    pub claims: Vec<ClaimChange>,
    pub vault: Vec<VaultChange>,
    pub ephemeral: Vec<EphemeralChange>,
}

/// Events of one stream, and its state after them.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    pub stream: StreamId,
    /// How many events the stream holds; 0 for a new one.
    pub expected: i64,
    pub events: Vec<NewEvent>,
    /// The aggregate's JSON after the events.
    pub state: String,
    pub state_version: i32,
    /// For a grant: what its family shares.
    pub terms: Option<Terms>,
}

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub event: Event,
    pub event_type: String,
    pub event_version: String,
    /// Its JSON, stored as it is.
    pub payload: String,
}

/// A fact that the decision stands on: the stream still holds so many events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub stream: StreamId,
    pub version: i64,
}

/// A name that must be unique.
#[derive(Clone, Debug)]
pub enum ClaimChange {
    Take { name: String, stream: StreamId },
    Release { name: String },
}

/// A change to the vault.
#[derive(Clone, Debug)]
pub enum VaultChange {
    Put { kind: &'static str, id: String, sealed: String },
    Delete { kind: &'static str, id: String },
}

/// A change to what must expire.
#[derive(Clone, Debug)]
pub enum EphemeralChange {
    Put {
        kind: &'static str,
        key: String,
        value: String,
        expires_at: Timestamp,
    },
    /// Fails the append where it is there already.
    Claim {
        kind: &'static str,
        key: String,
        expires_at: Timestamp,
    },
    Delete {
        kind: &'static str,
        key: String,
    },
}

/// What every event of the command says of it.
#[derive(Clone, Debug)]
pub struct Metadata {
    pub actor: Actor,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Who made the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// grantlog itself.
    System,
    /// Somebody at the command line.
    Operator,
    User(UserId),
    Client(ClientId),
    Administrator(UserId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator => f.write_str("operator"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Administrator(id) => write!(f, "administrator:{id}"),
        }
    }
}

impl Metadata {
    /// A flat JSON object of strings: cqrs-es reads no other.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = serde_json::Map::new();
        members.insert("actor".to_owned(), self.actor.to_string().into());
        if let Some(traceparent) = &self.traceparent {
            members.insert("traceparent".to_owned(), traceparent.clone().into());
        }
        serde_json::Value::Object(members).to_string()
    }
}

/// An append that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Of its last event.
    pub position: i64,
}

/// An append that was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the stream {0} has changed")]
    Conflict(StreamId),
    #[error("the stream {0}, on which the decision stood, has changed")]
    GuardFailed(StreamId),
    #[error("the name {0} is taken")]
    ClaimTaken(String),
    #[error("{kind} {key} was used already")]
    EphemeralTaken { kind: &'static str, key: String },
    /// The store refused the command's data.
    #[error("the store refused the data: {0}")]
    Rejected(String),
    #[error("the store does not answer")]
    Unavailable,
}
