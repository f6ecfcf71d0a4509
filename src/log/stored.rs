//! What the log holds, as it is read: an event, and a stream's head.

use std::{str::FromStr, sync::Arc};

use domain::{
    Event, StreamId, Timestamp,
    upcast::{self, DecodeError},
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

/// In a second.
const MICROSECONDS: i64 = 1_000_000;

/// A stream's version and state, as they are stored.
#[derive(Clone, Debug)]
pub struct StoredHead {
    pub version: i64,
    /// The aggregate's JSON.
    pub state: Arc<str>,
    pub state_version: i32,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, Deserialize)]
pub struct StoredEvent {
    pub position: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// JSON, as it was written.
    pub payload: String,
    /// A flat JSON object of strings.
    pub metadata: String,
    pub command_id: String,
    /// Microseconds since the Unix epoch.
    pub recorded_at: i64,
}

/// Of what stands beside an event, who made its command.
#[derive(Deserialize)]
struct Metadata {
    actor: String,
}

impl StoredEvent {
    /// The event in today's form.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn event(&self) -> Result<Event, DecodeError> {
        upcast::decode(&self.aggregate_type, &self.event_type, &self.event_version, &self.payload)
    }

    /// When it was recorded, by the store's clock.
    #[must_use]
    pub const fn recorded(&self) -> Timestamp {
        Timestamp::from_unix(self.recorded_at.div_euclid(MICROSECONDS))
    }

    /// Whether it was recorded before a moment, or at it.
    #[must_use]
    pub const fn is_recorded_by(&self, moment: Timestamp) -> bool {
        self.recorded_at <= moment.unix().saturating_mul(MICROSECONDS)
    }

    /// Who made its command: `system`, `operator`, or `user:`, `client:`, `administrator:` and an id. Nobody where its metadata cannot be read.
    #[must_use]
    pub fn actor(&self) -> String {
        serde_json::from_str::<Metadata>(&self.metadata).map(|metadata| metadata.actor).unwrap_or_default()
    }

    /// The stream of this event, which `event` is in today's form.
    ///
    /// # Errors
    /// That the stream's id is no UUID.
    pub fn stream(&self, event: &Event) -> Result<StreamId, uuid::Error> {
        Ok(StreamId { aggregate_type: event.aggregate_type(), aggregate_id: Uuid::from_str(&self.aggregate_id)? })
    }
}
