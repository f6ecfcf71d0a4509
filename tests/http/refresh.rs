//! Refresh tokens rotate; a replay revokes the grant; a lost answer can be had again (RFC 6749 section 6, RFC 9700 section 4.14).

use futures_util::future::join_all;
use grantlog::log::Actor;
use serde_json::json;
use support::{Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    a_refresh_gives_a_new_pair,
    the_old_access_token_lives_on,
    a_replay_after_the_successor_was_used_revokes_the_grant,
    a_client_whose_answer_was_lost_gets_the_same_bytes,
    after_the_grace_time_a_repeated_refresh_is_a_replay,
    of_fifty_parallel_refreshes_over_two_nodes_there_is_one_successor,
    another_clients_attempt_changes_nothing,
    a_scope_can_narrow_and_never_widen,
    a_refresh_token_ends_when_it_is_idle,
    a_family_ends_whatever_is_refreshed,
    a_family_ends_with_the_sign_in,
    with_offline_access_a_family_outlives_the_sign_in,
    a_family_ends_with_a_new_password,
    a_family_ends_with_a_lock_and_is_not_revived,
    a_family_ends_with_its_consent,
    a_family_ends_with_its_client,
    an_access_token_is_no_refresh_token,
    a_refresh_survives_a_restart,
);

async fn a_refresh_gives_a_new_pair(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    assert_ne!(first.access, second.access);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(second.scope, "read");
    app.refresh(&client, second.refresh_token()).await.assert_status(200);
}

async fn the_old_access_token_lives_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    app.refresh(&client, first.refresh_token()).await.assert_status(200);
    assert!(app.is_active(&client, &first.access).await);
}

async fn a_replay_after_the_successor_was_used_revokes_the_grant(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    let third = app.refresh(&client, second.refresh_token()).await.assert_status(200).tokens();
    app.refresh(&client, first.refresh_token()).await.assert_error(400, "invalid_grant");
    app.refresh(&client, third.refresh_token()).await.assert_error(400, "invalid_grant");
    for token in [&first.access, &second.access, &third.access] {
        assert!(!app.is_active(&client, token).await);
    }
}

async fn a_client_whose_answer_was_lost_gets_the_same_bytes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let answer = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    app.app.clock.advance(50);
    let again = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    assert_eq!(answer.body, again.body);
    let second = again.tokens();
    app.refresh(&client, second.refresh_token()).await.assert_status(200);
    app.refresh(&client, first.refresh_token()).await.assert_error(400, "invalid_grant");
}

async fn after_the_grace_time_a_repeated_refresh_is_a_replay(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    app.app.clock.advance(60);
    app.refresh(&client, first.refresh_token()).await.assert_error(400, "invalid_grant");
    app.refresh(&client, second.refresh_token()).await.assert_error(400, "invalid_grant");
}

async fn of_fifty_parallel_refreshes_over_two_nodes_there_is_one_successor(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other_node = app.another_node_serving().await;
    let first = app.grant(&client, "read").await;
    let token = first.refresh_token();
    let nodes = [app.address, other_node];
    let answers = join_all((0..50).map(|number| app.refresh_at(nodes[number % 2], &client, token))).await;
    let bodies: std::collections::HashSet<_> =
        answers.iter().filter(|answer| answer.status == 200).map(|answer| answer.body.clone()).collect();
    assert_eq!(bodies.len(), 1, "{answers:?}");
    let successor = answers.iter().find(|answer| answer.status == 200).unwrap().tokens();
    app.refresh(&client, successor.refresh_token()).await.assert_status(200);
}

async fn another_clients_attempt_changes_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let first = app.grant(&client, "read").await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    app.refresh(&client, second.refresh_token()).await.assert_status(200);
    for token in [first.refresh_token(), second.refresh_token()] {
        app.refresh(&other, token).await.assert_error(400, "invalid_grant");
    }
    assert!(app.is_active(&client, &second.access).await);
}

async fn a_scope_can_narrow_and_never_widen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read write").await;
    let with = |token, scope| [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
    let narrow = app.post_as(&client, "/o/token/", &with(first.refresh_token(), "read")).await.assert_status(200).tokens();
    assert_eq!(narrow.scope, "read");
    let whole = app.refresh(&client, narrow.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(whole.scope, "read write");
    app.post_as(&client, "/o/token/", &with(whole.refresh_token(), "read openid")).await.assert_error(400, "invalid_scope");
}

async fn a_refresh_token_ends_when_it_is_idle(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    app.app.clock.advance(30 * 86_400);
    app.refresh(&client, first.refresh_token()).await.assert_error(400, "invalid_grant");
}

async fn a_family_ends_whatever_is_refreshed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"refresh_token_lifetime": 1000, "refresh_token_idle_lifetime": 900})).await;
    let first = app.grant(&client, "read").await;
    app.app.clock.advance(800);
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    app.app.clock.advance(200);
    app.refresh(&client, second.refresh_token()).await.assert_error(400, "invalid_grant");
}

async fn client(app: &TestApp, more: serde_json::Value) -> TestClient {
    let mut metadata = json!({
        "redirect_uris": [REDIRECT_URI], "scope": "read offline_access", "grant_types": ["authorization_code", "refresh_token"],
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.client(metadata).await
}

async fn a_family_ends_with_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &client, "read").await).await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.app.dispatch.sign_out(&session).await.unwrap();
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
}

async fn with_offline_access_a_family_outlives_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &client, "read offline_access").await).await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.app.dispatch.sign_out(&session).await.unwrap();
    assert!(app.is_active(&client, &tokens.access).await);
    app.refresh(&client, tokens.refresh_token()).await.assert_status(200);
}

async fn a_family_ends_with_a_new_password(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let tokens = app.grant(&client, "read offline_access").await;
    app.app.dispatch.set_password(Actor::Operator, app.user, "another good one".into()).await.unwrap();
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
}

async fn a_family_ends_with_a_lock_and_is_not_revived(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    app.app.dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
}

async fn a_family_ends_with_its_consent(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    app.withdraw_consent(&client).await;
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
    let renewed = app.grant(&client, "read").await;
    assert!(app.is_active(&client, &renewed.access).await);
    assert!(!app.is_active(&client, &tokens.access).await);
}

async fn a_family_ends_with_its_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let tokens = app.grant(&client, "read").await;
    app.disable(client.id).await;
    app.refresh(&client, tokens.refresh_token()).await.assert_error(401, "invalid_client");
    app.app.dispatch.enable_client(Actor::Operator, client.id).await.unwrap();
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &tokens.access).await);
    let others = app.grant(&other, "read").await;
    assert!(app.is_active(&other, &others.access).await);
}

async fn an_access_token_is_no_refresh_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    app.refresh(&client, &tokens.access).await.assert_error(400, "invalid_grant");
    app.refresh(&client, "x").await.assert_error(400, "invalid_grant");
    app.get_with("/api/resource", tokens.refresh_token()).await.assert_error(401, "invalid_token");
}

async fn a_refresh_survives_a_restart(kind: Kind) {
    let app = TestApp::start_in_real_time(kind, |_| {}).await;
    let client = app.ordinary_client().await;
    let first = app.grant(&client, "read").await;
    let answer = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    let key = app.master_key();
    let app = TestApp::over(app.stop().await, key, |_| {}).await;
    let again = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    assert_eq!(answer.body, again.body, "a lost answer is kept over a restart");
    app.refresh(&client, answer.tokens().refresh_token()).await.assert_status(200);
    app.refresh(&client, first.refresh_token()).await.assert_error(400, "invalid_grant");
}
