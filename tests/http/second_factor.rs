//! Two-step sign-in: an authenticator application is set up, its codes and the recovery codes sign in, each once, and nothing less does.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use grantlog::log::Actor;
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, USER, both_stores};
use totp_rs::{Builder, Secret};

both_stores!(
    who_has_an_authenticator_signs_in_with_a_code,
    a_code_signs_in_once,
    a_recovery_code_signs_in_once,
    new_recovery_codes_take_the_place_of_the_old_ones,
    turned_off_the_password_alone_signs_in_again,
    an_operator_helps_who_lost_it_all,
    codes_are_not_guessed,
    an_open_browser_changes_nothing_without_the_password,
    a_right_password_waits_five_minutes_for_its_code,
    a_wrong_first_code_turns_nothing_on,
    an_application_that_was_left_is_not_confirmed_by_another_session,
    the_sign_in_says_how_it_was_done,
    a_client_that_wants_a_surer_sign_in_gets_one_where_it_can_be_had,
    a_client_is_refused_that_requires_what_cannot_be_had,
    a_resource_demands_a_surer_or_a_more_recent_sign_in,
);

/// Somebody with an authenticator application.
struct Careful {
    /// In base32.
    secret: String,
    recovery_codes: Vec<String>,
}

/// The code that an application shows.
pub(crate) fn code(app: &TestApp, secret: &str) -> String {
    code_later(app, secret, 0)
}

/// The code that it shows so many seconds from now.
fn code_later(app: &TestApp, secret: &str, seconds: i64) -> String {
    let secret = Secret::try_from_base32(secret.replace(' ', "")).unwrap();
    let moment = u64::try_from(app.app.clock.now().unix() + seconds).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(moment).to_string()
}

/// Codes that it shows neither now nor just before or after.
fn wrong_codes(app: &TestApp, secret: &str) -> impl Iterator<Item = String> {
    let right = [-30, 0, 30].map(|seconds| code_later(app, secret, seconds));
    (0..).map(|number| format!("{number:06}")).filter(move |code| !right.contains(code))
}

/// The page that shows a new application its secret.
async fn begun(browser: &Browser<'_>) -> Answer {
    let page = browser.get("/account/second-factor/").await.assert_status(200);
    browser.send(&page.form("set_up").with("current_password", PASSWORD)).await.assert_status(200)
}

/// The recovery codes that a page shows: four groups of four letters each.
fn codes_on(page: &Answer) -> Vec<String> {
    let letters: Vec<char> = page.text_of("codes").unwrap().chars().filter(|letter| !letter.is_whitespace()).collect();
    letters.chunks("abcd-efgh-ijkl-mnop".len()).map(|code| code.iter().collect()).collect()
}

/// The user `USER` sets an application up. A while passes, so that it shows another code.
async fn careful(app: &TestApp) -> Careful {
    let browser = Browser::signed_in(app).await;
    let page = begun(&browser).await;
    let secret = page.text_of("secret").unwrap();
    let page = browser.send(&page.form("turn_on").with("code", &code(app, &secret))).await.assert_status(200);
    assert!(page.header("grantlog-position").parse::<i64>().unwrap() > 0);
    app.app.clock.advance(60);
    Careful { secret, recovery_codes: codes_on(&page) }
}

/// The password is right: the page that asks for the code.
async fn asked(browser: &Browser<'_>) -> Answer {
    let page = browser.sign_in(USER, PASSWORD).await.assert_status(200);
    assert!(page.has("prove") && !page.has("login"));
    page
}

async fn with_code(browser: &Browser<'_>, page: &Answer, code: &str) -> Answer {
    browser.send(&page.form("prove").with("code", code)).await
}

async fn is_in(browser: &Browser<'_>) -> bool {
    browser.open("/account/").await.assert_status(200).has("change_password")
}

