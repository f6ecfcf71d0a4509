//! `grantlog log`.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::Value;
use support::{Kind, both_stores};

use crate::place::Place;

both_stores! {
    the_whole_log_is_printed_one_event_a_line,
    a_stream_is_shown_by_its_name_or_id,
    following_prints_what_others_append,
}

const SERVICE: [&str; 6] = ["client", "register", "--grant-types", "client_credentials", "--scope", "read"];

async fn the_whole_log_is_printed_one_event_a_line(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run(&SERVICE).succeeded();
    let events = place.run(&["log", "tail", "--all", "--json"]).json_lines();
    let positions: Vec<_> = events.iter().map(|event| event["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let registered = events.iter().find(|event| event["type"] == "client.registered").unwrap();
    assert_eq!(registered["payload"]["type"], "registered");
    assert_eq!(registered["metadata"]["actor"], "operator");
    assert!(registered["stream"].as_str().unwrap().starts_with("client-"));
    for member in ["recorded_at", "version", "sequence", "command_id"] {
        assert!(!registered[member].is_null(), "{member}");
    }
    let last = place.run(&["log", "tail", "-n", "1", "--json"]).json_lines();
    assert_eq!(last, events[events.len() - 1..]);
    let after = place.run(&["log", "tail", "--after", "2", "--json"]).json_lines();
    assert_eq!(after, events[2..]);
    assert_eq!(place.run(&["log", "tail", "--all"]).succeeded().out.lines().count(), events.len());
}

async fn a_stream_is_shown_by_its_name_or_id(kind: Kind) {
    let place = Place::ready(kind).await;
    let client = place.json(&SERVICE);
    let id = client["client_id"].as_str().unwrap();
    let stream = format!("client-{id}");
    let events = place.run(&["log", "show", &stream, "--json"]).json_lines();
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["client.registered", "client.secret_added"]);
    assert_eq!(place.run(&["log", "show", id, "--json"]).json_lines(), events);
    let shown = place.run(&["log", "show", id]).succeeded().out;
    assert!(shown.contains("client.secret_added") && shown.contains("identifier:"), "{shown}");
    place.run(&["log", "show", &format!("grant-{id}")]).failed(3, "there is no stream grant-");
    place.run(&["log", "show", "nothing"]).failed(2, "nothing is no stream");
}

async fn following_prints_what_others_append(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run(&SERVICE).succeeded();
    let mut following = place.command(&["log", "tail", "-n", "1", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["type"], "client.secret_added");
    place.run(&["keys", "rotate", "--alg", "ES256"]).succeeded();
    assert_eq!(next()["type"], "key_set.key_added");
    following.kill().unwrap();
    following.wait().unwrap();
}
