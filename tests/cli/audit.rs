//! `grantlog audit`.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{Kind, ServerProcess, both_stores};

use crate::place::Place;

both_stores! {
    all_grants_are_listed_for_people_and_programs,
    a_replay_can_be_restricted_and_set_back,
    following_prints_a_grant_again_when_something_becomes_of_it,
}

/// A token for the demo client itself.
fn token(server: &ServerProcess) -> String {
    let output = Command::new("sh").args(["-c", server.curl_lines()[0]]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn all_grants_are_listed_for_people_and_programs(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    token(&server);
    token(&server);
    place.run(&["client", "disable", "Demo"]).succeeded();
    let grants = place.run(&["audit", "replay", "--format", "jsonl"]).json_lines();
    assert_eq!(grants.len(), 2);
    let (one, client) = (&grants[0], place.json(&["client", "show", "Demo"]));
    assert_eq!(one["client"]["client_id"], client["client_id"]);
    assert_eq!((&one["client"]["name"], &one["client"]["metadata_version"]), (&"Demo".into(), &1.into()));
    assert_eq!((&one["kind"], &one["state"], &one["access_tokens"]), (&"client_credentials".into(), &"ended".into(), &1.into()));
    assert_eq!((&one["ended"]["cause"], &one["ended"]["by"]), (&"client_disabled".into(), &"operator".into()));
    assert!(one["begun"]["at"].as_str().unwrap().ends_with('Z') && one["ended"]["position"].is_number());
    assert_eq!((&one["user_id"], &one["username"]), (&Value::Null, &Value::Null));

    let csv = place.run(&["audit", "replay", "--format", "csv"]).succeeded().out;
    let rows: Vec<_> = csv.lines().map(|line| line.split(',').collect::<Vec<_>>()).collect();
    assert_eq!((rows.len(), rows[0][0], rows[1][0]), (3, "grant_id", one["grant_id"].as_str().unwrap()));
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{csv}");

    let table = place.run(&["audit", "replay"]).succeeded().out;
    for said in ["client_disabled by operator", "2 grants at position"] {
        assert!(table.contains(said), "{table}");
    }
    let digest = place.run(&["audit", "replay", "--digest"]).succeeded().out;
    assert_eq!(digest.trim().len(), 64);
    assert!(table.contains(digest.trim()), "{table}");
    assert_eq!(place.run(&["audit", "replay", "--digest"]).succeeded().out, digest);
}

async fn a_replay_can_be_restricted_and_set_back(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    token(&server);
    token(&server);
    let replay = |more: &[&str]| place.run(&[&["audit", "replay", "--format", "jsonl"], more].concat()).json_lines();
    let all = replay(&[]);
    let second = all[1]["begun"]["position"].as_i64().unwrap();
    assert_eq!(replay(&["--as-of", &(second - 1).to_string()]), all[..1]);
    assert_eq!(replay(&["--as-of", "2020-01-01"]), [] as [Value; 0]);
    assert_eq!(replay(&["--client", "Demo", "--state", "live", "--scope", "read", "--from", "2020-01-01"]), all);
    assert_eq!(replay(&["--to", "2020-01-01"]), [] as [Value; 0]);
    assert_eq!(replay(&["--scope", "nothing"]), [] as [Value; 0]);
    assert_eq!(replay(&["--user", "demo"]), [] as [Value; 0]);
    place.run(&["audit", "replay", "--client", "Nobody"]).failed(3, "there is no client `Nobody`");
    place.run(&["audit", "replay", "--as-of", "yesterday"]).failed(2, "RFC 3339");
    place.run(&["audit", "replay", "--state", "odd"]).failed(2, "live, expired, ended");
}

async fn following_prints_a_grant_again_when_something_becomes_of_it(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    token(&server);
    let mut command = place.command(&["audit", "replay", "--follow", "--format", "jsonl"]);
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!(first["state"], "live");
    token(&server);
    assert_ne!(next()["grant_id"], first["grant_id"]);
    place.run(&["client", "disable", "Demo"]).succeeded();
    let again = next();
    assert_eq!((&again["grant_id"], &again["ended"]["cause"]), (&first["grant_id"], &"client_disabled".into()));
    following.kill().unwrap();
    following.wait().unwrap();
}