async fn who_has_an_authenticator_signs_in_with_a_code(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = browser.open("/o/applications/").await;
    let page = browser.sign_in_on(&page, USER, PASSWORD).await.assert_status(200);
    assert!(!is_in(&browser).await);
    let wrong = wrong_codes(&app, &careful.secret).next().unwrap();
    let wrong = with_code(&browser, &page, &wrong).await.assert_status(400);
    assert!(wrong.text_of("problem").is_some() && !is_in(&browser).await);
    let done = with_code(&browser, &wrong, &code(&app, &careful.secret)).await.assert_status(303);
    assert_eq!(done.location(), "/o/applications/");
    assert!(is_in(&browser).await);
}

async fn a_code_signs_in_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let code = code(&app, &careful.secret);
    let (first, second) = (Browser::new(&app), Browser::new(&app));
    let (first_page, second_page) = (asked(&first).await, asked(&second).await);
    let (one, other) = tokio::join!(with_code(&first, &first_page, &code), with_code(&second, &second_page, &code));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400]);
    let third = Browser::new(&app);
    let page = asked(&third).await;
    with_code(&third, &page, &code).await.assert_status(400);
}

async fn a_recovery_code_signs_in_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    assert_eq!(careful.recovery_codes.len(), 10);
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    let typed = careful.recovery_codes[3].replace('-', " ").to_uppercase();
    with_code(&browser, &page, &typed).await.assert_status(303);
    assert!(browser.get("/account/second-factor/").await.text_of("standing").unwrap().contains('9'));
    let again = Browser::new(&app);
    let page = asked(&again).await;
    with_code(&again, &page, &careful.recovery_codes[3]).await.assert_status(400);
    with_code(&again, &page, &careful.recovery_codes[4]).await.assert_status(303);
}

async fn new_recovery_codes_take_the_place_of_the_old_ones(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    with_code(&browser, &page, &careful.recovery_codes[0]).await.assert_status(303);
    let page = browser.get("/account/second-factor/").await;
    let page = browser.send(&page.form("new_codes").with("current_password", PASSWORD)).await.assert_status(200);
    let new = codes_on(&page);
    let again = Browser::new(&app);
    let page = asked(&again).await;
    with_code(&again, &page, &careful.recovery_codes[1]).await.assert_status(400);
    with_code(&again, &page, &new[1]).await.assert_status(303);
}

async fn turned_off_the_password_alone_signs_in_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(303);
    let page = browser.get("/account/second-factor/").await;
    browser.send(&page.form("turn_off").with("current_password", PASSWORD)).await.assert_status(303);
    assert!(browser.get("/account/second-factor/").await.has("set_up"));
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().recovery_codes.is_empty());
}

async fn an_operator_helps_who_lost_it_all(kind: Kind) {
    let app = TestApp::start(kind).await;
    careful(&app).await;
    app.app.dispatch.remove_second_factors(Actor::Operator, app.user).await.unwrap();
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);
}

async fn codes_are_not_guessed(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.sign_in_failures_per_account = 3).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    for guess in wrong_codes(&app, &careful.secret).take(3) {
        with_code(&browser, &page, &guess).await.assert_status(400);
    }
    let refused = with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(429);
    assert_eq!(refused.header("retry-after"), "900");
    assert!(!is_in(&browser).await);
    app.app.clock.advance(901);
    let page = asked(&browser).await;
    with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(303);
}

async fn an_open_browser_changes_nothing_without_the_password(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/account/second-factor/").await;
    let refused = browser.send(&page.form("set_up").with("current_password", "wrong horse")).await.assert_status(400);
    assert!(refused.text_of("problem").is_some() && !refused.has("turn_on"));
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(303);
    // For five minutes they need not say again who they are.
    app.app.clock.advance(300);
    let page = browser.get("/account/second-factor/").await;
    for button in ["new_codes", "turn_off"] {
        browser.send(&page.form(button).with("current_password", "wrong horse")).await.assert_status(400);
    }
    let factors = app.app.dispatch.second_factors(app.user).await.unwrap();
    assert!(factors.authenticator && factors.recovery_codes.len() == 10);
    browser.post("/account/second-factor/off/", &[("current_password", PASSWORD)]).await.assert_status(403);
}

