//! `/audit/revoke/`: programs with a second privileged scope end all that descends from a point; whoever may only read is shown it.

use domain::client::SigningAlgorithm;
use serde_json::{Value, json};
use support::{
    Answer, Kind, TestApp, TestClient, both_stores,
    traffic::{all_events, grant, sign_in},
};

use crate::audit::{auditor, post_with};

both_stores!(
    whoever_may_only_read_is_shown_what_would_end_and_ends_nothing,
    a_grant_ends_with_all_that_came_of_it,
    a_client_a_user_a_sign_in_and_a_key_end_with_what_stands_on_them,
    what_was_issued_since_a_moment_ends_in_one_append,
    what_cannot_be_revoked_is_refused_by_name,
);

/// A client that may also revoke, and its token.
async fn reviser(app: &TestApp) -> (TestClient, String) {
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "audit audit_revoke"})).await;
    let token = app.token_of(&client, "audit audit_revoke").await.access;
    (client, token)
}

async fn revoke(app: &TestApp, token: &str, form: &[(&str, &str)]) -> Answer {
    post_with(app, "/audit/revoke/", token, form).await
}

fn count(answer: &Value) -> usize {
    answer["grants"].as_array().unwrap().len()
}

async fn whoever_may_only_read_is_shown_what_would_end_and_ends_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    app.grant(&client, "read").await;
    let form = [("client", client.identifier.as_str())];
    let refused = revoke(&app, &token, &form).await.assert_error(403, "insufficient_scope");
    assert!(refused.header("www-authenticate").starts_with("Bearer "), "{refused:?}");
    let before = app.app.log.known_head();
    let shown = revoke(&app, &token, &[form[0], ("dry_run", "true")]).await.assert_status(200).json();
    assert_eq!((count(&shown), &shown["besides"], &shown["revoked"]), (2, &json!("client_disabled"), &json!(false)));
    let events = app.app.log.read(before, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>(), ["audit.read"]);
    assert!(events[0].payload.contains(&client.id.to_string()) && events[0].payload.contains("revocation"));
    assert!(app.is_active(&client, &tokens.access).await);
}

async fn a_grant_ends_with_all_that_came_of_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (reviser, token) = reviser(&app).await;
    let client = app.ordinary_client().await;
    let (tokens, other) = (app.grant(&client, "read").await, app.grant(&client, "read").await);
    let found = post_with(&app, "/audit/tokens/", &token, &[("token", &tokens.access)]).await.assert_status(200).json();
    let id = found["grant"]["grant_id"].as_str().unwrap();
    let answer = revoke(&app, &token, &[("grant", id)]).await.assert_status(200);
    let told = answer.json();
    assert_eq!((&told["grants"], &told["revoked"], &told["besides"]), (&json!([id]), &json!(true), &Value::Null));
    assert_eq!(answer.header("grantlog-position"), told["position"].to_string());
    assert!(!app.is_active(&client, &tokens.access).await && app.is_active(&client, &other.access).await);
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    let event = all_events(&app.app.log).await.pop().unwrap();
    assert_eq!(event.event_type, "grant.revoked");
    assert_eq!(event.actor(), format!("client:{}", reviser.id));
    let again = revoke(&app, &token, &[("grant", id)]).await.assert_status(200).json();
    assert_eq!((count(&again), &again["count"]), (0, &json!(0)));
}

async fn a_client_a_user_a_sign_in_and_a_key_end_with_what_stands_on_them(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = reviser(&app).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let session = sign_in(&app.app, support::USER).await.session;
    let in_session = grant(&app, &client, &session).await;
    let told = revoke(&app, &token, &[("session", &session.id.to_string())]).await.assert_status(200).json();
    assert_eq!((count(&told), &told["besides"], &told["count"]), (1, &json!("session_ended"), &json!(1)));
    assert!(!app.is_active(&client, &in_session.access).await);
    let of_client = app.token_of(&client, "read").await.access;
    let told = revoke(&app, &token, &[("client", &client.identifier)]).await.assert_status(200).json();
    assert_eq!(told["besides"], "client_disabled");
    app.client_credentials(&client, "read").await.assert_error(401, "invalid_client");
    assert!(!app.is_active(&other, &of_client).await);
    let of_user = app.grant(&other, "read").await.access;
    let told = revoke(&app, &token, &[("user", &app.user.to_string())]).await.assert_status(200).json();
    assert_eq!((count(&told), &told["besides"]), (1, &json!("user_locked")));
    assert!(!app.is_active(&other, &of_user).await);
    let keys = app.app.dispatch.key_set().await.unwrap();
    let kid = keys.active(SigningAlgorithm::ES256).unwrap().kid.clone();
    let told = revoke(&app, &token, &[("key", &kid)]).await.assert_status(200).json();
    assert_eq!(told["besides"], "key_replaced");
    let keys = app.app.dispatch.key_set().await.unwrap();
    assert_ne!(keys.active(SigningAlgorithm::ES256).unwrap().kid, kid);
}

async fn what_was_issued_since_a_moment_ends_in_one_append(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let before = app.token_of(&client, "read").await.access;
    app.app.clock.advance(100);
    let (_, token) = reviser(&app).await;
    let since = grantlog::clock::rfc3339(app.app.clock.now());
    let tokens = [app.token_of(&client, "read").await.access, app.grant(&client, "read").await.access];
    let head = app.app.log.known_head();
    let form = [("client", client.identifier.as_str()), ("since", since.as_str())];
    let told = revoke(&app, &token, &form).await.assert_status(200).json();
    assert_eq!((count(&told), &told["count"], &told["besides"]), (2, &json!(2), &Value::Null));
    let events = app.app.log.read(head + 1, 10).await.unwrap();
    assert!(events.len() == 2 && events.iter().all(|event| event.command_id == events[0].command_id), "{events:?}");
    assert!(app.is_active(&client, &before).await);
    for token in &tokens {
        assert!(!app.is_active(&client, token).await);
    }
    let told = revoke(&app, &token, &[("since", &since)]).await.assert_status(200).json();
    assert_eq!(told["count"], 1, "what is left is the token that asks");
    revoke(&app, &token, &form).await.assert_error(401, "invalid_token");
}

async fn what_cannot_be_revoked_is_refused_by_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = reviser(&app).await;
    let nobody = "019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    for (form, name) in [
        (&[][..], "revoke: "),
        (&[("client", "a"), ("key", "b")], "revoke: "),
        (&[("user", "mika")], "user: "),
        (&[("grant", "x")], "grant: "),
        (&[("client", "a"), ("since", "then")], "since: "),
        (&[("client", "a"), ("dry_run", "yes")], "dry_run: "),
    ] {
        let refused = revoke(&app, &token, form).await.assert_error(400, "invalid_request").json();
        assert!(refused["error_description"].as_str().unwrap().starts_with(name), "{refused}");
    }
    for name in ["grant", "client", "user", "session", "key"] {
        revoke(&app, &token, &[(name, nobody)]).await.assert_error(404, "invalid_request");
    }
    let events = all_events(&app.app.log).await;
    assert!(!events.iter().any(|event| event.event_type == "audit.read"));
}
