//! Stored events, as today's rules read them: older forms are brought to the newest by upcasters, never rewritten.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::Value;

use crate::{Decide, Event};

/// A stored event that no rule of today reads.
#[derive(Debug, thiserror::Error)]
#[error("a stored event {event_type} version {event_version} cannot be read: {cause}")]
pub struct Unreadable {
    event_type: String,
    event_version: String,
    cause: String,
}

/// The upcasters in the order in which they apply. Every event ever stored is of version 1, so there is none yet: a new shape of an
/// event gets the next version and an upcaster here, and its old form stays under `tests/stored_events/`.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}

/// Reads a stored event.
///
/// # Errors
/// `Unreadable` when type, version or form are unknown.
pub fn decode(aggregate_type: &str, event_type: &str, event_version: &str, payload: &str) -> Result<Event, Unreadable> {
    let unreadable =
        |cause: String| Unreadable { event_type: event_type.to_owned(), event_version: event_version.to_owned(), cause };
    let payload: Value = serde_json::from_str(payload).map_err(|error| unreadable(error.to_string()))?;
    let mut stored = SerializedEvent {
        aggregate_id: String::new(),
        sequence: 0,
        aggregate_type: aggregate_type.to_owned(),
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
        payload,
        metadata: Value::Null,
    };
    for upcaster in upcasters() {
        if upcaster.can_upcast(&stored.event_type, &stored.event_version) {
            stored = upcaster.upcast(stored);
        }
    }
    let payload = stored.payload;
    let read = match aggregate_type {
        "client" => serde_json::from_value(payload).map(Event::Client),
        "user" => serde_json::from_value(payload).map(Event::User),
        "session" => serde_json::from_value(payload).map(Event::Session),
        "consent" => serde_json::from_value(payload).map(Event::Consent),
        "grant" => serde_json::from_value(payload).map(Event::Grant),
        "key_set" => serde_json::from_value(payload).map(Event::KeySet),
        "catalogue" => serde_json::from_value(payload).map(Event::Catalogue),
        unknown => return Err(unreadable(format!("there is no aggregate {unknown}"))),
    };
    read.map_err(|error| unreadable(error.to_string()))
}

/// The state that events lead to.
pub fn fold<A: Decide>(events: impl IntoIterator<Item = A::Event>) -> A {
    let mut state = A::default();
    for event in events {
        state.apply(event);
    }
    state
}