async fn a_right_password_waits_five_minutes_for_its_code(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    app.app.clock.advance(301);
    let late = with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(403);
    assert!(late.has("login") && !is_in(&browser).await);
    // What was sealed for something else is no proof of a password.
    let page = asked(&browser).await;
    let request = page.attribute("input[name=csrf_token]", "value").unwrap();
    let forged = page.form("prove").with("proven", &request).with("code", &code(&app, &careful.secret));
    browser.send(&forged).await.assert_status(403);
}

async fn a_wrong_first_code_turns_nothing_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let page = begun(&browser).await;
    let secret = page.text_of("secret").unwrap();
    let wrong = wrong_codes(&app, &secret).next().unwrap();
    let wrong = browser.send(&page.form("turn_on").with("code", &wrong)).await.assert_status(400);
    assert_eq!(wrong.text_of("secret"), Some(secret.clone()));
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().are_none());
    browser.send(&wrong.form("turn_on").with("code", &code(&app, &secret))).await.assert_status(200);
    // A second one is not set up behind the first.
    let again = browser.send(&page.form("turn_on").with("code", &code(&app, &secret))).await.assert_status(400);
    assert!(again.has("standing"));
}

async fn an_application_that_was_left_is_not_confirmed_by_another_session(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (browser, other) = (Browser::signed_in(&app).await, Browser::signed_in(&app).await);
    let (page, theirs) = (begun(&browser).await, begun(&other).await);
    let (code, new) = (code(&app, &page.text_of("secret").unwrap()), page.attribute("input[name=new]", "value").unwrap());
    other.send(&theirs.form("turn_on").with("new", &new).with("code", &code)).await.assert_status(400);
    app.app.clock.advance(901);
    let late = browser.send(&page.form("turn_on").with("code", &code)).await.assert_status(400);
    assert!(late.has("standing"));
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().are_none());
}

async fn the_sign_in_says_how_it_was_done(kind: Kind) {
    let app = TestApp::start(kind).await;
    let careful = careful(&app).await;
    let browser = Browser::new(&app);
    let page = asked(&browser).await;
    with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(303);
    let events = app.app.log.read(0, 1_000).await.unwrap();
    let started = events.iter().rev().find(|event| event.event_type == "session.started").unwrap();
    let payload: Value = serde_json::from_str(&started.payload).unwrap();
    assert_eq!(payload["sign_in"]["amr"], json!(["pwd", "otp", "mfa"]));
    let written = serde_json::to_string(&events).unwrap();
    assert!(careful.recovery_codes.iter().all(|code| !written.contains(code.as_str())));
    assert!(!written.contains(&careful.secret.replace(' ', "")));
}

/// The context classes.
const ONE: &str = "urn:grantlog:acr:1fa";
const TWO: &str = "urn:grantlog:acr:2fa";

