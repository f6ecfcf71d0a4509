//! Where a person is signed in, and several accounts in one browser.

use std::collections::BTreeMap;

use grantlog::{
    dispatch::{ACCOUNTS, NewUser, Profile},
    log::Actor,
};
use serde_json::json;
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, USER, both_stores};

both_stores!(
    a_person_sees_where_they_are_signed_in_and_ends_one,
    a_person_ends_this_sign_in_and_all_of_them,
    nobody_ends_what_is_another_persons,
    the_browser_is_sealed_and_gone_with_its_person,
    another_account_joins_and_is_chosen,
    an_application_that_wants_an_account_chosen_has_it_chosen,
    an_account_that_does_not_do_is_not_offered,
    signing_out_ends_one_account_or_all,
    a_client_that_shows_the_sign_in_of_a_waiting_account_ends_that_one,
    of_too_many_accounts_the_one_that_was_used_longest_ago_ends,
    only_an_account_of_this_browser_is_chosen,
);

const FIREFOX: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
const SAFARI: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1",
);

async fn signed_in<'a>(app: &'a TestApp, agent: (&'static str, &'static str)) -> Browser<'a> {
    let browser = Browser::with_headers(app, &[agent]);
    browser.sign_in(USER, PASSWORD).await.assert_status(303);
    browser
}

/// Whose account the browser uses.
async fn uses(browser: &Browser<'_>, name: &str) -> bool {
    let page = browser.get("/account/").await;
    page.status == 200 && page.attribute("input[autocomplete=username]", "value").as_deref() == Some(name)
}

/// Signs in with another account beside.
async fn join(browser: &Browser<'_>, name: &str) {
    let page = browser.get("/sign-in/?another=yes").await.assert_status(200);
    browser.sign_in_on(&page, name, PASSWORD).await.assert_status(303);
}

/// The ids of the buttons with which the page offers accounts, by their words.
fn offered(page: &Answer) -> Vec<(String, String)> {
    let page = scraper::Html::parse_document(&page.body);
    let buttons = scraper::Selector::parse(".accounts button").unwrap();
    let button = |button: scraper::ElementRef<'_>| (button.text().collect(), button.value().attr("id").unwrap().to_owned());
    page.select(&buttons).map(button).collect()
}

async fn choose(browser: &Browser<'_>, page: &Answer, name: &str) -> Answer {
    let accounts = offered(page);
    let (_, id) = accounts.iter().find(|(words, _)| words.contains(name)).unwrap_or_else(|| panic!("{name}: {accounts:?}"));
    browser.send(&page.form(id)).await
}

async fn client(app: &TestApp) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid read", "grant_types": ["authorization_code"]})).await
}

async fn a_person_sees_where_they_are_signed_in_and_ends_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (mine, phone) = (signed_in(&app, FIREFOX).await, signed_in(&app, SAFARI).await);
    let page = mine.get("/account/").await.assert_status(200);
    let text = page.text();
    for words in ["Firefox, Linux", "Safari, iPhone", "127.0.0.1", "this browser"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let rows = app.app.dispatch.live_sessions(app.user).await.unwrap();
    assert_eq!(rows.len(), 2);
    let page = mine.press(&page, &format!("end_{}", rows[0].id)).await.assert_status(200);
    assert!(page.text().contains("You are signed out there.") && !page.text().contains("Safari, iPhone"));
    assert!(uses(&mine, USER).await && phone.get("/account/").await.status == 303);
}

async fn a_person_ends_this_sign_in_and_all_of_them(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (mine, phone) = (signed_in(&app, FIREFOX).await, signed_in(&app, SAFARI).await);
    let session = &app.app.dispatch.live_sessions(app.user).await.unwrap()[1].id;
    let page = mine.press(&mine.get("/account/").await, &format!("end_{session}")).await.assert_status(200);
    assert!(page.has("logged_out") && mine.get("/account/").await.status == 303 && uses(&phone, USER).await);
    let (third, fourth) = (signed_in(&app, FIREFOX).await, signed_in(&app, FIREFOX).await);
    assert!(third.press(&third.get("/account/").await, "end_all").await.has("logged_out"));
    for browser in [phone, third, fourth] {
        browser.get("/account/").await.assert_status(303);
    }
    assert!(app.app.dispatch.live_sessions(app.user).await.unwrap().is_empty());
}

