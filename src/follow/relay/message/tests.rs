//! Every stored form of every event has a message, and it says no more than it should.

use std::{collections::BTreeSet, fs, path::Path};

use domain::{ConsentId, Event, StreamId, Timestamp, UserId, user::UserEvent};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::log::{Epochs, StoredEvent};

const CLIENT_ID: &str = "the-client-on-the-wire";

/// A row of the log around each file of stored events.
fn stored_events() -> Vec<StoredEvent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/tests/stored_events");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let stored = |(place, path): (i64, &std::path::PathBuf)| {
        let (event_type, form) = path.file_stem().unwrap().to_str().unwrap().rsplit_once(".v").unwrap();
        let version = form.split('.').next().unwrap();
        row(place, event_type, version, fs::read_to_string(path).unwrap())
    };
    (1..).zip(&files).map(stored).collect()
}

fn row(position: i64, event_type: &str, version: &str, payload: String) -> StoredEvent {
    StoredEvent {
        position,
        aggregate_type: event_type.split_once('.').unwrap().0.to_owned(),
        aggregate_id: Uuid::from_u128(7).to_string(),
        sequence: 1,
        event_type: event_type.to_owned(),
        event_version: version.to_owned(),
        payload,
        metadata: json!({"actor": "user:0198c5d2-7a00-7000-8000-000000000002", "traceparent": "00-1-2-01"}).to_string(),
        command_id: Uuid::from_u128(8).to_string(),
        recorded_at: 1_767_225_600_123_456,
    }
}

fn origin() -> Origin {
    Origin { issuer: "https://id.example/o".into(), epochs: Epochs::only(Uuid::from_u128(9)), prefix: "grantlog".into() }
}

/// Knows whatever name is asked for.
fn names(read: &ReadEvent) -> Names {
    let mut names = Names::default();
    match wanted(&read.event, &read.stream) {
        Wanted::Client(id) => drop(names.clients.insert(id, CLIENT_ID.to_owned())),
        Wanted::Consent(id) => drop(names.consents.insert(id, consent())),
        Wanted::Nothing => {}
    }
    names
}

fn consent() -> ConsentOf {
    ConsentOf { user_id: UserId::new(Uuid::from_u128(2)), client_id: CLIENT_ID.to_owned() }
}

fn message(stored: StoredEvent, chain: &mut Chain) -> (Message, Value) {
    let read = ReadEvent::new(stored).unwrap();
    let message = origin().message(&read, &names(&read), chain).unwrap();
    let json = serde_json::from_slice(&message.body).unwrap();
    (message, json)
}

fn of(position: i64, event: impl Into<Event>, chain: &mut Chain) -> Value {
    let event = event.into();
    let payload = serde_json::to_string(&event).unwrap();
    message(row(position, &event.event_type(), &event.event_version(), payload), chain).1
}

