//! `grantlog audit prove`, `verify`, `verify-log` and `check-token`.

use std::time::Duration;

use support::{Kind, both_stores};

use crate::place::{Done, Place};

both_stores! {
    a_proof_is_made_and_checked_elsewhere_with_the_key_alone,
    a_token_is_proven_by_its_jti_and_checked,
    a_changed_log_is_found_and_told,
    a_running_server_signs_and_keeps_its_checkpoints,
    a_server_signs_again_once_its_store_is_mended,
}

/// The claims of a JWT, unchecked.
fn claims(token: &str) -> serde_json::Value {
    jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(token).unwrap().claims
}

/// Gets a text from a server.
async fn get(url: &str, path: &str) -> String {
    reqwest::get(format!("{url}{path}")).await.unwrap().text().await.unwrap()
}

async fn a_proof_is_made_and_checked_elsewhere_with_the_key_alone(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let key = get(&server.url, "/transparency/key").await;
    let proof = place.run(&["audit", "prove", "2"]).succeeded().out;
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\n"), "{proof}");
    place.run(&["audit", "prove", "3", "--output", "three.tlog-proof"]).succeeded();
    place.run(&["audit", "prove", "3", "--output", "three.tlog-proof"]).failed(1, "exists");
    place.run(&["audit", "prove", "999999"]).failed(3, "there is no event");
    place.run(&["audit", "prove", "x"]).failed(2, "no position and no jti");

    let elsewhere = Place::empty(Kind::Sqlite).await;
    elsewhere.write("two.tlog-proof", &proof);
    elsewhere.write("log.vkey", &key);
    let verified = elsewhere.json(&["audit", "verify", "two.tlog-proof", "--key", "log.vkey"]);
    assert_eq!(verified["position"], 2);
    let three = place.path("three.tlog-proof").display().to_string();
    assert!(
        elsewhere
            .run(&["audit", "verify", &three, "--key", key.trim()])
            .succeeded()
            .out
            .starts_with("It holds: this is event 3 of ")
    );
    assert!(
        elsewhere.run_with(&["audit", "verify", "-", "--key", "log.vkey"], &proof).succeeded().out.contains("this is event 2 of")
    );
    let mut without_settings = elsewhere.command(&["audit", "verify", "two.tlog-proof", "--key", "log.vkey"]);
    Done::from(without_settings.env("GRANTLOG_STORE__QUEUE", "no number").output().unwrap()).succeeded();
    elsewhere.write("two.tlog-proof", &proof.replace("index 1", "index 0"));
    elsewhere.run(&["audit", "verify", "two.tlog-proof", "--key", "log.vkey"]).failed(5, "does not hold");
    elsewhere.run(&["audit", "verify", "log.vkey", "--key", "log.vkey"]).failed(5, "this is no proof");
    elsewhere.run(&["audit", "verify", &three, "--key", "nowhere"]).failed(2, "no key, and no file");
    assert!(!elsewhere.exists("data"));
}

