//! Passkeys: they are made, sign in alone and after the password, each signature once, and nothing less does.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::PasskeyId;
use grantlog::log::Actor;
use serde_json::{Value, json};
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, Passkey, TestApp, USER, both_stores};

mod around;
mod making;

both_stores!(
    a_passkey_alone_signs_in_as_surely_as_two_factors,
    a_passkey_is_the_second_step_after_the_password,
    a_signature_signs_in_once_at_whichever_node,
    what_was_not_asked_for_signs_nobody_in,
    a_signature_is_for_the_browser_and_the_step_that_asked_and_for_ten_minutes,
    another_users_passkey_is_no_second_step,
    a_passkey_that_was_removed_signs_nobody_in,
    a_counter_that_goes_back_is_refused_and_told,
    a_locked_user_is_not_let_in_by_a_passkey,
    a_client_that_wants_a_surer_sign_in_is_content_with_a_passkey,
    tries_are_counted_for_the_source_alone,
);

/// A new passkey in a browser that shows the server's own pages.
fn new_passkey(app: &TestApp) -> Passkey {
    Passkey::at(app.app.settings.public_url())
}

/// Signs a user in with the password and makes a passkey: what it is, and the page that came of it.
async fn made_by(app: &TestApp, username: &str) -> (Passkey, Answer) {
    let browser = Browser::new(app);
    browser.sign_in(username, PASSWORD).await.assert_status(303);
    let page = browser.get("/account/second-factor/").await.assert_status(200);
    let page = browser.send(&page.form("add_passkey").with("current_password", PASSWORD)).await.assert_status(200);
    let mut passkey = new_passkey(app);
    let page = browser.send(&passkey.make(&page, "Phone")).await.assert_status(200);
    (passkey, page)
}

/// A passkey of the user `USER`.
async fn made(app: &TestApp) -> Passkey {
    made_by(app, USER).await.0
}

/// The id of the user's only passkey.
async fn only_one(app: &TestApp) -> PasskeyId {
    let passkeys = app.app.dispatch.passkeys(app.user).await.unwrap();
    assert_eq!(passkeys.len(), 1, "{passkeys:?}");
    passkeys[0].id
}

async fn is_in(browser: &Browser<'_>) -> bool {
    browser.open("/account/").await.assert_status(200).has("change_password")
}

/// Signs in with a passkey on a new sign-in page.
async fn sign_in(browser: &Browser<'_>, passkey: &mut Passkey) -> Answer {
    let page = browser.get("/sign-in/").await.assert_status(200);
    browser.send(&passkey.sign(&page)).await
}

/// The password is right: the page that asks for more.
async fn asked(browser: &Browser<'_>) -> Answer {
    let page = browser.sign_in(USER, PASSWORD).await.assert_status(200);
    assert!(page.has("prove") && !page.has("login"));
    page
}

/// The last event of a type.
async fn last(app: &TestApp, event_type: &str) -> Option<Value> {
    let events = app.app.log.read(0, 1_000).await.unwrap();
    let event = events.iter().rev().find(|event| event.event_type == event_type)?;
    Some(serde_json::from_str(&event.payload).unwrap())
}

async fn a_passkey_alone_signs_in_as_surely_as_two_factors(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let browser = Browser::new(&app);
    let page = browser.open("/o/applications/").await;
    let done = browser.send(&passkey.sign(&page)).await.assert_status(303);
    assert_eq!(done.location(), "/o/applications/");
    assert!(is_in(&browser).await);
    let started = last(&app, "session.started").await.unwrap();
    assert_eq!(started["sign_in"]["amr"], json!(["pop", "user", "mfa"]));
    assert_eq!(started["sign_in"]["acr"], "urn:grantlog:acr:2fa");
    let used = last(&app, "user.passkey_used").await.unwrap();
    assert_eq!((&used["sign_count"], &used["backed_up"]), (&json!(0), &json!(true)));
    let page = browser.get("/account/second-factor/").await;
    assert!(page.text().contains("last used"), "{}", page.text());
}