async fn nobody_ends_what_is_another_persons(kind: Kind) {
    let app = TestApp::start(kind).await;
    let theirs = signed_in(&app, FIREFOX).await;
    let session = &app.app.dispatch.live_sessions(app.user).await.unwrap()[0].id;
    let mine = Browser::new(&app);
    mine.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let form = mine.get("/account/").await.form("end_all");
    for path in [format!("/account/sessions/{session}/end/"), "/account/sessions/nothing/end/".to_owned()] {
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(mine.post(&path, &fields).await.assert_status(303).location(), "/account/");
        mine.post(&path, &[]).await.assert_error_page(403, "access_denied");
    }
    assert!(uses(&theirs, USER).await && uses(&mine, ADMINISTRATOR).await);
}

async fn the_browser_is_sealed_and_gone_with_its_person(kind: Kind) {
    let app = TestApp::start(kind).await;
    signed_in(&app, FIREFOX).await;
    let row = app.app.dispatch.live_sessions(app.user).await.unwrap().remove(0);
    let events = app.app.log.history(&["session"], row.id.parse().unwrap(), 0, 10).await.unwrap();
    assert!(!events[0].payload.contains("Firefox") && !events[0].payload.contains("127.0.0.1"), "{}", events[0].payload);
    let sealed = row.browser.expect("it is kept");
    let browser = app.app.dispatch.browser(app.user, &sealed).await.unwrap().expect("it can be read");
    assert_eq!((browser.address.to_string().as_str(), browser.agent.as_deref()), ("127.0.0.1", Some(FIREFOX.1)));
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    assert_eq!(app.app.dispatch.browser(app.user, &sealed).await.unwrap(), None);
}

async fn another_account_joins_and_is_chosen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    assert_eq!(browser.get("/sign-in/").await.assert_status(303).location(), "/account/");
    join(&browser, ADMINISTRATOR).await;
    assert!(uses(&browser, ADMINISTRATOR).await);
    let page = browser.get("/sign-in/?another=yes&next=/o/applications/").await;
    assert_eq!(offered(&page).len(), 2);
    assert_eq!(choose(&browser, &page, USER).await.assert_status(303).location(), "/o/applications/");
    assert!(uses(&browser, USER).await);
    // Signing in again with an account that waits renews its session, and adds none.
    join(&browser, ADMINISTRATOR).await;
    assert!(uses(&browser, ADMINISTRATOR).await);
    assert_eq!(offered(&browser.get("/sign-in/?another=yes").await).len(), 2);
    assert_eq!(app.app.dispatch.live_sessions(app.administrator).await.unwrap().len(), 1);
}

async fn an_application_that_wants_an_account_chosen_has_it_chosen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    join(&browser, ADMINISTRATOR).await;
    for (name, user) in [(USER, app.user), (ADMINISTRATOR, app.administrator)] {
        let page = browser.open(&app.authorize_path(&client, &[("prompt", "select_account"), ("scope", "openid read")])).await;
        assert!(page.assert_status(200).has("login"));
        let page = browser.open(&app.authorize_path(&client, &[("prompt", "select_account"), ("scope", "openid read")])).await;
        let chosen = choose(&browser, &page, name).await.assert_status(303);
        let mut answer = browser.open(chosen.location()).await;
        if answer.has("allow") {
            answer = browser.press(&answer, "allow").await;
        }
        let tokens = app.redeem(&client, &answer.answered("code").expect("a code")).await.assert_status(200).tokens();
        assert_eq!(app.introspect(&client, &tokens.access).await.json()["sub"], json!(user));
        assert!(uses(&browser, name).await);
    }
}

