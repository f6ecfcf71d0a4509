//! Device codes are polled with, at a pace, and used once, by whom they were given to (RFC 8628 section 3.5).

use futures_util::future::join_all;
use grantlog::log::Actor;
use serde_json::json;
use support::{Device, Kind, TestApp, both_stores};

use crate::device::let_in;

both_stores!(
    a_device_code_is_used_once,
    of_fifty_polls_over_two_nodes_one_succeeds,
    whoever_polls_too_fast_is_slowed_down,
    the_pace_is_exact_over_two_nodes,
    a_device_code_is_its_own_clients,
    a_truncated_extended_or_changed_device_code_is_none,
    polling_writes_no_event,
    an_approval_is_dead_once_what_it_stands_on_has_ended,
    with_offline_access_it_outlives_the_sign_in,
);

async fn a_device_code_is_used_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    app.let_in(&device).await;
    let tokens = app.poll(&client, &device).await.assert_status(200).tokens();
    app.poll(&client, &device).await.assert_error(400, "invalid_grant");
    assert!(app.is_active(&client, &tokens.access).await, "a device that asks once more too often loses nothing");
}

async fn of_fifty_polls_over_two_nodes_one_succeeds(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let nodes = [app.address, app.another_node_serving().await];
    let device = app.device(&client, "openid read").await;
    app.let_in(&device).await;
    let answers = join_all((0..50).map(|number| app.poll_at(nodes[number % 2], &client, &device))).await;
    let (succeeded, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(succeeded.len(), 1);
    for answer in refused {
        answer.assert_error(400, "invalid_grant");
    }
    assert!(app.is_active(&client, &succeeded[0].tokens().access).await);
}

async fn whoever_polls_too_fast_is_slowed_down(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    let after = async |seconds, code: &str| {
        app.app.clock.advance(seconds);
        app.poll(&client, &device).await.assert_error(400, code);
    };
    after(0, "authorization_pending").await;
    after(5, "authorization_pending").await;
    after(4, "slow_down").await;
    // Ten seconds from now on.
    after(9, "slow_down").await;
    // Fifteen.
    after(14, "slow_down").await;
    after(20, "authorization_pending").await;
    after(19, "slow_down").await;
    after(25, "authorization_pending").await;
    // Whoever was let in is not made to wait.
    app.let_in(&device).await;
    app.poll(&client, &device).await.assert_status(200);
}

async fn the_pace_is_exact_over_two_nodes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let nodes = [app.address, app.another_node_serving().await];
    let device = app.device(&client, "read").await;
    let answers = join_all((0..20).map(|number| app.poll_at(nodes[number % 2], &client, &device))).await;
    let with = |code: &str| answers.iter().filter(|answer| answer.json()["error"] == code).count();
    assert_eq!((with("authorization_pending"), with("slow_down")), (1, 19));
    // Nineteen times five seconds more than the five of the beginning.
    app.app.clock.advance(99);
    app.poll(&client, &device).await.assert_error(400, "slow_down");
    app.app.clock.advance(105);
    app.poll(&client, &device).await.assert_error(400, "authorization_pending");
}

async fn a_device_code_is_its_own_clients(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.device_client().await, app.device_client().await);
    let device = app.device(&client, "read").await;
    app.poll(&other, &device).await.assert_error(400, "invalid_grant");
    app.let_in(&device).await;
    app.poll(&other, &device).await.assert_error(400, "invalid_grant");
    app.poll(&client, &device).await.assert_status(200);
    app.poll(&other, &device).await.assert_error(400, "invalid_grant");
}

async fn a_truncated_extended_or_changed_device_code_is_none(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    app.let_in(&device).await;
    let code = &device.device_code;
    let bad = [&code[..code.len() - 1], &format!("{code}a"), &code.to_uppercase(), "x", &device.user_code];
    for bad in bad.map(str::to_owned) {
        app.poll(&client, &Device { device_code: bad, ..device.clone() }).await.assert_error(400, "invalid_grant");
    }
    let as_a_code = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let both = app
        .client(json!({"grant_types": ["authorization_code"], "redirect_uris": [support::REDIRECT_URI], "scope": "read"}))
        .await;
    app.post_as(&both, "/o/token/", &as_a_code).await.assert_error(400, "invalid_grant");
    app.poll(&client, &device).await.assert_status(200);
}

async fn polling_writes_no_event(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    let head = async || app.app.log.read(0, 1_000).await.unwrap().len();
    let before = head().await;
    for _ in 0..5 {
        app.poll(&client, &device).await.assert_status(400);
        app.app.clock.advance(3);
    }
    assert_eq!(head().await, before);
}

async fn an_approval_is_dead_once_what_it_stands_on_has_ended(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let dispatch = &app.app.dispatch;
    let refused = async |device: Device| app.poll(&client, &device).await.assert_error(400, "invalid_grant");
    let device = let_in(&app, &client, "read").await;
    app.withdraw_consent(&client).await;
    refused(device).await;
    let device = let_in(&app, &client, "read").await;
    dispatch.set_password(Actor::Operator, app.user, support::PASSWORD.into()).await.unwrap();
    refused(device).await;
    let device = let_in(&app, &client, "read").await;
    dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
    refused(device).await;
    let device = let_in(&app, &client, "read").await;
    app.poll(&client, &device).await.assert_status(200);
    let device = let_in(&app, &client, "read").await;
    app.disable(client.id).await;
    app.poll(&client, &device).await.assert_error(401, "invalid_client");
    dispatch.enable_client(Actor::Operator, client.id).await.unwrap();
    refused(device).await;
}

async fn with_offline_access_it_outlives_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    for (scope, status) in [("read", 400), ("read offline_access", 200)] {
        let device = app.device(&client, scope).await;
        let browser = support::Browser::signed_in(&app).await;
        let page = browser.question_of(&device.user_code).await;
        browser.press(&page, "allow").await.assert_status(200);
        let page = browser.open("/o/logout/").await;
        browser.press(&page, "logout").await.assert_status(200);
        app.poll(&client, &device).await.assert_status(status);
    }
}
