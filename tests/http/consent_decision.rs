//! Whose decision counts, and for what.

use grantlog::log::Actor;
use serde_json::json;
use support::{ADMINISTRATOR, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, USER, both_stores};

use super::{consent::asked, consent_asked::rename};

both_stores!(
    what_the_form_posts_never_overrides_the_request,
    a_decision_without_the_forms_token_is_refused,
    a_decision_from_another_site_is_refused,
    another_users_decision_is_refused,
    another_sessions_handle_is_refused,
    a_request_is_answered_once,
    a_denied_request_cannot_be_allowed_afterwards,
    a_request_expires,
    two_tabs_do_not_cross,
    a_tab_left_at_the_sign_in_page_still_works_after_another_signed_in,
    a_person_can_switch_to_another_account,
    a_client_that_is_disabled_or_changed_meanwhile_gets_no_code,
    a_person_who_is_signed_out_or_locked_meanwhile_lets_nothing_happen,
);

async fn what_the_form_posts_never_overrides_the_request(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other = app.client(json!({"redirect_uris": ["https://other.example/cb"], "scope": "read write"})).await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    let form = form.with("scope", "read write").with("redirect_uri", "https://other.example/cb");
    let answer = browser.send(&form.with("client_id", &other.identifier).with("state", "changed")).await.assert_status(303);
    assert!(answer.location().starts_with(REDIRECT_URI), "{answer:?}");
    assert_eq!(answer.answered("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(app.redeem(&client, &answer.answered("code").unwrap()).await.tokens().scope, "read");
}

async fn a_decision_without_the_forms_token_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    for token in ["", "AAAAAAAAAAAAAAAAAAAAAA"] {
        browser.send(&form.clone().with("csrf_token", token)).await.assert_error_page(403, "access_denied");
    }
    for sealed in ["", "AAAA", &"A".repeat(500)] {
        browser.send(&form.clone().with("request", sealed)).await.assert_error_page(400, "invalid_request");
    }
    browser.send(&form.clone().with("decision", "")).await.assert_error_page(400, "invalid_request");
    browser.send(&form).await.assert_status(303);
}

async fn a_decision_from_another_site_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    answer.assert_error_page(403, "access_denied");
    assert!(browser.post_with(&form.action, &fields, ("origin", "null")).await.answered("code").is_some());
}

async fn another_users_decision_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let victim = Browser::signed_in(&app).await;
    let form = asked(&victim, &client, &[]).await.form("allow");
    let attacker = Browser::new(&app);
    attacker.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    attacker.send(&form).await.assert_error_page(403, "access_denied");
    let own = asked(&attacker, &client, &[]).await.form("allow");
    let token = own.fields.iter().find(|(name, _)| name == "csrf_token").unwrap().1.clone();
    attacker.send(&form.clone().with("csrf_token", &token)).await.assert_error_page(403, "access_denied");
    Browser::new(&app).send(&form).await.assert_error_page(403, "access_denied");
    victim.send(&form).await.assert_status(303);
}

async fn another_sessions_handle_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let victim = Browser::new(&app);
    let page = asked(&victim, &client, &[]).await;
    let handle = victim.sign_in_on(&page, USER, PASSWORD).await.location().to_owned();
    assert!(handle.len() < 100, "{handle}");
    Browser::signed_in(&app).await.get(&handle).await.assert_error_page(403, "access_denied");
    app.get(&handle).await.assert_error_page(403, "access_denied");
    app.get("/o/authorize/continue/?request=unknown").await.assert_error_page(400, "invalid_request");
    assert!(victim.get(&handle).await.has("allow"));
}

async fn a_request_is_answered_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    let handle = browser.sign_in_on(&page, USER, PASSWORD).await.location().to_owned();
    let form = browser.get(&handle).await.form("allow");
    let (first, second) = tokio::join!(browser.send(&form), browser.send(&form));
    let codes = [&first, &second].iter().filter(|answer| answer.answered("code").is_some()).count();
    assert_eq!(codes, 1, "{first:?} {second:?}");
    browser.send(&form).await.assert_error_page(400, "invalid_request");
    browser.get(&handle).await.assert_error_page(400, "invalid_request");
}

async fn a_denied_request_cannot_be_allowed_afterwards(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    browser.press(&page, "deny").await.assert_error_redirect("access_denied");
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn a_request_expires(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    app.app.clock.advance(3601);
    browser.sign_in_on(&page, USER, PASSWORD).await.assert_error_page(400, "invalid_request");
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    app.app.clock.advance(3601);
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn two_tabs_do_not_cross(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let one = asked(&browser, &client, &[("state", "one"), ("scope", "read")]).await;
    let two = asked(&browser, &client, &[("state", "two"), ("scope", "write")]).await;
    let one = browser.sign_in_and_go_on(&one).await;
    let two = browser.sign_in_and_go_on(&two).await;
    let two = browser.press(&two, "allow").await;
    let one = browser.press(&one, "allow").await;
    for (answer, state, scope) in [(&one, "one", "read"), (&two, "two", "write")] {
        assert_eq!(answer.answered("state").as_deref(), Some(state));
        assert_eq!(app.redeem(&client, &answer.answered("code").unwrap()).await.tokens().scope, scope);
    }
}

async fn a_tab_left_at_the_sign_in_page_still_works_after_another_signed_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let left = asked(&browser, &client, &[]).await;
    browser.sign_in(USER, PASSWORD).await.assert_status(303);
    assert!(browser.sign_in_and_go_on(&left).await.has("allow"));
}

async fn a_person_can_switch_to_another_account(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let sign_in = browser.press(&page, "switch").await.assert_status(200);
    assert!(sign_in.has("login") && sign_in.text().contains("Ordinary"));
    let answer = browser.sign_in_on(&sign_in, ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let theirs = browser.open(answer.location()).await.assert_status(200);
    assert!(theirs.text().contains(ADMINISTRATOR));
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
    assert!(browser.press(&theirs, "allow").await.answered("code").is_some());
}

async fn a_client_that_is_disabled_or_changed_meanwhile_gets_no_code(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    rename(&app, &client).await;
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
    let page = asked(&browser, &client, &[]).await;
    app.disable(client.id).await;
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn a_person_who_is_signed_out_or_locked_meanwhile_lets_nothing_happen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let out = browser.get("/o/logout/").await;
    browser.press(&out, "logout").await;
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
}
