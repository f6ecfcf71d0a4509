//! `/audit/diff/`, `/audit/proof/` and `/audit/check-token/`: programs are told what changed, and given what proves it.

use grantlog::follow::transparency::Proof;
use serde_json::{Value, json};
use support::{
    Kind, TestApp, both_stores,
    traffic::{all_events, history},
};

use crate::audit::{auditor, post_with, told};

both_stores!(
    what_became_of_grants_between_two_places_is_told,
    an_event_is_proven_by_its_position_or_its_jti,
    a_token_is_checked_for_its_issuance,
    proofs_and_checks_of_a_persons_token_are_remembered,
    one_replay_at_a_time_is_done,
);

fn changes(diff: &Value) -> Vec<(&str, &str)> {
    let text = |value: &Value, member: &str| value[member].as_str().unwrap().to_owned();
    let changes = diff["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| !text(change, "changed_at").is_empty() && !text(change, "grant_id").is_empty()));
    changes.iter().map(|change| (change["change"].as_str().unwrap(), change["state"].as_str().unwrap())).collect()
}

async fn what_became_of_grants_between_two_places_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let from = app.app.log.known_head();
    let second = app.grant(&client, "read").await;
    app.revoke(&client, first.refresh_token()).await.assert_status(200);
    let to = app.app.log.known_head();
    app.revoke(&client, second.refresh_token()).await.assert_status(200);
    let diff = told(&app, &format!("/audit/diff/?from={from}&to={to}"), &token).await;
    assert_eq!((&diff["from"]["position"], &diff["to"]["position"]), (&json!(from), &json!(to)));
    assert_eq!(changes(&diff), [("ended", "ended"), ("began", "live")]);
    assert_eq!(
        (&diff["changes"][0]["ended"]["cause"], &diff["changes"][0]["username"]),
        (&json!("revoked_by_client"), &json!("mika"))
    );
    let until_now = told(&app, &format!("/audit/diff/?from={from}"), &token).await;
    assert_eq!(changes(&until_now), [("ended", "ended"), ("began", "ended"), ("ended", "ended")]);
    let head = app.app.log.known_head();
    assert_eq!(told(&app, &format!("/audit/diff/?from={head}"), &token).await["changes"], json!([]));
    for (query, name) in [("", "from"), ("?from=then", "from: "), ("?from=1&to=then", "to: "), ("?from=5&to=4", "to: ")] {
        let refused = app.get_with(&format!("/audit/diff/{query}"), &token).await.assert_error(400, "invalid_request").json();
        assert!(refused["error_description"].as_str().unwrap().starts_with(name), "{refused}");
    }
}

/// The claims of a JWT, unchecked.
fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

async fn an_event_is_proven_by_its_position_or_its_jti(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    let of_client = claims(&app.token_of(&client, "read").await.access);
    let jti = of_client["jti"].as_str().unwrap();
    let key = app.app.transparency.verifier_key();
    for (query, holds) in [("position=2".to_owned(), "\"type\""), (format!("jti={jti}"), jti)] {
        let answer = app.get_with(&format!("/audit/proof/?{query}"), &token).await.assert_status(200);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        let proven = answer.body.parse::<Proof>().unwrap().verify(&key).unwrap();
        assert!(proven.event.payload.contains(holds), "{}", proven.event.payload);
    }
    let nobody = "019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    for query in ["position=999999".to_owned(), "position=0".to_owned(), "position=-1".to_owned(), format!("jti={nobody}")] {
        app.get_with(&format!("/audit/proof/?{query}"), &token).await.assert_error(404, "invalid_request");
    }
    for query in ["", "?position=x", "?jti=x", "?position=1&jti=x"] {
        app.get_with(&format!("/audit/proof/{query}"), &token).await.assert_error(400, "invalid_request");
    }
}

async fn a_token_is_checked_for_its_issuance(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    let issued = app.grant(&client, "read").await.access;
    let check = async |text: &str| post_with(&app, "/audit/check-token/", &token, &[("token", text)]).await;
    let checked = check(&issued).await.assert_status(200).json();
    assert_eq!(checked["issued"]["token"]["jti"], claims(&issued)["jti"]);
    assert_eq!(check("x.y.z").await.assert_status(200).json(), json!({"not_signed": true}));
    check("").await.assert_error(400, "invalid_request");
    let position = checked["issued"]["token"]["issued"]["position"].as_i64().unwrap();
    app.execute(&format!("UPDATE events SET aggregate_id = 'gone' WHERE position = {position}")).await;
    let checked = check(&issued).await.assert_status(200).json();
    assert_eq!(checked["forged"]["claims"]["jti"], claims(&issued)["jti"]);
}

async fn proofs_and_checks_of_a_persons_token_are_remembered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (auditor, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    let issued = app.grant(&client, "read").await.access;
    let of_user = claims(&issued);
    app.get_with(&format!("/audit/proof/?jti={}", of_user["jti"].as_str().unwrap()), &token).await.assert_status(200);
    let of_grant = of_user["grant_id"].as_str().unwrap();
    let events = all_events(&app.app.log).await;
    let approved = events.iter().find(|event| event.aggregate_id == of_grant).unwrap();
    app.get_with(&format!("/audit/proof/?position={}", approved.position), &token).await.assert_status(200);
    let session = events.iter().find(|event| event.event_type == "session.started").unwrap();
    app.get_with(&format!("/audit/proof/?position={}", session.position), &token).await.assert_status(200);
    post_with(&app, "/audit/check-token/", &token, &[("token", &issued)]).await.assert_status(200);
    post_with(&app, "/audit/check-token/", &token, &[("token", "x.y.z")]).await.assert_status(200);
    let reads: Vec<_> = all_events(&app.app.log).await.into_iter().filter(|event| event.event_type == "audit.read").collect();
    let asked: Vec<Value> = reads.iter().map(|read| serde_json::from_str(&read.payload).unwrap()).collect();
    let questions: Vec<_> = asked.iter().map(|read| (&read["question"], &read["grant_id"], &read["user_id"])).collect();
    let (proof, check, grant, user) = (&json!("proof"), &json!("token_check"), &json!(of_grant), &json!(app.user));
    assert_eq!(questions, [(proof, grant, user), (proof, grant, user), (proof, &Value::Null, user), (check, grant, user)]);
    assert!(reads.iter().all(|read| read.actor() == format!("client:{}", auditor.id)));
}

async fn one_replay_at_a_time_is_done(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (_, token) = auditor(&app).await;
    let _turn = app.app.replays.clone().try_acquire_owned().unwrap();
    app.get_with("/audit/diff/?from=0", &token).await.assert_error(503, "temporarily_unavailable");
    let form = [("since", "2020-01-01"), ("dry_run", "true")];
    post_with(&app, "/audit/revoke/", &token, &form).await.assert_error(503, "temporarily_unavailable");
    app.get_with("/audit/proof/?position=1", &token).await.assert_status(200);
    let nobody = "019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    app.get_with(&format!("/audit/proof/?jti={nobody}"), &token).await.assert_error(503, "temporarily_unavailable");
}
