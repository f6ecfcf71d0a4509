//! A client says whom it expects: by an `id_token_hint` (OpenID Connect Core section 3.1.2.1), or by a value of `sub` in `claims` (section
//! 5.5.1). Nobody else is taken for them.

use serde_json::json;
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    the_user_who_is_expected_is_not_asked,
    another_user_who_is_signed_in_signs_in_anew,
    prompt_none_never_answers_for_another_user,
    another_user_who_signs_in_for_it_is_sent_back,
    a_hint_that_is_none_is_refused,
    a_hint_and_claims_must_mean_the_same,
);

async fn registered(app: &TestApp) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid read", "skip_consent": true})).await
}

async fn asked(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    browser.open(&browser.app.authorize_path(client, &[&[("scope", "openid")], changes].concat())).await
}

/// The two ways to say it.
async fn expectations(app: &TestApp, client: &TestClient) -> [(&'static str, String); 3] {
    let hint = app.grant(client, "openid").await.id_token().to_owned();
    [
        ("id_token_hint", hint),
        ("claims", json!({"id_token": {"sub": {"value": app.user}}}).to_string()),
        ("claims", json!({"id_token": {"sub": {"values": ["somebody", app.user], "essential": true}}}).to_string()),
    ]
}

async fn other(app: &TestApp) -> Browser<'_> {
    let browser = Browser::new(app);
    browser.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    browser
}

async fn the_user_who_is_expected_is_not_asked(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = registered(&app).await;
    let expectations = expectations(&app, &client).await;
    let browser = Browser::signed_in(&app).await;
    // Long after the ID token has expired, and its key was superseded.
    app.app.clock.advance(3_600 * 24);
    app.app.dispatch.rotate_keys(grantlog::log::Actor::Operator, domain::client::SigningAlgorithm::RS256).await.unwrap();
    for (name, value) in &expectations {
        for prompt in ["", "none"] {
            let answer = asked(&browser, &client, &[(name, value), ("prompt", prompt)]).await;
            assert!(answer.answered("code").is_some(), "{name} {prompt}: {answer:?}");
        }
    }
}

async fn another_user_who_is_signed_in_signs_in_anew(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = registered(&app).await;
    for (name, value) in &expectations(&app, &client).await {
        let browser = other(&app).await;
        let page = asked(&browser, &client, &[(name, value)]).await.assert_status(200);
        let answer = browser.sign_in_and_go_on(&page).await;
        let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
        let told = app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200).json();
        assert_eq!(told["sub"], json!(app.user), "{name}");
    }
}

async fn prompt_none_never_answers_for_another_user(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = registered(&app).await;
    let browser = other(&app).await;
    for (name, value) in &expectations(&app, &client).await {
        for browser in [&browser, &Browser::new(&app)] {
            asked(browser, &client, &[(name, value), ("prompt", "none")]).await.assert_error_redirect("login_required");
        }
    }
}

async fn another_user_who_signs_in_for_it_is_sent_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = registered(&app).await;
    for (name, value) in &expectations(&app, &client).await {
        let browser = Browser::new(&app);
        let page = asked(&browser, &client, &[(name, value)]).await.assert_status(200);
        let answer = browser.sign_in_on(&page, ADMINISTRATOR, PASSWORD).await.assert_status(303);
        browser.open(answer.location()).await.assert_error_redirect("login_required");
    }
}

async fn a_hint_that_is_none_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, another) = (registered(&app).await, registered(&app).await);
    let browser = Browser::signed_in(&app).await;
    let tokens = app.grant(&client, "openid").await;
    let of_another = app.grant(&another, "openid").await.id_token().to_owned();
    let cut = &tokens.id_token()[..tokens.id_token().len() - 3];
    for hint in ["x", "a.b.c", &tokens.access, &of_another, cut, &"x".repeat(3_000)] {
        let answer = asked(&browser, &client, &[("id_token_hint", hint)]).await;
        answer.assert_error_redirect("invalid_request");
    }
    let elsewhere = TestApp::start(kind).await;
    let foreign = elsewhere.grant(&registered(&elsewhere).await, "openid").await;
    asked(&browser, &client, &[("id_token_hint", foreign.id_token())]).await.assert_error_redirect("invalid_request");
}

async fn a_hint_and_claims_must_mean_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = registered(&app).await;
    let browser = Browser::signed_in(&app).await;
    let [(_, hint), (_, claims), _] = expectations(&app, &client).await;
    let other = json!({"id_token": {"sub": {"value": "somebody"}}}).to_string();
    assert!(asked(&browser, &client, &[("id_token_hint", &hint), ("claims", &claims)]).await.answered("code").is_some());
    asked(&browser, &client, &[("id_token_hint", &hint), ("claims", &other)]).await.assert_error_redirect("invalid_request");
    let nobody = json!({"id_token": {"sub": {"value": 7}}}).to_string();
    asked(&browser, &client, &[("claims", &nobody), ("prompt", "none")]).await.assert_error_redirect("login_required");
}
