//! Every form of every event ever stored can still be read. The files under `stored_events/` are called
//! `<event type>.v<version>.json`, with what a later form of the same version added before the end; they are never edited or removed,
//! and each event has one of today's version.

use std::{fs, path::Path};

use cqrs_es::Aggregate;
use domain::{
    Event, audit::Audit, catalogue::Catalogue, client::Client, consent::Consent, device_authorization::DeviceAuthorization,
    grant::Grant, invitation::Invitation, key_set::KeySet, session::Session, upcast, user::User,
};
use serde_json::{Value, json};

struct Stored {
    event_type: String,
    version: String,
    payload: String,
}

impl Stored {
    fn decode(&self) -> Event {
        let (aggregate_type, _) = self.event_type.split_once('.').expect("aggregate.event");
        upcast::decode(aggregate_type, &self.event_type, &self.version, &self.payload)
            .unwrap_or_else(|error| panic!("{} version {}: {error}", self.event_type, self.version))
    }

    /// The name of the variant.
    fn tag(&self) -> Value {
        serde_json::from_str::<Value>(&self.payload).expect("JSON")["type"].clone()
    }
}

fn all() -> Vec<Stored> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored_events");
    let files = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    let stored = |path: std::path::PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let (event_type, form) = name.rsplit_once(".v").expect("<event type>.v<version>.json");
        let version = form.split('.').next().expect("a version");
        let payload = fs::read_to_string(&path).expect("a text");
        Stored { event_type: event_type.to_owned(), version: version.to_owned(), payload }
    };
    files.map(stored).collect()
}

/// The names of all variants, out of serde's own mouth, so that none can be forgotten here.
fn variants<A: Aggregate>() -> Vec<String> {
    let refusal = serde_json::from_value::<A::Event>(json!({"type": "?"})).expect_err("no such variant").to_string();
    let (_, expected) = refusal.split_once("expected").expect("what was expected");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_stored_event_is_read() {
    for stored in all() {
        assert_eq!(stored.decode().event_type(), stored.event_type);
    }
}

#[test]
fn an_event_of_todays_version_is_written_as_it_was_read() {
    for stored in all() {
        let event = stored.decode();
        if event.event_version() == stored.version {
            let payload: Value = serde_json::from_str(&stored.payload).expect("JSON");
            assert_eq!(serde_json::to_value(&event).expect("written"), payload, "{}", stored.event_type);
        }
    }
}

#[test]
fn every_event_has_a_file_of_todays_version() {
    let files = all();
    let mut missing = Vec::new();
    let mut look_for = |aggregate_type: &str, variants: Vec<String>| {
        assert!(!variants.is_empty(), "{aggregate_type}");
        let is_there = |variant: &String| {
            let mut of_todays_version = files.iter().filter(|stored| stored.decode().event_version() == stored.version);
            of_todays_version.any(|stored| stored.decode().aggregate_type() == aggregate_type && stored.tag() == **variant)
        };
        missing.extend(variants.iter().filter(|variant| !is_there(variant)).map(|variant| format!("{aggregate_type} {variant}")));
    };
    look_for(Client::TYPE, variants::<Client>());
    look_for(User::TYPE, variants::<User>());
    look_for(Session::TYPE, variants::<Session>());
    look_for(Consent::TYPE, variants::<Consent>());
    look_for(Grant::TYPE, variants::<Grant>());
    look_for(KeySet::TYPE, variants::<KeySet>());
    look_for(Catalogue::TYPE, variants::<Catalogue>());
    look_for(Audit::TYPE, variants::<Audit>());
    look_for(Invitation::TYPE, variants::<Invitation>());
    look_for(DeviceAuthorization::TYPE, variants::<DeviceAuthorization>());
    assert!(missing.is_empty(), "no file for {missing:?}");
}