/// What the ID token of a code says of the sign-in.
async fn context_told(app: &TestApp, client: &TestClient, answer: &Answer) -> Value {
    let tokens = app.redeem(client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    let claims = URL_SAFE_NO_PAD.decode(tokens.id_token().split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["acr"].clone()
}

/// The context that an ID token tells where a client wants this one. The user proves all that it takes, and has no second factor afterwards.
pub(crate) async fn context_reached(app: &TestApp, wanted: &str) -> Value {
    let client = openid_client(app, json!({})).await;
    let careful = careful(app).await;
    let browser = Browser::new(app);
    let page = browser.open(&app.authorize_path(&client, &[("scope", "openid"), ("acr_values", wanted)])).await;
    let answer = match wanted {
        ONE => {
            app.app.dispatch.remove_second_factors(Actor::Operator, app.user).await.unwrap();
            browser.sign_in_and_go_on(&page).await
        }
        _ => {
            let page = browser.sign_in_on(&page, USER, PASSWORD).await.assert_status(200);
            let done = with_code(&browser, &page, &code(app, &careful.secret)).await.assert_status(303);
            browser.open(done.location()).await
        }
    };
    app.app.dispatch.remove_second_factors(Actor::Operator, app.user).await.unwrap();
    context_told(app, &client, &browser.press(&answer, "allow").await).await
}

async fn openid_client(app: &TestApp, members: Value) -> TestClient {
    let mut metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid read"});
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client(metadata).await
}

async fn a_client_that_wants_a_surer_sign_in_gets_one_where_it_can_be_had(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, by_default) =
        (openid_client(&app, json!({})).await, openid_client(&app, json!({"default_acr_values": [TWO]})).await);
    let browser = Browser::signed_in(&app).await;
    let asking = app.authorize_path(&client, &[("scope", "openid"), ("acr_values", TWO)]);
    let answer = browser.allow(&asking).await;
    assert_eq!(context_told(&app, &client, &answer).await, ONE, "the user has nothing surer");

    let careful = careful(&app).await;
    let silent = format!("{asking}&prompt=none");
    browser.get(&silent).await.assert_error_redirect("login_required");
    let again = app.authorize_path(&by_default, &[("scope", "openid")]);
    for (client, asking) in [(&client, &asking), (&by_default, &again)] {
        let page = browser.open(asking).await.assert_status(200);
        assert!(page.has("login"), "the sign-in of before does not do");
        let page = browser.sign_in_on(&page, USER, PASSWORD).await.assert_status(200);
        let done = with_code(&browser, &page, &code(&app, &careful.secret)).await.assert_status(303);
        let page = browser.open(done.location()).await;
        let answer = if page.location().is_empty() { browser.press(&page, "allow").await } else { page };
        assert_eq!(context_told(&app, client, &answer).await, TWO);
        app.app.clock.advance(60);
        let answer = browser.allow(asking).await;
        assert_eq!(context_told(&app, client, &answer).await, TWO, "a sure sign-in does for the next request");
        browser.send(&browser.get("/o/logout/").await.form("logout")).await;
    }
}

async fn a_client_is_refused_that_requires_what_cannot_be_had(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = openid_client(&app, json!({})).await;
    let browser = Browser::signed_in(&app).await;
    let required = json!({"id_token": {"acr": {"essential": true, "values": [TWO]}}}).to_string();
    let asking = app.authorize_path(&client, &[("scope", "openid"), ("claims", &required)]);
    browser.open(&asking).await.assert_error_redirect("unmet_authentication_requirements");
}

async fn a_resource_demands_a_surer_or_a_more_recent_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let ask =
        |token: &str, demand: &str| Answer::of(app.http.get(app.url(&format!("/api/resource?{demand}"))).bearer_auth(token));
    let surer = format!("acr_values={TWO}");
    let refused = ask(&tokens.access, &surer).await.assert_error(401, "insufficient_user_authentication");
    let challenge = refused.header("www-authenticate");
    assert!(
        challenge.contains(r#"error="insufficient_user_authentication""#)
            && challenge.contains(&format!(r#"acr_values="{TWO}""#))
    );
    ask(&tokens.access, &format!("acr_values={ONE}&max_age=300")).await.assert_status(200);
    app.app.clock.advance(400);
    let refused = ask(&tokens.access, "max_age=300").await.assert_error(401, "insufficient_user_authentication");
    assert!(refused.header("www-authenticate").contains(r#"max_age="300""#));
    ask(&tokens.access, "acr_values=gold").await.assert_error(400, "invalid_request");
    let own = app.token_of(&client, "read").await.access;
    ask(&own, "max_age=300").await.assert_error(401, "insufficient_user_authentication");
    ask(&own, "").await.assert_status(200);
}
