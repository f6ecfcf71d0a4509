//! The messages promised to others: CloudEvents 1.0 in JSON, one at each position of the log. What they say is chosen here for each event,
//! in types of their own; the stored form can change without them.

mod chain;
pub mod data;
mod kind;
mod map;
mod names;
mod revocation;
mod schema;
#[cfg(test)]
mod tests;

pub use chain::{CHAIN_HEADER, Chain};
pub use data::{Data, revocation_types};
use domain::{ClientId, ConsentId, Event, StreamId, upcast::DecodeError};
pub use kind::{Effect, Kind};
use map::{Told, token_ends_at};
pub use names::{ConsentOf, Names, Wanted, wanted};
pub use revocation::{Ended, Reason, Revocation};
pub use schema::{MessageSchema, OMITTED, UNREAD, schemas};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::log::{Epochs, StoredEvent};

/// The media type of a message (CloudEvents 1.0, JSON event format).
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Why an event has no message. It is a defect, or a later grantlog wrote the event.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("its stream's id {0} is no UUID")]
    Id(String),
    #[error("its metadata cannot be read: {0}")]
    Metadata(serde_json::Error),
    #[error("it was recorded at {0} microseconds, which is no moment")]
    Moment(i64),
    #[error("it is about the client {0}, which the read model does not know")]
    UnknownClient(ClientId),
    #[error("it is about the consent {0}, which the read model does not know")]
    UnknownConsent(ConsentId),
}

/// An event out of the log, read.
#[derive(Clone, Debug)]
pub struct ReadEvent {
    pub stored: StoredEvent,
    pub event: Event,
    pub stream: StreamId,
}

impl ReadEvent {
    /// Reads a stored event.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn new(stored: StoredEvent) -> Result<Self, MessageError> {
        let (event, stream) = Self::decode(&stored)?;
        Ok(Self { stored, event, stream })
    }

    /// What a stored event says, and of which stream.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn decode(stored: &StoredEvent) -> Result<(Event, StreamId), MessageError> {
        let event = stored.event()?;
        let stream = stored.stream(&event).map_err(|_| MessageError::Id(stored.aggregate_id.clone()))?;
        Ok((event, stream))
    }
}

/// Whose log it is.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The issuer's identifier.
    pub issuer: String,
    pub epochs: Epochs,
    /// What every subject begins with.
    pub prefix: String,
}

/// A message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub position: i64,
    pub kind: Kind,
    pub subject: String,
    /// JSON.
    pub body: Vec<u8>,
    /// What the next message says of those before it.
    pub chain: Chain,
}

/// A CloudEvents 1.0 event, with attributes of our own (`position` and those after it).
#[derive(Debug, Serialize, JsonSchema)]
struct Envelope<'a, D> {
    specversion: &'static str,
    /// What happened, and the version of the form of `data`.
    r#type: String,
    /// The issuer.
    source: &'a str,
    /// The stream of the log, for example `grant-019ab3c0-5f2e-7d10-8c5a-0123456789ab`.
    subject: String,
    /// The epoch and the position: unique for ever.
    id: String,
    /// When it was recorded (RFC 3339).
    time: String,
    datacontenttype: &'static str,
    /// The place in the log, a whole number: without a gap, in the order of what happened.
    position: String,
    /// The epoch of the log in which it was recorded: a restored log begins another.
    epoch: String,
    /// Between this position and the message's own there is no other message of the same effect.
    prev: String,
    /// By whom: `system`, `operator`, or `user:`, `client:`, `administrator:` and an id; `unknown` of an event that cannot be read.
    actor: &'a str,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// In issuances: when the last access token ends of all that were issued so far (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    tokensend: Option<String>,
    data: D,
}

#[derive(Deserialize)]
struct Metadata {
    actor: String,
    traceparent: Option<String>,
}

impl Metadata {
    fn of(stored: &StoredEvent) -> Result<Self, MessageError> {
        serde_json::from_str(&stored.metadata).map_err(MessageError::Metadata)
    }
}

/// What a relay reads again in the broker's last message: whether it is of its log.
#[derive(Debug, Deserialize)]
pub struct Sent {
    pub position: String,
    pub epoch: String,
}

