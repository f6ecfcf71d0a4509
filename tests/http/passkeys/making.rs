//! A passkey is made as it was asked for, and called what its holder calls it. The log holds nothing by which it could be known again.

use support::PageForm;

use super::*;

both_stores!(
    the_first_passkey_comes_with_recovery_codes_and_the_next_without,
    what_is_personal_of_a_passkey_is_sealed,
    a_passkey_is_made_as_it_was_asked_for,
    a_passkey_is_made_once_in_the_session_that_asked,
    a_passkey_has_a_name_and_gets_another,
    an_open_browser_makes_and_removes_nothing_without_the_password,
    an_authenticator_application_and_a_passkey_stand_beside_each_other,
);

/// The page that asks the browser for a passkey.
async fn begun(browser: &Browser<'_>) -> Answer {
    let page = browser.get("/account/second-factor/").await.assert_status(200);
    browser.send(&page.form("add_passkey").with("current_password", PASSWORD)).await.assert_status(200)
}

async fn the_first_passkey_comes_with_recovery_codes_and_the_next_without(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let browser = Browser::signed_in(&app).await;
    let page = begun(&browser).await;
    let page = browser.send(&new_passkey(&app).make(&page, "Phone")).await.assert_status(200);
    assert!(page.header("grantlog-position").parse::<i64>().unwrap() > 0);
    assert_eq!(page.text_of("codes").unwrap().matches('-').count(), 30);
    let page = begun(&browser).await;
    browser.send(&new_passkey(&app).make(&page, "Key on the ring")).await.assert_status(303);
    let passkeys = app.app.dispatch.passkeys(app.user).await.unwrap();
    assert_eq!(passkeys.iter().map(|passkey| passkey.name.as_str()).collect::<Vec<_>>(), ["Phone", "Key on the ring"]);
    let page = browser.get("/account/second-factor/").await;
    assert!(page.text_of("standing").unwrap().contains("10") && page.text().contains("Key on the ring"));
}

async fn what_is_personal_of_a_passkey_is_sealed(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    sign_in(&Browser::new(&app), &mut passkey).await.assert_status(303);
    let written = serde_json::to_string(&app.app.log.read(0, 1_000).await.unwrap()).unwrap();
    let (id, key) = (URL_SAFE_NO_PAD.encode(&passkey.credential_id), URL_SAFE_NO_PAD.encode(passkey.public_x()));
    assert!(written.contains("passkey_enrolled"));
    for personal in ["\"Phone", &id, &key, &format!("{:?}", passkey.credential_id).replace(' ', "")] {
        assert!(!written.contains(personal), "{personal}");
    }
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    assert_eq!(app.app.dispatch.passkeys(app.user).await.unwrap(), []);
}

async fn a_passkey_is_made_as_it_was_asked_for(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let browser = Browser::signed_in(&app).await;
    let refused = async |passkey: &mut Passkey| {
        let page = begun(&browser).await;
        let again = browser.send(&passkey.make(&page, "Phone")).await.assert_status(400);
        assert!(again.has("make_passkey") && again.text_of("problem").is_some());
    };
    refused(&mut Passkey::at("https://evil.example")).await;
    let mut passkey = new_passkey(&app);
    passkey.verified = false;
    refused(&mut passkey).await;
    let mut passkey = new_passkey(&app);
    passkey.in_a_frame = true;
    refused(&mut passkey).await;
    let (page, other) = (begun(&browser).await, begun(&browser).await);
    let mut passkey = new_passkey(&app);
    let brought = field(&passkey.make(&other, "Phone"), "brought");
    browser.send(&page.form("make_passkey").with("name", "Phone").with("brought", &brought)).await.assert_status(400);
    browser.send(&page.form("make_passkey").with("name", "Phone").with("brought", "{}")).await.assert_status(400);
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().are_none());
}