async fn a_passkey_is_the_second_step_after_the_password(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let (mut passkey, codes) = made_by(&app, USER).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    assert!(!is_in(&browser).await);
    let allowed = page.attribute("form[data-passkey]", "data-options").unwrap();
    let allowed: Value = serde_json::from_str(&allowed).unwrap();
    assert_eq!(allowed["allowCredentials"][0]["id"], URL_SAFE_NO_PAD.encode(&passkey.credential_id));
    browser.send(&passkey.sign(&page)).await.assert_status(303);
    assert!(is_in(&browser).await);
    assert_eq!(last(&app, "session.started").await.unwrap()["sign_in"]["amr"], json!(["pwd", "pop", "user", "mfa"]));
    // A security key need not say whose passkey it is, where it was asked for this one.
    passkey.user_handle = None;
    let another = Browser::new(&app);
    let page = asked(&another).await;
    another.send(&passkey.sign(&page)).await.assert_status(303);
    let recovering = Browser::new(&app);
    let page = asked(&recovering).await;
    let code: String = codes.text_of("codes").unwrap().chars().filter(|letter| !letter.is_whitespace()).take(19).collect();
    recovering.send(&page.form("prove").with("code", &code)).await.assert_status(303);
}

async fn a_signature_signs_in_once_at_whichever_node(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let node = app.another_node_serving().await;
    let mut passkey = made(&app).await;
    for count in [None, Some(7)] {
        passkey.sign_count = count;
        let browser = Browser::new(&app);
        let page = browser.get("/sign-in/").await;
        let form = passkey.sign(&page);
        let (one, other) = tokio::join!(browser.send(&form), browser.send_to(node, &form));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 403]);
        browser.send(&form).await.assert_status(403);
        browser.send_to(node, &form).await.assert_status(403);
    }
    // What is replayed is no sign of a copy.
    assert_eq!(last(&app, "user.passkey_counter_went_back").await, None);
}

async fn what_was_not_asked_for_signs_nobody_in(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let browser = Browser::new(&app);
    let origin = passkey.origin.clone();
    for wrong in ["https://evil.example".to_owned(), origin.replace("localhost", "localhost.evil.example"), format!("{origin}0")]
    {
        passkey.origin = wrong;
        sign_in(&browser, &mut passkey).await.assert_status(400);
    }
    passkey.origin = origin;
    passkey.in_a_frame = true;
    sign_in(&browser, &mut passkey).await.assert_status(400);
    passkey.in_a_frame = false;
    passkey.verified = false;
    sign_in(&browser, &mut passkey).await.assert_status(400);
    passkey.verified = true;
    // What another page asked for.
    let (page, other) = (browser.get("/sign-in/").await, browser.get("/sign-in/").await);
    let brought = field(&passkey.sign(&other), "brought");
    browser.send(&page.form("passkey").with("brought", &brought)).await.assert_status(400);
    // Somebody else's key, and bytes that are nothing.
    let mut stranger = new_passkey(&app);
    (stranger.credential_id, stranger.user_handle) = (passkey.credential_id.clone(), passkey.user_handle.clone());
    sign_in(&browser, &mut stranger).await.assert_status(400);
    stranger.user_handle = Some(vec![7; 16]);
    sign_in(&browser, &mut stranger).await.assert_status(400);
    stranger.user_handle = None;
    sign_in(&browser, &mut stranger).await.assert_status(400);
    for nothing in ["", "{}", "\u{7f}", &brought.replace("public-key", "x")[..40]] {
        browser.send(&page.form("passkey").with("brought", nothing)).await.assert_status(400);
    }
    assert!(!is_in(&browser).await);
    let refused = sign_in(&browser, &mut stranger).await;
    assert!(refused.has("login") && refused.text_of("problem").is_some());
    sign_in(&browser, &mut passkey).await.assert_status(303);
}

fn field(form: &support::PageForm, name: &str) -> String {
    form.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap()
}

async fn a_signature_is_for_the_browser_and_the_step_that_asked_and_for_ten_minutes(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let (browser, other) = (Browser::new(&app), Browser::new(&app));
    let (page, theirs) = (browser.get("/sign-in/").await, other.get("/sign-in/").await);
    let stolen = passkey.sign(&page).with("csrf_token", &field(&theirs.form("passkey"), "csrf_token"));
    other.send(&stolen).await.assert_status(403);
    // For the second step what was asked for there, and the other way round.
    let second = asked(&browser).await;
    let alone = passkey.sign(&page).with("proven", &field(&second.form("passkey"), "proven"));
    browser.send(&alone).await.assert_status(403);
    let mut without = passkey.sign(&second);
    without.fields.retain(|(name, _)| name != "proven");
    browser.send(&without).await.assert_status(403);
    let late = passkey.sign(&page);
    app.app.clock.advance(600);
    browser.send(&late).await.assert_status(403);
    browser.send(&passkey.sign(&second)).await.assert_status(403);
    browser.post("/sign-in/passkey/", &[("brought", "{}")]).await.assert_status(403);
    let page = browser.get("/sign-in/").await;
    browser.post_with("/sign-in/passkey/", &[], ("origin", "https://evil.example")).await.assert_status(403);
    assert!(!is_in(&browser).await && !is_in(&other).await);
    browser.send(&passkey.sign(&page)).await.assert_status(303);
}

