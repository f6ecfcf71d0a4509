//! Codes become tokens, once (RFC 6749 section 4.1.3, RFC 7636, RFC 9700 sections 4.5 and 4.8).

use futures_util::future::join_all;
use serde_json::json;
use support::{Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores};

both_stores!(
    a_code_becomes_an_access_and_a_refresh_token,
    a_client_that_is_not_registered_for_refreshing_gets_no_refresh_token,
    a_code_lives_for_a_minute,
    a_second_use_revokes_what_the_first_gave,
    of_fifty_parallel_uses_over_two_nodes_one_succeeds,
    another_clients_attempt_changes_nothing,
    the_redirect_uri_must_be_the_same,
    the_verifier_must_be_the_challenges,
    a_truncated_extended_or_changed_code_is_none,
    a_code_is_dead_once_what_it_stands_on_has_ended,
    a_public_client_redeems_by_pkce_alone,
    a_resource_can_narrow_and_never_widen,
);

async fn a_code_becomes_an_access_and_a_refresh_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read write").await;
    let answer = app.redeem(&client, &code).await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let tokens = answer.tokens();
    assert_eq!(tokens.scope, "read write");
    assert!(tokens.refresh.is_some());
    let resource = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
    assert_eq!((&resource["username"], &resource["sub"]), (&json!(support::USER), &json!(app.user)));
}

async fn a_client_that_is_not_registered_for_refreshing_gets_no_refresh_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read"})).await;
    let tokens = app.grant(&client, "read").await;
    assert_eq!(tokens.refresh, None);
}

async fn a_code_lives_for_a_minute(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let (first, second) = (app.code(&client, "read").await, app.code(&client, "read").await);
    app.app.clock.advance(50);
    app.redeem(&client, &first).await.assert_status(200);
    app.app.clock.advance(10);
    app.redeem(&client, &second).await.assert_error(400, "invalid_grant");
}

async fn a_second_use_revokes_what_the_first_gave(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
}

async fn of_fifty_parallel_uses_over_two_nodes_one_succeeds(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other_node = app.another_node_serving().await;
    let code = app.code(&client, "read").await;
    let nodes = [app.address, other_node];
    let answers = join_all((0..50).map(|number| app.redeem_at(nodes[number % 2], &client, &code))).await;
    let succeeded: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(succeeded.len() <= 1, "{} succeeded", succeeded.len());
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.json()["error"], "invalid_grant", "{answer:?}");
    }
}

async fn another_clients_attempt_changes_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let code = app.code(&client, "read").await;
    app.redeem(&other, &code).await.assert_error(400, "invalid_grant");
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.redeem(&other, &code).await.assert_error(400, "invalid_grant");
    assert!(app.is_active(&client, &tokens.access).await);
}

async fn the_redirect_uri_must_be_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    for uri in ["https://app.example/callback/", "https://app.example/Callback", "https://app.example/callback?x"] {
        let more = [("redirect_uri", uri), ("code_verifier", VERIFIER)];
        app.redeem_with(&client, &code, &more).await.assert_error(400, "invalid_grant");
    }
    app.redeem_with(&client, &code, &[("code_verifier", VERIFIER)]).await.assert_error(400, "invalid_grant");
    app.redeem(&client, &code).await.assert_status(200);
}

async fn the_verifier_must_be_the_challenges(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let other = VERIFIER.replace('d', "e");
    for verifier in [other.as_str(), &VERIFIER[..42], &"a".repeat(129), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"] {
        let more = [("redirect_uri", REDIRECT_URI), ("code_verifier", verifier)];
        app.redeem_with(&client, &code, &more).await.assert_error(400, "invalid_grant");
    }
    app.redeem_with(&client, &code, &[("redirect_uri", REDIRECT_URI)]).await.assert_error(400, "invalid_grant");
    app.redeem(&client, &code).await.assert_status(200);
    let compatible = compatible_client(&app).await;
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, &compatible, "read").await;
    approval.code_challenge = None;
    let code = app.code_of(&approval).await;
    app.redeem(&compatible, &code).await.assert_error(400, "invalid_grant");
    app.redeem_with(&compatible, &code, &[("redirect_uri", REDIRECT_URI)]).await.assert_status(200);
}

async fn compatible_client(app: &TestApp) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "policy": "compatible"})).await
}

async fn a_truncated_extended_or_changed_code_is_none(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let tokens = app.grant(&client, "read").await;
    for bad in [&code[..code.len() - 1], &format!("{code}a"), &code.to_uppercase(), "x", tokens.refresh_token(), &tokens.access] {
        app.redeem(&client, bad).await.assert_error(400, "invalid_grant");
    }
    app.redeem(&client, &code).await.assert_status(200);
}

async fn a_code_is_dead_once_what_it_stands_on_has_ended(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &client, "read").await).await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    let code = app.code(&client, "read").await;
    app.app.dispatch.lock_user(grantlog::log::Actor::Operator, app.user).await.unwrap();
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    app.app.dispatch.unlock_user(grantlog::log::Actor::Operator, app.user).await.unwrap();
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
}

async fn a_public_client_redeems_by_pkce_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client =
        app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "token_endpoint_auth_method": "none"})).await;
    let code = app.code(&client, "read").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", client.identifier.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    app.post("/o/token/", &form).await.assert_status(200);
}

async fn a_resource_can_narrow_and_never_widen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (a, b) = ("https://api.example/a", "https://api.example/b");
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "resources": [a, b]})).await;
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, &client, "read").await;
    approval.resources = vec![a.to_owned()];
    let code = app.code_of(&approval).await;
    let with = |resource| [("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER), ("resource", resource)];
    app.redeem_with(&client, &code, &with(b)).await.assert_error(400, "invalid_target");
    let token = app.redeem_with(&client, &code, &with(a)).await.assert_status(200).tokens().access;
    assert_eq!(app.introspect(&client, &token).await.json()["aud"], json!([a]));
}
