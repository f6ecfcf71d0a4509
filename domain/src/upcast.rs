//! Older forms of stored events, brought to today's, and the one place where a stored row becomes an event.
//!
//! The order of preference when an event must change: do not change it; add a field with `#[serde(default)]`; only then a new version:
//! raise the event's `event_version`, add an upcaster from the version before to `upcasters`, and leave the old files under
//! `domain/tests/stored_events/` as they are, beside a new one. A new meaning is a new event. Rows are never rewritten.

use cqrs_es::{
    DomainEvent,
    persist::{EventUpcaster, SemanticVersion, SerializedEvent},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Event, audit::AuditEvent, catalogue::CatalogueEvent, client::ClientEvent, consent::ConsentEvent,
    device_authorization::DeviceAuthorizationEvent, grant::GrantEvent, invitation::InvitationEvent, key_set::KeySetEvent,
    session::SessionEvent, user::UserEvent,
};

/// Why a stored row gives no event: it was written by a later grantlog, or is damaged.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("there is no aggregate {0}")]
    UnknownAggregate(String),
    #[error("{event_type} version {event_version} cannot be read: {cause}")]
    Payload { event_type: String, event_version: String, cause: serde_json::Error },
    #[error("{event_type} version {event_version} holds {found} version {found_version}")]
    Disagrees { event_type: String, event_version: String, found: String, found_version: String },
}

/// From every older version of an event to the next, in the order in which they are tried. Each version stored so far is today's.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}

/// The event in a stored row, in today's form.
///
/// # Errors
/// When no event of today's can be made of it.
pub fn decode(aggregate_type: &str, event_type: &str, event_version: &str, payload: &str) -> Result<Event, DecodeError> {
    decode_with(&upcasters(), Row { aggregate_type, event_type, event_version, payload })
}

#[derive(Clone, Copy)]
struct Row<'a> {
    aggregate_type: &'a str,
    event_type: &'a str,
    event_version: &'a str,
    payload: &'a str,
}

fn decode_with(upcasters: &[Box<dyn EventUpcaster>], row: Row<'_>) -> Result<Event, DecodeError> {
    if !upcasters.iter().any(|upcaster| upcaster.can_upcast(row.event_type, row.event_version)) {
        return parse(row);
    }
    let payload: Value = read(row)?;
    let (aggregate_type, event_type) = (row.aggregate_type.to_owned(), row.event_type.to_owned());
    let stored =
        SerializedEvent::new(String::new(), 0, aggregate_type, event_type, row.event_version.to_owned(), payload, Value::Null);
    let today = upcasters.iter().fold(stored, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
    });
    let payload = today.payload.to_string();
    parse(Row { event_type: &today.event_type, event_version: &today.event_version, payload: &payload, ..row })
}

fn parse(row: Row<'_>) -> Result<Event, DecodeError> {
    match row.aggregate_type {
        "client" => parse_as::<ClientEvent>(row),
        "user" => parse_as::<UserEvent>(row),
        "session" => parse_as::<SessionEvent>(row),
        "consent" => parse_as::<ConsentEvent>(row),
        "grant" => parse_as::<GrantEvent>(row),
        "key_set" => parse_as::<KeySetEvent>(row),
        "catalogue" => parse_as::<CatalogueEvent>(row),
        "audit" => parse_as::<AuditEvent>(row),
        "invitation" => parse_as::<InvitationEvent>(row),
        "device_authorization" => parse_as::<DeviceAuthorizationEvent>(row),
        unknown => Err(DecodeError::UnknownAggregate(unknown.to_owned())),
    }
}

fn parse_as<E: DomainEvent + Into<Event>>(row: Row<'_>) -> Result<Event, DecodeError> {
    let event: E = read(row)?;
    let (found, found_version) = (event.event_type(), event.event_version());
    if found != row.event_type || !is_same_version(&found_version, row.event_version) {
        let (event_type, event_version) = (row.event_type.to_owned(), row.event_version.to_owned());
        return Err(DecodeError::Disagrees { event_type, event_version, found, found_version });
    }
    Ok(event.into())
}

/// The framework's upcasters write `2` as `2.0.0`.
fn is_same_version(one: &str, other: &str) -> bool {
    let version = |text: &str| text.parse::<SemanticVersion>().ok();
    one == other || version(one).is_some_and(|one| version(other) == Some(one))
}

fn read<T: DeserializeOwned>(row: Row<'_>) -> Result<T, DecodeError> {
    serde_json::from_str(row.payload).map_err(|cause| {
        let (event_type, event_version) = (row.event_type.to_owned(), row.event_version.to_owned());
        DecodeError::Payload { event_type, event_version, cause }
    })
}

#[cfg(test)]
mod tests {
    use cqrs_es::persist::SemanticVersionEventUpcaster;

    use super::*;
    use crate::Timestamp;

    const STORED: Row<'_> = Row {
        aggregate_type: "client",
        event_type: "client.disabled",
        event_version: "1",
        payload: r#"{"type":"disabled","at":7}"#,
    };

    #[test]
    fn a_stored_row_becomes_its_event() {
        let event = decode("client", "client.disabled", "1", STORED.payload).expect("a stored row");
        assert_eq!(event, Event::Client(ClientEvent::Disabled { by: None, at: Timestamp::from_unix(7) }));
    }

    #[test]
    fn upcasters_bring_an_older_version_to_todays_one_after_the_other() {
        let rename = |from: &'static str, to: &'static str| {
            move |mut payload: Value| {
                payload[to] = payload[from].take();
                payload
            }
        };
        let upcasters: Vec<Box<dyn EventUpcaster>> = vec![
            Box::new(SemanticVersionEventUpcaster::new("client.disabled", "0.2", Box::new(rename("when", "moment")))),
            Box::new(SemanticVersionEventUpcaster::new("client.disabled", "1.0", Box::new(rename("moment", "at")))),
        ];
        let oldest = Row { event_version: "0.1", payload: r#"{"type":"disabled","when":7}"#, ..STORED };
        let event = decode_with(&upcasters, oldest).expect("an older row");
        assert_eq!(event, Event::Client(ClientEvent::Disabled { by: None, at: Timestamp::from_unix(7) }));
    }

    #[test]
    fn a_row_of_a_later_version_is_refused() {
        let later = Row { event_version: "2", ..STORED };
        assert!(matches!(decode_with(&upcasters(), later), Err(DecodeError::Disagrees { .. })));
    }

    #[test]
    fn a_row_whose_type_is_not_its_contents_is_refused() {
        let other = Row { event_type: "client.enabled", ..STORED };
        assert!(matches!(decode_with(&upcasters(), other), Err(DecodeError::Disagrees { .. })));
    }

    #[test]
    fn a_damaged_row_is_refused() {
        assert!(matches!(decode("client", "client.disabled", "1", "{}"), Err(DecodeError::Payload { .. })));
    }

    #[test]
    fn a_row_of_an_unknown_aggregate_is_refused() {
        assert!(
            matches!(decode("order", "order.placed", "1", "{}"), Err(DecodeError::UnknownAggregate(name)) if name == "order")
        );
    }
}
