//! What is different from what somebody agreed to before is asked about, and shown.

use grantlog::log::Actor;
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    another_name_asks_again_and_says_what_it_was,
    another_place_asks_again_and_says_where,
    another_logo_policy_or_terms_ask_again,
    a_wider_scope_is_told_apart_from_what_was_allowed,
    what_people_do_not_go_by_asks_nobody,
    prompt_none_answers_that_consent_is_required,
    whoever_was_never_asked_is_asked_without_a_difference,
    a_first_party_client_that_is_none_any_more_asks,
    what_the_page_shows_is_escaped_and_bounded,
);

fn metadata(changes: &Value) -> Value {
    let mut metadata = json!({
        "client_name": "Photos", "redirect_uris": [REDIRECT_URI], "scope": "openid profile read write",
        "logo_uri": "https://app.example/logo.png", "policy_uri": "https://app.example/privacy",
        "tos_uri": "https://app.example/terms",
    });
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata
}

/// A client that the user let in with the scope `read`, in a browser.
async fn allowed(app: &TestApp) -> (TestClient, Browser<'_>) {
    let client = app.client(metadata(&json!({}))).await;
    let browser = Browser::signed_in(app).await;
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(!page.has("differences"), "nothing was agreed to before");
    browser.press(&page, "allow").await.assert_status(303);
    (client, browser)
}

async fn asked(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    browser.open(&browser.app.authorize_path(client, changes)).await
}

async fn change(app: &TestApp, client: &TestClient, changes: Value) {
    let changed = serde_json::from_value(metadata(&changes)).unwrap();
    app.app.dispatch.update_client(Actor::Operator, client.id, changed).await.unwrap();
}

/// The page that asks; what it says of one difference, the only one.
async fn difference(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)], member: &str) -> (Answer, String) {
    let page = asked(browser, client, changes).await.assert_status(200);
    let said = page.text_of(&format!("different_{member}")).unwrap_or_else(|| panic!("{member}: {page:?}"));
    assert_eq!(page.body.matches("<li id=\"different_").count(), 1, "{page:?}");
    (page, said)
}

async fn is_remembered(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)]) -> bool {
    asked(browser, client, changes).await.answered("code").is_some()
}

async fn another_name_asks_again_and_says_what_it_was(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    assert!(is_remembered(&browser, &client, &[]).await);
    change(&app, &client, json!({"client_name": "Prints"})).await;
    let (page, said) = difference(&browser, &client, &[], "client_name").await;
    assert!(said.contains("Photos") && said.contains("Prints"), "{said}");
    let japanese = asked(&browser, &client, &[("ui_locales", "ja")]).await;
    assert!(japanese.text_of("different_client_name").unwrap().starts_with("名前"), "{japanese:?}");
    browser.press(&page, "allow").await.assert_status(303);
    assert!(is_remembered(&browser, &client, &[]).await);
    change(&app, &client, json!({"client_name": "Photos"})).await;
    let (_, said) = difference(&browser, &client, &[], "client_name").await;
    assert!(said.find("Prints") < said.find("Photos"), "it is held against what was agreed to last: {said}");
}

async fn another_place_asks_again_and_says_where(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    let elsewhere = "https://elsewhere.example/callback";
    change(&app, &client, json!({"redirect_uris": [REDIRECT_URI, elsewhere]})).await;
    assert!(is_remembered(&browser, &client, &[]).await, "where they are sent is where they were");
    let (page, said) = difference(&browser, &client, &[("redirect_uri", elsewhere)], "redirect_uri").await;
    assert!(said.contains("app.example") && said.contains("elsewhere.example"), "{said}");
    browser.press(&page, "deny").await.assert_status(303);
    assert!(is_remembered(&browser, &client, &[]).await, "where they were sent before they still are");
    difference(&browser, &client, &[("redirect_uri", elsewhere)], "redirect_uri").await;
}

async fn another_logo_policy_or_terms_ask_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    for (member, value, shown) in [
        ("logo_uri", "https://app.example/other.png", ""),
        ("policy_uri", "https://policy.example/", "policy.example"),
        ("tos_uri", "https://terms.example/", "terms.example"),
    ] {
        change(&app, &client, json!({ member: value })).await;
        let (page, said) = difference(&browser, &client, &[], member).await;
        assert!(said.contains(shown), "{said}");
        change(&app, &client, json!({})).await;
        assert!(is_remembered(&browser, &client, &[]).await, "{member} is as it was: {page:?}");
    }
}

async fn a_wider_scope_is_told_apart_from_what_was_allowed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    let (page, said) = difference(&browser, &client, &[("scope", "read write")], "scope").await;
    assert!(said.contains("Change your data") && !said.contains("Read your data"), "{said}");
    assert!(page.text().contains("Read your data"), "all that it will be able to do is told too");
    browser.press(&page, "allow").await.assert_status(303);
    assert!(is_remembered(&browser, &client, &[("scope", "read write")]).await);
    assert!(is_remembered(&browser, &client, &[("scope", "write")]).await);
}

async fn what_people_do_not_go_by_asks_nobody(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    let more = json!({
        "access_token_lifetime": 60, "policy_uri": "https://app.example/other", "scope": "openid profile read write address",
        "redirect_uris": [REDIRECT_URI, "https://app.example/other"],
    });
    change(&app, &client, more).await;
    assert!(is_remembered(&browser, &client, &[]).await);
    assert!(is_remembered(&browser, &client, &[("prompt", "none")]).await);
    assert!(is_remembered(&browser, &client, &[("redirect_uri", "https://app.example/other")]).await);
}

async fn prompt_none_answers_that_consent_is_required(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    assert!(is_remembered(&browser, &client, &[("prompt", "none")]).await);
    change(&app, &client, json!({"client_name": "Prints"})).await;
    asked(&browser, &client, &[("prompt", "none")]).await.assert_error_redirect("consent_required");
    change(&app, &client, json!({})).await;
    asked(&browser, &client, &[("prompt", "none"), ("scope", "read write")]).await.assert_error_redirect("consent_required");
}

async fn whoever_was_never_asked_is_asked_without_a_difference(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    app.withdraw_consent(&client).await;
    change(&app, &client, json!({"client_name": "Prints"})).await;
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(page.has("allow") && !page.has("differences"), "{page:?}");
}

async fn a_first_party_client_that_is_none_any_more_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(metadata(&json!({"skip_consent": true}))).await;
    let browser = Browser::signed_in(&app).await;
    assert!(is_remembered(&browser, &client, &[]).await, "its users are not asked");
    change(&app, &client, json!({"skip_consent": true, "client_name": "Prints"})).await;
    assert!(is_remembered(&browser, &client, &[]).await, "whatever it is called");
    change(&app, &client, json!({"client_name": "Prints"})).await;
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(page.has("allow") && !page.has("differences"), "nobody agreed to anything yet: {page:?}");
    browser.press(&page, "allow").await.assert_status(303);
    assert!(is_remembered(&browser, &client, &[]).await);
}

async fn what_the_page_shows_is_escaped_and_bounded(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, browser) = allowed(&app).await;
    let name = format!("<script>{}", "x".repeat(150));
    change(&app, &client, json!({ "client_name": name })).await;
    let (page, said) = difference(&browser, &client, &[], "client_name").await;
    assert!(!page.body.contains("<script>x"), "{page:?}");
    assert!(said.chars().count() < 150, "{said}");
}