async fn a_token_is_proven_by_its_jti_and_checked(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let demo = place.json(&[
        "client",
        "register",
        "--grant-types",
        "client_credentials",
        "--scope",
        "read",
        "--access-token-format",
        "jwt",
    ]);
    let text = |member: &str| demo[member].as_str().unwrap().to_owned();
    let request = reqwest::Client::new().post(format!("{}/o/token/", server.url)).form(&[("grant_type", "client_credentials")]);
    let answer = request.basic_auth(text("client_id"), Some(text("client_secret"))).send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let jti = claims(token)["jti"].as_str().unwrap().to_owned();

    place.write("token.tlog-proof", &place.run(&["audit", "prove", &jti]).succeeded().out);
    let key = get(&server.url, "/transparency/key").await;
    let event = place.json(&["audit", "verify", "token.tlog-proof", "--key", key.trim()]);
    assert_eq!(
        (&event["type"], &event["payload"]["access"]["id"]),
        (&"grant.client_credentials_issued".into(), &jti.as_str().into())
    );
    place.run(&["audit", "prove", "019ab3c0-5f2e-7d10-8c5a-0123456789ab"]).failed(3, "was issued");

    let issued = place.run_with(&["audit", "check-token", "-", "--json"], token).json();
    let proven = &issued["issued"]["token"];
    assert_eq!((&proven["jti"], &proven["issued"]["position"]), (&jti.as_str().into(), &event["position"]));
    assert!(place.run(&["audit", "check-token", token]).succeeded().out.starts_with("Issued: "));
    place.run(&["audit", "check-token", "x.y.z"]).failed(3, "no key of this issuer's");
    let events = place.run(&["log", "tail", "--all", "--json"]).json_lines().into_iter();
    let asked: Vec<_> = events.filter(|event| event["type"] == "audit.read").map(|event| event["payload"].clone()).collect();
    let questions: Vec<_> = asked.iter().map(|read| read["question"].as_str().unwrap()).collect();
    assert_eq!(questions, ["proof", "token_check", "token_check"]);
    assert!(asked.iter().all(|read| read["grant_id"] == issued["issued"]["grant_id"]), "{asked:?}");
    // As if the event had never been: then only a thief can have made the token.
    let position = event["position"].as_i64().unwrap();
    place.execute(&format!("UPDATE events SET aggregate_id = 'gone' WHERE position = {position}")).await;
    place.run(&["audit", "check-token", token]).failed(5, "that key is stolen");
    let forged = place.run(&["audit", "check-token", token, "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&forged.out).unwrap()["forged"]["claims"]["jti"], jti);
}

async fn a_changed_log_is_found_and_told(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run(&["client", "register", "--client-name", "One", "--grant-types", "client_credentials"]).succeeded();
    place.run(&["audit", "verify-log"]).failed(3, "no checkpoint has been signed yet");
    let proof = place.run(&["audit", "prove", "1"]).succeeded().out;
    place.write("checkpoint", proof.split_once("\n\n").unwrap().1);
    let report = place.json(&["audit", "verify-log", "--checkpoint", "checkpoint"]);
    assert_eq!((&report["differences"], &report["unsigned"]), (&serde_json::json!([]), &0.into()));
    assert!(place.run(&["audit", "verify-log"]).succeeded().out.contains("events are what was signed"));
    place.execute("UPDATE events SET sequence = sequence + 1 WHERE position = 2").await;
    let told = place.run(&["audit", "verify-log"]).failed(5, "differences: 1");
    assert_eq!(told.out, "altered: the event at position 2\n");
    let report: serde_json::Value = serde_json::from_str(&place.run(&["audit", "verify-log", "--json"]).out).unwrap();
    assert_eq!(report["differences"], serde_json::json!([{"what": "altered", "position": 2}]));
    place.run(&["audit", "prove", "2"]).failed(5, "is not what was signed");
    place.run(&["audit", "verify-log", "--checkpoint", "data/master.key"]).failed(3, "the checkpoint that was given");
}

async fn a_running_server_signs_and_keeps_its_checkpoints(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve_with(&[("GRANTLOG_TRANSPARENCY__CHECKPOINT_FILE", "kept")]);
    while !place.exists("kept") {
        tokio::task::yield_now().await;
    }
    let before: i64 = size_in(&std::fs::read_to_string(place.path("kept")).unwrap());
    place.run(&["client", "register", "--client-name", "One", "--grant-types", "client_credentials"]).succeeded();
    while size_in(&std::fs::read_to_string(place.path("kept")).unwrap()) == before {
        tokio::task::yield_now().await;
    }
    let kept = std::fs::read_to_string(place.path("kept")).unwrap();
    assert!(size_in(&get(&server.url, "/transparency/checkpoint").await) >= size_in(&kept));
    assert_eq!(place.json(&["audit", "verify-log", "--checkpoint", "kept"])["count"], 0);
}

async fn a_server_signs_again_once_its_store_is_mended(kind: Kind) {
    let place = Place::empty(kind).await;
    let settings = [("GRANTLOG_TRANSPARENCY__CHECKPOINT_FILE", "kept")];
    let server = place.serve_with(&settings);
    while !place.exists("kept") {
        tokio::task::yield_now().await;
    }
    server.terminate();
    let before = size_in(&std::fs::read_to_string(place.path("kept")).unwrap());
    let damage = "CREATE TABLE taken AS SELECT * FROM transparency_tile; DELETE FROM transparency_tile";
    place.execute(damage).await;
    let server = place.serve_with(&settings);
    let stopped = "grantlog_follower_stopped{follower=\"transparency\"} 1";
    while !get(&server.url, "/metrics").await.lines().any(|line| line == stopped) {
        tokio::task::yield_now().await;
    }
    server.has_logged(&["ERROR", "is missing in the store"]);
    place.run(&["client", "register", "--client-name", "One", "--grant-types", "client_credentials"]).succeeded();
    place.execute("INSERT INTO transparency_tile SELECT * FROM taken").await;
    while size_in(&get(&server.url, "/transparency/checkpoint").await) == before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(place.json(&["audit", "verify-log", "--checkpoint", "kept"])["count"], 0);
}

/// The size in a checkpoint.
fn size_in(note: &str) -> i64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}
