//! `grantlog audit`.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use support::{Kind, ServerProcess, both_stores};

use crate::place::{Done, Place};

both_stores! {
    all_grants_are_listed_for_people_and_programs,
    a_replay_can_be_restricted_and_set_back,
    a_grant_and_a_token_are_told_back_and_forth,
    a_client_and_a_user_are_told_with_what_changed,
    a_changed_catalogue_is_told_from_what_to_what,
    who_could_do_what_and_what_changed_meanwhile_is_told,
    whoever_asks_is_remembered_by_whom_they_asked_about,
    all_that_descends_from_a_point_is_shown_and_revoked,
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

async fn a_grant_and_a_token_are_told_back_and_forth(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let token = token(&server);
    let found = place.run_with(&["audit", "token", "-", "--json"], &token).json();
    assert_eq!(
        (&found["token"]["kind"], &found["token"]["state"], &found["scanned"]),
        (&"access".into(), &"live".into(), &false.into())
    );
    assert_eq!((&found["came_of"], &found["led_to"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    let types: Vec<_> = found["story"].as_array().unwrap().iter().map(|chapter| chapter["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["key_set.key_added", "key_set.key_activated", "client.registered", "grant.client_credentials_issued"]);
    for name in ["jti", "digest"] {
        let by_name = place.json(&["audit", "token", found["token"][name].as_str().unwrap()]);
        assert_eq!(by_name, found, "by its {name}");
    }
    place.run(&["audit", "token", &format!("{token}x")]).failed(3, "no such code or token was ever issued here");
    place.run(&["audit", "token", "019ab3c0-5f2e-7d10-8c5a-0123456789ab"]).failed(3, "no such code or token");
    place.run(&["client", "disable", "Demo"]).succeeded();
    let told = place.run(&["audit", "token", found["token"]["jti"].as_str().unwrap()]).succeeded().out;
    for said in ["client_disabled by operator", "Demo got the access token", "What came of it: nothing"] {
        assert!(told.contains(said), "{told}");
    }

    let id = found["grant"]["grant_id"].as_str().unwrap();
    let grant = place.json(&["audit", "grant", id]);
    assert_eq!((&grant["grant"]["state"], &grant["grant"]["ended"]["cause"]), (&"ended".into(), &"client_disabled".into()));
    let last = grant["story"].as_array().unwrap().last().unwrap();
    assert_eq!(last["said"], "Demo was disabled: all that it held is dead");
    let told = place.run(&["audit", "grant", &format!("grant-{id}")]).succeeded().out;
    assert!(told.contains("Demo got the access token") && told.contains("(by client Demo)"), "{told}");
    place.run(&["audit", "grant", "x"]).failed(2, "x is no id of a grant");
    place.run(&["audit", "grant", "019ab3c0-5f2e-7d10-8c5a-0123456789ab"]).failed(3, "there is no grant 019ab3c0");
}

async fn a_client_and_a_user_are_told_with_what_changed(kind: Kind) {
    let place = Place::ready(kind).await;
    place
        .run(&["client", "register", "--client-name", "Reports", "--grant-types", "client_credentials", "--scope", "read"])
        .succeeded();
    let story = place.json(&["audit", "client", "Reports"])["story"].clone();
    assert_eq!(story[0]["type"], "client.registered");
    let changes = story[0]["changes"].as_array().unwrap();
    let scope = changes.iter().find(|change| change["member"] == "scope").unwrap();
    assert_eq!((&scope["before"], &scope["after"]), (&Value::Null, &"read".into()));
    assert!(place.run(&["audit", "client", "Reports"]).succeeded().out.contains("client_name: - → Reports"));
    place.run(&["audit", "client", "Nobody"]).failed(3, "there is no client `Nobody`");

    let user = place.json(&["user", "create", "--username", "mika", "--email", "mika@example.org"]);
    place.run(&["user", "lock", "mika"]).succeeded();
    let told = place.run(&["audit", "user", "mika"]).succeeded().out;
    for said in ["email: - → mika@example.org", "mika was locked", "(by operator)"] {
        assert!(told.contains(said), "{told}");
    }
    place.run(&["user", "erase", "mika", "--yes"]).succeeded();
    let told = place.run(&["audit", "user", user["id"].as_str().unwrap()]).succeeded().out;
    assert!(told.contains("was erased") && !told.contains("mika"), "{told}");
    place.run(&["audit", "user", "mika"]).failed(3, "there is no user `mika`");
}

async fn a_changed_catalogue_is_told_from_what_to_what(kind: Kind) {
    let place = Place::empty(kind).await;
    let settings = |lifetime: u32| {
        let said = format!(
            "[resources.\"https://photos.example/\"]\nen = \"Photos\"\nscopes = [\"read\"]\naccess_token_lifetime = {lifetime}\n"
        );
        place.write("grantlog.toml", &said);
    };
    for lifetime in [600, 300, 300] {
        settings(lifetime);
        drop(place.serve_with(&[("GRANTLOG_CONFIG", "grantlog.toml")]));
    }
    let story = place.json(&["audit", "catalogue"])["story"].as_array().unwrap().clone();
    let [first, second] = story.as_slice() else { panic!("{story:?}") };
    assert_eq!((&first["details"]["catalogue_version"], &second["details"]["catalogue_version"]), (&json!(1), &json!(2)));
    assert_eq!(first["details"]["resources"], json!(["https://photos.example/"]));
    let entry = |lifetime: u32| json!({"names": {"en": "Photos"}, "scopes": "read", "access_token_lifetime": lifetime});
    let changed = json!([{"member": "resource https://photos.example/", "before": entry(600), "after": entry(300)}]);
    assert_eq!(second["changes"], changed);
    let told = place.run(&["audit", "catalogue"]).succeeded().out;
    assert!(told.contains("version 2 of the catalogue") && told.contains("resource https://photos.example/: "), "{told}");
    settings(0);
    let refused = place.command(&["serve", "--dev"]).env("GRANTLOG_CONFIG", "grantlog.toml").output().unwrap();
    Done::from(refused).failed(2, "access_token_lifetime must be at least 1");
}

async fn who_could_do_what_and_what_changed_meanwhile_is_told(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    token(&server);
    token(&server);
    let before = place.run(&["audit", "replay", "--format", "jsonl"]).json_lines();
    let position = before[1]["last_issued"]["position"].to_string();
    let who = place.json(&["audit", "who", "--scope", "read"]);
    assert_eq!((&who[0]["client_name"], &who[0]["grants"], &who[0]["user_id"]), (&"Demo".into(), &2.into(), &Value::Null));
    place.run(&["client", "disable", "Demo"]).succeeded();
    assert_eq!(place.run(&["audit", "who", "--scope", "read"]).succeeded().out, "Nobody.\n");
    assert_eq!(place.json(&["audit", "who", "--scope", "read", "--client", "Demo", "--as-of", &position]), who);
    let diff = place.json(&["audit", "diff", "--from", &position]);
    let changes: Vec<_> = diff.as_array().unwrap().iter().map(|one| (&one["change"], &one["grant_id"])).collect();
    assert_eq!(changes, [(&"ended".into(), &before[0]["grant_id"]), (&"ended".into(), &before[1]["grant_id"])]);
    let began = place.json(&["audit", "diff", "--from", "2020-01-01", "--to", &position]);
    assert!(began.as_array().unwrap().iter().all(|one| one["change"] == "began"), "{began}");
    assert!(place.run(&["audit", "diff", "--from", &position]).succeeded().out.contains("client_disabled by operator"));
    place.run(&["audit", "diff", "--from", &position, "--to", "1"]).failed(2, "--to is before --from");
}

async fn whoever_asks_is_remembered_by_whom_they_asked_about(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let token = token(&server);
    let grant = place.run_with(&["audit", "token", "-", "--json"], &token).json()["grant"].clone();
    place.run(&["audit", "grant", grant["grant_id"].as_str().unwrap()]).succeeded();
    place.run(&["audit", "replay", "--client", "Demo"]).succeeded();
    place.run(&["audit", "replay", "--digest"]).succeeded();
    place.run(&["audit", "client", "Demo"]).succeeded();
    place.run(&["audit", "user", "demo"]).succeeded();
    place.run(&["audit", "who", "--scope", "read"]).succeeded();
    place.run(&["audit", "diff", "--from", "1"]).succeeded();
    place.run(&["audit", "revoke", "--client", "Demo", "--dry-run"]).succeeded();
    let events = place.run(&["log", "tail", "--all", "--json"]).json_lines();
    let reads: Vec<_> = events.iter().filter(|event| event["type"] == "audit.read").collect();
    let questions: Vec<_> = reads.iter().map(|event| event["payload"]["question"].as_str().unwrap()).collect();
    assert_eq!(questions, ["token", "grant", "grants", "client", "user", "who", "changes", "revocation"]);
    assert!(reads.iter().all(|event| event["metadata"]["actor"] == "operator"));
    assert_eq!(
        (&reads[0]["payload"]["grant_id"], &reads[0]["payload"]["client_id"]),
        (&grant["grant_id"], &grant["client"]["id"])
    );
    assert_eq!(reads[2]["payload"]["client_id"], grant["client"]["id"]);
    assert!(reads[4]["payload"]["user_id"].is_string());
}

async fn all_that_descends_from_a_point_is_shown_and_revoked(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let first = token(&server);
    let states = || {
        let lines = place.run(&["audit", "replay", "--format", "jsonl"]).json_lines();
        lines.iter().map(|line| line["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let shown = place.run(&["audit", "revoke", "--client", "Demo", "--dry-run"]).succeeded().out;
    assert!(shown.contains("It would revoke live grants: 1, and the client is disabled. Nothing was changed."), "{shown}");
    assert_eq!(states(), ["live"]);
    place.run(&["audit", "revoke", "--client", "Demo"]).failed(2, "--yes");
    place.run(&["audit", "revoke"]).failed(2, "--since");
    place.run(&["audit", "revoke", "--client", "Demo", "--user", "demo"]).failed(2, "cannot be used with");
    assert_eq!(states(), ["live"]);

    let id = place.run_with(&["audit", "token", "-", "--json"], &first).json()["grant"]["grant_id"].clone();
    let revoked = place.json(&["audit", "revoke", "--grant", id.as_str().unwrap(), "--yes"]);
    assert_eq!((&revoked["grants"][0], &revoked["revoked"]), (&id, &true.into()));
    assert_eq!(states(), ["ended"]);

    token(&server);
    token(&server);
    assert_eq!(
        place.json(&["audit", "revoke", "--since", "2020-01-01", "--client", "Demo", "--yes"])["grants"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(states(), ["ended"; 3]);
    assert_eq!(place.json(&["client", "show", "Demo"])["state"], "enabled", "with --since the grants alone are revoked");

    token(&server);
    place.run(&["audit", "revoke", "--client", "Demo", "--yes"]).succeeded();
    assert_eq!(states(), ["ended"; 4]);
    assert_eq!(place.json(&["client", "show", "Demo"])["state"], "disabled");
    place.run(&["audit", "revoke", "--user", "demo", "--yes"]).succeeded();
    assert_eq!(place.json(&["user", "list"])[0]["state"], "locked");
    let kid = place.json(&["keys", "list"])[0]["kid"].as_str().unwrap().to_owned();
    place.run(&["audit", "revoke", "--key", &kid, "--yes"]).succeeded();
    let keys = place.json(&["keys", "list"]);
    let key = keys.as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    assert_eq!(key["state"], "retired");
    let nobody = "019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    place.run(&["audit", "revoke", "--session", nobody, "--yes"]).failed(3, "there is no such session");
    place.run(&["audit", "revoke", "--grant", nobody, "--yes"]).failed(3, "there is no grant");
}