/// What an event ended, and by whom; `None` for one that ends nothing. `tokens_end_at` is when the last access token ends of all that were
/// issued before it, in seconds since the Unix epoch.
///
/// # Errors
/// That it cannot be told.
pub fn revocation(read: &ReadEvent, names: &Names, tokens_end_at: i64) -> Result<Option<(Revocation, String)>, MessageError> {
    let ReadEvent { stored, event, stream } = read;
    let mut chain = Chain::default();
    chain.note_token(tokens_end_at);
    let data = Told { event, stream, position: stored.position, names, chain: &chain }.data()?;
    let Some(revocation) = data.revocation() else { return Ok(None) };
    Ok(Some((revocation, Metadata::of(stored)?.actor)))
}

impl Origin {
    /// The message of an event. The chain is what the messages before say, and takes note of this one.
    ///
    /// # Errors
    /// That there is none.
    pub fn message(&self, read: &ReadEvent, names: &Names, chain: &mut Chain) -> Result<Message, MessageError> {
        let ReadEvent { stored, event, stream } = read;
        if let Some(ends_at) = token_ends_at(event) {
            chain.note_token(ends_at);
        }
        let data = Told { event, stream, position: stored.position, names, chain }.data()?;
        let kind = data.kind();
        let body = self.envelope((stored, &Metadata::of(stored)?), &kind, chain, data)?;
        chain.note(kind.effect, stored.position);
        let subject = kind.subject(&self.prefix, &stored.aggregate_id);
        Ok(Message { position: stored.position, kind, subject, body, chain: *chain })
    }

    /// What stands in the place of the event's message where that is too large. `before` is the chain as it was before that message.
    ///
    /// # Errors
    /// As `message`.
    pub fn omitted(&self, read: &ReadEvent, large: &Message, before: &Chain) -> Result<Message, MessageError> {
        let mut chain = *before;
        if let Some(ends_at) = token_ends_at(&read.event) {
            chain.note_token(ends_at);
        }
        let data = data::Omitted { omitted_type: large.kind.message_type(), bytes: large.body.len() as u64 };
        let stored = (&read.stored, &Metadata::of(&read.stored)?);
        let body = self.envelope(stored, &Kind { effect: large.kind.effect, ..OMITTED }, &chain, data)?;
        Ok(Message { body, ..large.clone() })
    }

    /// What stands in the place of an event that cannot be read, where an operator let it be passed over. Of what stands beside the event it
    /// says what can be read.
    ///
    /// # Errors
    /// That it was recorded at no moment.
    pub fn unread(&self, stored: &StoredEvent, chain: &mut Chain) -> Result<Message, MessageError> {
        let id = Uuid::from_str(&stored.aggregate_id).unwrap_or_default();
        let metadata = Metadata::of(stored).unwrap_or_else(|_| Metadata { actor: "unknown".to_owned(), traceparent: None });
        let data = data::Unread { stored_type: stored.event_type.clone(), stored_version: stored.event_version.clone() };
        let body = self.envelope((stored, &metadata), &UNREAD, chain, data)?;
        chain.note(UNREAD.effect, stored.position);
        let subject = UNREAD.subject(&self.prefix, &id.to_string());
        Ok(Message { position: stored.position, kind: UNREAD, subject, body, chain: *chain })
    }

    fn envelope(
        &self,
        (stored, metadata): (&StoredEvent, &Metadata),
        kind: &Kind,
        chain: &Chain,
        data: impl Serialize,
    ) -> Result<Vec<u8>, MessageError> {
        let StoredEvent { position, recorded_at, aggregate_type, aggregate_id, .. } = stored;
        let epoch = self.epochs.at(*position).to_string();
        let issues = matches!(kind.effect, Effect::Issuance);
        let envelope = Envelope {
            specversion: "1.0",
            r#type: kind.message_type(),
            source: &self.issuer,
            subject: format!("{aggregate_type}-{aggregate_id}"),
            id: format!("{epoch}/{position}"),
            time: moment(i128::from(*recorded_at) * 1_000).ok_or(MessageError::Moment(*recorded_at))?,
            datacontenttype: "application/json",
            position: position.to_string(),
            epoch,
            prev: chain.last(kind.effect).to_string(),
            actor: &metadata.actor,
            traceparent: metadata.traceparent.as_deref(),
            tokensend: issues.then(|| moment(i128::from(chain.tokens_end_at()) * 1_000_000_000)).flatten(),
            data,
        };
        Ok(serde_json::to_vec(&envelope).expect("a message has a JSON form"))
    }
}

/// Nanoseconds since the Unix epoch in RFC 3339.
fn moment(nanoseconds: i128) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(&Rfc3339).ok()
}