#[test]
fn every_stored_form_of_every_event_has_a_message_that_its_schema_describes() {
    let schemas = schemas();
    let mut chain = Chain::default();
    let mut told = BTreeSet::new();
    for stored in stored_events() {
        let event_type = stored.event_type.clone();
        let (message, json) = message(stored, &mut chain);
        let of_kind = schemas.iter().find(|schema| schema.kind == message.kind).unwrap();
        let validator = jsonschema::options().should_validate_formats(true).build(&of_kind.schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{event_type}: {errors:?} in {json:#}");
        assert_eq!(json["type"], format!("grantlog.{event_type}.v1"), "a message is called after its event");
        told.insert(json["type"].as_str().unwrap().to_owned());
    }
    let promised: BTreeSet<_> = schemas.iter().map(|schema| schema.kind.message_type()).collect();
    let without_event = [OMITTED.message_type(), UNREAD.message_type()];
    assert_eq!(promised.difference(&told).cloned().collect::<Vec<_>>(), without_event, "every other kind has its event");
}

#[test]
fn a_message_is_a_cloud_event_that_says_where_it_stands() {
    let first = |stored: &StoredEvent| stored.event_type == "catalogue.adopted" && stored.payload.contains("\"version\": 1,");
    let stored = stored_events().into_iter().find(first).unwrap();
    let stored = StoredEvent { position: 1, ..stored };
    let (message, json) = message(stored, &mut Chain::after(0));
    assert_eq!(message.subject, "grantlog.other.catalogue.adopted.00000000-0000-0000-0000-000000000007");
    let epoch = Uuid::from_u128(9).to_string();
    let expected = json!({
        "specversion": "1.0", "type": "grantlog.catalogue.adopted.v1", "source": "https://id.example/o",
        "subject": "catalogue-00000000-0000-0000-0000-000000000007", "id": format!("{epoch}/1"),
        "time": "2026-01-01T00:00:00.123456Z", "datacontenttype": "application/json", "position": "1", "epoch": epoch, "prev": "0",
        "actor": "user:0198c5d2-7a00-7000-8000-000000000002", "traceparent": "00-1-2-01",
        "data": {"version": 1, "scopes": [{"name": "read", "privileged": false, "claims": []}], "resources": [], "issuers": [], "at": 1_767_225_600},
    });
    assert_eq!(json, expected);
}

/// All texts in a JSON value.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_message_holds_a_digest_or_what_is_sealed() {
    const SECRET: [&str; 10] = [
        "digest",
        "code",
        "device_code",
        "code_challenge",
        "nonce",
        "predecessor",
        "cookie",
        "browser",
        "profile",
        "sign_in_name",
    ];
    let mut looked_for = 0;
    for stored in stored_events() {
        let payload: Value = serde_json::from_str(&stored.payload).unwrap();
        let mut kept = BTreeSet::new();
        let mut members = vec![&payload];
        while let Some(value) = members.pop() {
            for (name, member) in value.as_object().into_iter().flatten() {
                members.push(member);
                if SECRET.contains(&name.as_str()) {
                    texts(member, &mut kept);
                }
            }
        }
        looked_for += kept.len();
        let (message, json) = message(stored, &mut Chain::default());
        let mut told = BTreeSet::new();
        texts(&json, &mut told);
        assert!(kept.is_disjoint(&told), "{}: {json:#}", message.subject);
    }
    assert!(looked_for >= SECRET.len(), "the stored events hold such things");
}

#[test]
fn a_revocation_says_what_died_why_and_until_when_it_matters() {
    let mut chain = Chain::after(0);
    chain.note_token(2_000);
    let locked = of(41, UserEvent::Locked { at: Timestamp::from_unix(1_000) }, &mut chain);
    let what = json!({"kind": "user", "sub": "00000000-0000-0000-0000-000000000007", "before": 41});
    assert_eq!(locked["data"], json!({"what": what, "reason": "user_locked", "at": 1_000, "forget_after": 2_000}));
    let later = of(42, UserEvent::Locked { at: Timestamp::from_unix(3_000) }, &mut chain);
    assert_eq!((&later["data"]["forget_after"], &later["prev"]), (&json!(3_000), &json!("41")));
}

#[test]
fn everything_that_cuts_off_is_a_revocation_and_nothing_else_is() {
    let mut revocations = BTreeSet::new();
    for stored in stored_events() {
        let event_type = stored.event_type.clone();
        if message(stored, &mut Chain::default()).0.kind.effect == Effect::Revocation {
            revocations.insert(event_type);
        }
    }
    let expected = [
        "client.deregistered",
        "client.disabled",
        "consent.withdrawn",
        "grant.access_token_revoked",
        "grant.revoked",
        "key_set.epoch_begun",
        "key_set.key_retired",
        "session.ended",
        "user.erased",
        "user.locked",
        "user.password_set",
    ];
    assert_eq!(revocations.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn clients_are_named_as_on_the_wire() {
    for stored in stored_events() {
        let event_type = stored.event_type.clone();
        let (_, json) = message(stored, &mut Chain::default());
        let named = json["data"].get("client_id").or_else(|| json["data"]["what"].get("client_id"));
        if let (Some(named), false) = (named, event_type == "client.registered") {
            assert_eq!(named, CLIENT_ID, "{event_type}");
        }
    }
}

#[test]
fn a_message_that_is_too_large_is_replaced_at_its_place() {
    let stored = stored_events().into_iter().find(|stored| stored.event_type == "grant.tokens_issued").unwrap();
    let read = ReadEvent::new(stored).unwrap();
    let before = Chain::after(3);
    let mut chain = before;
    let large = origin().message(&read, &Names::default(), &mut chain).unwrap();
    let stub = origin().omitted(&read, &large, &before).unwrap();
    let (json, whole): (Value, Value) =
        (serde_json::from_slice(&stub.body).unwrap(), serde_json::from_slice(&large.body).unwrap());
    assert_eq!((stub.position, &stub.subject), (large.position, &large.subject));
    assert_eq!(json["type"], "grantlog.log.omitted.v1");
    assert_eq!(json["data"], json!({"omitted_type": "grantlog.grant.tokens_issued.v1", "bytes": large.body.len()}));
    for same in ["id", "position", "prev", "tokensend", "subject"] {
        assert_eq!(json[same], whole[same]);
    }
}

#[test]
fn what_was_sent_is_read_again() {
    let stored = stored_events().into_iter().find(|stored| stored.event_type == "grant.tokens_issued").unwrap();
    let mut chain = Chain::after(3);
    let (message, _) = message(stored, &mut chain);
    let sent: Sent = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(sent.position, message.position.to_string());
    assert_eq!(message.chain, chain);
    assert_eq!(Chain::read(&message.chain.header(message.position), message.position), Some(chain));
}

#[test]
fn an_event_that_cannot_be_read_has_no_message() {
    let odd = row(1, "grant.levitated", "1", r#"{"type": "levitated"}"#.to_owned());
    assert!(matches!(ReadEvent::new(odd), Err(MessageError::Decode(DecodeError::Payload { .. }))));
    let read = ReadEvent::new(row(1, "consent.withdrawn", "1", r#"{"type": "withdrawn", "by": null, "at": 1}"#.into())).unwrap();
    let unknown = origin().message(&read, &Names::default(), &mut Chain::default());
    let id = ConsentId::new(StreamId { aggregate_type: "consent", ..read.stream }.aggregate_id);
    assert!(matches!(unknown, Err(MessageError::UnknownConsent(unknown)) if unknown == id));
}