async fn another_users_passkey_is_no_second_step(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    made(&app).await;
    let (mut theirs, _) = made_by(&app, ADMINISTRATOR).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    browser.send(&theirs.sign(&page)).await.assert_status(400);
    theirs.user_handle = None;
    let page = asked(&browser).await;
    let refused = browser.send(&theirs.sign(&page)).await.assert_status(400);
    assert!(refused.has("prove") && !is_in(&browser).await);
}

async fn a_passkey_that_was_removed_signs_nobody_in(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let browser = Browser::new(&app);
    sign_in(&browser, &mut passkey).await.assert_status(303);
    let page = browser.get(&format!("/account/passkeys/{}/", only_one(&app).await)).await.assert_status(200);
    browser.send(&page.form("remove")).await.assert_status(303);
    let another = Browser::new(&app);
    sign_in(&another, &mut passkey).await.assert_status(400);
    another.sign_in(USER, PASSWORD).await.assert_status(303);
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().recovery_codes.is_empty());
}

async fn a_counter_that_goes_back_is_refused_and_told(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    passkey.sign_count = Some(10);
    let browser = Browser::new(&app);
    sign_in(&browser, &mut passkey).await.assert_status(303);
    for count in [10, 3] {
        // The copy signs as often as the original has.
        passkey.sign_count = Some(count);
        let copy = Browser::new(&app);
        let refused = sign_in(&copy, &mut passkey).await.assert_status(403);
        assert!(refused.text_of("problem").is_some_and(|problem| problem.contains("copy")) && !is_in(&copy).await);
        assert_eq!(last(&app, "user.passkey_counter_went_back").await.unwrap()["sign_count"], json!(count + 1));
    }
    let id = only_one(&app).await;
    assert!(browser.get("/account/second-factor/").await.text().contains("there may be a copy"));
    assert!(browser.get(&format!("/account/passkeys/{id}/")).await.has("went_back"));
    passkey.sign_count = Some(11);
    sign_in(&Browser::new(&app), &mut passkey).await.assert_status(303);
}

async fn a_locked_user_is_not_let_in_by_a_passkey(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    let browser = Browser::new(&app);
    sign_in(&browser, &mut passkey).await.assert_status(403);
    assert_eq!(last(&app, "user.passkey_used").await, None);
    app.app.dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
    sign_in(&browser, &mut passkey).await.assert_status(303);
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    sign_in(&Browser::new(&app), &mut passkey).await.assert_status(400);
}

async fn a_client_that_wants_a_surer_sign_in_is_content_with_a_passkey(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let client = app.client(json!({"redirect_uris": [support::REDIRECT_URI], "scope": "openid read"})).await;
    let asking = app.authorize_path(&client, &[("scope", "openid"), ("acr_values", "urn:grantlog:acr:2fa"), ("max_age", "60")]);
    let browser = Browser::signed_in(&app).await;
    let mut passkey = made(&app).await;
    let page = browser.open(&asking).await.assert_status(200);
    assert!(page.has("login"), "the sign-in of before does not do");
    let done = browser.send(&passkey.sign(&page)).await.assert_status(303);
    let page = browser.open(done.location()).await;
    let answer = browser.press(&page, "allow").await;
    let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    let claims = URL_SAFE_NO_PAD.decode(tokens.id_token().split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:grantlog:acr:2fa"), &json!(["pop", "user", "mfa"])));
}

async fn tries_are_counted_for_the_source_alone(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        settings.server.public_url = format!("http://localhost:{}", settings.server.listen.port()).parse().unwrap();
        settings.limits.sign_in_failures_per_source = 3;
        settings.limits.sign_in_failures_per_account = 1;
    })
    .await;
    let mut passkey = made(&app).await;
    let browser = Browser::new(&app);
    passkey.verified = false;
    sign_in(&browser, &mut passkey).await.assert_status(400);
    sign_in(&browser, &mut passkey).await.assert_status(400);
    passkey.verified = true;
    sign_in(&browser, &mut passkey).await.assert_status(303);
    let browser = Browser::new(&app);
    passkey.verified = false;
    sign_in(&browser, &mut passkey).await.assert_status(400);
    passkey.verified = true;
    let refused = sign_in(&browser, &mut passkey).await.assert_status(429);
    assert_eq!(refused.header("retry-after"), "900");
}