async fn an_account_that_does_not_do_is_not_offered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    app.app.clock.advance(600);
    join(&browser, ADMINISTRATOR).await;
    let page = async |changes: &[(&str, &str)]| browser.open(&app.authorize_path(&client, changes)).await;
    assert!(offered(&page(&[("prompt", "login")]).await).is_empty());
    let recent = page(&[("prompt", "select_account"), ("max_age", "300")]).await;
    assert_eq!(offered(&recent).len(), 1);
    // A button of an earlier page does not help.
    let both = offered(&page(&[("prompt", "select_account")]).await);
    let (_, id) = both.iter().find(|(words, _)| words.contains(USER)).unwrap();
    let (_, listed) = &offered(&recent)[0];
    let form = recent.form(listed).with("session", id.strip_prefix("account_").unwrap());
    browser.send(&form).await.assert_error_page(403, "access_denied");
}

async fn signing_out_ends_one_account_or_all(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    assert!(!browser.get("/o/logout/").await.has("logout_all"));
    join(&browser, ADMINISTRATOR).await;
    let out = browser.press(&browser.get("/o/logout/").await, "logout").await;
    assert!(out.has("logged_out") && browser.get("/account/").await.status == 303);
    // The other one waits to be chosen.
    let page = browser.open("/account/").await;
    assert_eq!(offered(&page).len(), 1);
    choose(&browser, &page, USER).await.assert_status(303);
    assert!(uses(&browser, USER).await);
    join(&browser, ADMINISTRATOR).await;
    assert!(browser.press(&browser.get("/o/logout/").await, "logout_all").await.has("logged_out"));
    assert!(offered(&browser.open("/account/").await).is_empty());
    for user in [app.user, app.administrator] {
        assert!(app.app.dispatch.live_sessions(user).await.unwrap().is_empty());
    }
}

async fn a_client_that_shows_the_sign_in_of_a_waiting_account_ends_that_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("scope", "openid")])).await;
    let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    join(&browser, ADMINISTRATOR).await;
    browser.get(&format!("/o/logout/?id_token_hint={}", tokens.id_token())).await.assert_status(303);
    assert!(uses(&browser, ADMINISTRATOR).await && app.app.dispatch.live_sessions(app.user).await.unwrap().is_empty());
    assert_eq!(offered(&browser.get("/sign-in/?another=yes").await).len(), 1);
}

async fn of_too_many_accounts_the_one_that_was_used_longest_ago_ends(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    for number in 1..=ACCOUNTS {
        let profile = Profile { username: format!("person {number}"), claims: BTreeMap::new() };
        let new = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator: false };
        app.app.dispatch.create_user(Actor::Operator, new).await.unwrap();
        join(&browser, &format!("person {number}")).await;
    }
    assert_eq!(offered(&browser.get("/sign-in/?another=yes").await).len(), ACCOUNTS);
    assert!(app.app.dispatch.live_sessions(app.user).await.unwrap().is_empty());
}

async fn only_an_account_of_this_browser_is_chosen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (mine, theirs) = (Browser::signed_in(&app).await, Browser::new(&app));
    theirs.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let page = mine.get("/sign-in/?another=yes").await;
    let (_, id) = &offered(&page)[0];
    let form = page.form(id);
    let foreign = app.app.dispatch.live_sessions(app.administrator).await.unwrap()[0].id.clone();
    for session in [foreign.as_str(), "", "nothing"] {
        mine.send(&form.clone().with("session", session)).await.assert_error_page(403, "access_denied");
    }
    mine.send(&form.clone().with("csrf_token", "")).await.assert_error_page(403, "access_denied");
    theirs.send(&form).await.assert_error_page(403, "access_denied");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    mine.post_with(&form.action, &fields, ("origin", "https://evil.example")).await.assert_error_page(403, "access_denied");
    assert!(uses(&mine, USER).await && uses(&theirs, ADMINISTRATOR).await);
}