async fn a_passkey_is_made_once_in_the_session_that_asked(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let (browser, other) = (Browser::signed_in(&app).await, Browser::signed_in(&app).await);
    let (page, theirs) = (begun(&browser).await, begun(&other).await);
    let mut passkey = new_passkey(&app);
    let form = passkey.make(&page, "Phone");
    let stolen = form.clone().with("csrf_token", &field(&theirs.form("make_passkey"), "csrf_token"));
    assert!(other.send(&stolen).await.assert_status(400).has("standing"));
    // The same passkey, asked for by two pages at once.
    let twice = passkey.make(&begun(&browser).await, "Phone");
    browser.send(&form).await.assert_status(200);
    browser.send(&form).await.assert_status(400);
    browser.send(&twice).await.assert_status(400);
    only_one(&app).await;
    let late = new_passkey(&app).make(&theirs, "Phone");
    app.app.clock.advance(600);
    assert!(other.send(&late).await.assert_status(400).has("standing"));
    only_one(&app).await;
}

async fn a_passkey_has_a_name_and_gets_another(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let browser = Browser::signed_in(&app).await;
    let long = "a".repeat(61);
    for bad in ["", "   ", &long, "a\u{0}b"] {
        let page = begun(&browser).await;
        browser.send(&new_passkey(&app).make(&page, bad)).await.assert_status(400);
    }
    let page = begun(&browser).await;
    browser.send(&new_passkey(&app).make(&page, " Phone ")).await.assert_status(200);
    let path = format!("/account/passkeys/{}/", only_one(&app).await);
    let page = browser.get(&path).await.assert_status(200);
    assert_eq!(page.attribute("#name", "value").as_deref(), Some("Phone"));
    browser.send(&page.form("rename").with("name", &long)).await.assert_status(400);
    browser.send(&page.form("rename").with("name", "Old phone")).await.assert_status(303);
    assert_eq!(app.app.dispatch.passkeys(app.user).await.unwrap()[0].name, "Old phone");
    let other = Browser::new(&app);
    other.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    other.get(&path).await.assert_status(404);
    let mut forged = other.get("/account/").await.form("end_all").with("name", "Mine");
    forged.action = format!("{path}rename/");
    other.send(&forged).await.assert_status(404);
}

async fn an_open_browser_makes_and_removes_nothing_without_the_password(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let path = format!("/account/passkeys/{}/", only_one(&app).await);
    let browser = Browser::new(&app);
    sign_in(&browser, &mut passkey).await.assert_status(303);
    let removal = async |path: &str| browser.get(path).await.assert_status(200).form("remove");
    // Whoever has just signed in with two factors need not say the password too.
    let fields = removal(&path).await.fields;
    assert!(fields.iter().all(|(name, _)| name != "current_password"), "{fields:?}");
    app.app.clock.advance(300);
    let wrong: PageForm = removal(&path).await.with("current_password", "wrong horse");
    browser.send(&wrong).await.assert_status(400);
    let page = browser.get("/account/second-factor/").await.assert_status(200);
    assert!(page.has("again"));
    let refused = browser.send(&page.form("add_passkey").with("current_password", "wrong horse")).await.assert_status(400);
    assert!(refused.has("standing") && !refused.has("make_passkey"));
    only_one(&app).await;
    // Signing in again does as well.
    let page = browser.get("/sign-in/?another=yes&next=%2Faccount%2Fsecond-factor%2F").await.assert_status(200);
    let done = browser.send(&passkey.sign(&page)).await.assert_status(303);
    assert_eq!(done.location(), "/account/second-factor/");
    browser.send(&removal(&path).await).await.assert_status(303);
    assert!(app.app.dispatch.second_factors(app.user).await.unwrap().are_none());
}

async fn an_authenticator_application_and_a_passkey_stand_beside_each_other(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    let browser = Browser::new(&app);
    sign_in(&browser, &mut passkey).await.assert_status(303);
    let page = browser.get("/account/second-factor/").await;
    let page = browser.send(&page.form("set_up")).await.assert_status(200);
    let code = crate::second_factor::code(&app, &page.text_of("secret").unwrap());
    browser.send(&page.form("turn_on").with("code", &code)).await.assert_status(303);
    app.app.clock.advance(60);
    let page = browser.get("/account/second-factor/").await;
    browser.send(&page.form("turn_off")).await.assert_status(303);
    let factors = app.app.dispatch.second_factors(app.user).await.unwrap();
    assert!(!factors.authenticator && factors.passkeys.len() == 1 && factors.recovery_codes.len() == 10);
}
