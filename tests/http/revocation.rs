//! A client gives tokens back (RFC 7009).

use support::{Kind, TestApp, both_stores};

both_stores!(
    a_revoked_access_token_ends_alone,
    a_revoked_refresh_token_ends_all_that_came_of_its_grant_and_not_the_consent,
    another_clients_token_is_not_revoked,
    a_wrong_hint_still_revokes,
    an_unknown_token_is_answered_the_same,
    a_revocation_twice_is_no_error,
    a_client_must_prove_who_it_is_and_name_a_token,
    once_acknowledged_no_node_says_active,
);

async fn a_revoked_access_token_ends_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let answer = app.revoke(&client, &tokens.access).await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    assert!(!app.is_active(&client, &tokens.access).await);
    app.get_with("/api/resource", &tokens.access).await.assert_error(401, "invalid_token");
    app.refresh(&client, tokens.refresh_token()).await.assert_status(200);
}

async fn a_revoked_refresh_token_ends_all_that_came_of_its_grant_and_not_the_consent(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    app.revoke(&client, second.refresh_token()).await.assert_status(200);
    for token in [&first.access, &second.access] {
        assert!(!app.is_active(&client, token).await);
    }
    app.refresh(&client, second.refresh_token()).await.assert_error(400, "invalid_grant");
    assert_eq!(app.consent(&client).await.expect("there is a consent").state, "given");
}

async fn another_clients_token_is_not_revoked(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let tokens = app.grant(&client, "read").await;
    app.revoke(&other, &tokens.access).await.assert_status(200);
    app.revoke(&other, tokens.refresh_token()).await.assert_status(200);
    assert!(app.is_active(&client, &tokens.access).await);
    app.refresh(&client, tokens.refresh_token()).await.assert_status(200);
}

async fn a_wrong_hint_still_revokes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    let form = [("token", token.as_str()), ("token_type_hint", "refresh_token")];
    app.post_as(&client, "/o/revoke_token/", &form).await.assert_status(200);
    assert!(!app.is_active(&client, &token).await);
}

async fn an_unknown_token_is_answered_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    let known = app.revoke(&client, &token).await.assert_status(200);
    let unknown = app.revoke(&client, "unknown").await.assert_status(200);
    assert_eq!(known.body, unknown.body);
}

async fn a_revocation_twice_is_no_error(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
        app.revoke(&client, token).await.assert_status(200);
        app.revoke(&client, token).await.assert_status(200);
    }
}

async fn a_client_must_prove_who_it_is_and_name_a_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.post("/o/revoke_token/", &[("token", &token)]).await.assert_error(401, "invalid_client");
    app.post_as(&client, "/o/revoke_token/", &[("x", "y")]).await.assert_error(400, "invalid_request");
    assert!(app.is_active(&client, &token).await);
}

async fn once_acknowledged_no_node_says_active(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other_node = app.another_node_serving().await;
    for _ in 0..20 {
        let token = app.token_of(&client, "read").await.access;
        assert_eq!(app.introspect_at(other_node, &client, &token).await.json()["active"], true);
        app.revoke(&client, &token).await.assert_status(200);
        assert_eq!(app.introspect_at(other_node, &client, &token).await.json()["active"], false);
    }
}
