//! The pages from the sign-in to the decision: what they say, and where they lead (OpenID Connect Core section 3.1.2).

use serde_json::{Value, json};
use support::{Answer, Browser, Kind, REDIRECT_URI, TestApp, TestClient, USER, both_stores};

both_stores!(
    a_person_signs_in_allows_and_is_sent_back,
    a_person_who_denies_is_sent_back_with_access_denied,
    the_page_says_who_asks_for_what_in_words,
    the_page_speaks_the_language_of_ui_locales,
    a_name_cannot_turn_the_page_around,
    a_form_may_be_redirected_to_the_client_alone,
    an_abandoned_sign_in_writes_nothing,
    a_wrong_password_keeps_the_request,
);

pub(crate) async fn asked(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    browser.open(&browser.app.authorize_path(client, changes)).await
}

/// A client with more scopes, and these members.
pub(crate) async fn client(app: &TestApp, members: Value) -> TestClient {
    let mut metadata = json!({"client_name": "App", "redirect_uris": [REDIRECT_URI], "scope": "openid profile read write"});
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client(metadata).await
}

async fn a_person_signs_in_allows_and_is_sent_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(page.has("login") && page.text().contains("Ordinary"));
    let page = browser.sign_in_and_go_on(&page).await.assert_status(200);
    assert!(page.has("allow") && page.has("deny") && !page.has("login"));
    let answer = browser.press(&page, "allow").await.assert_status(303);
    let code = answer.answered("code").unwrap();
    app.redeem(&client, &code).await.assert_status(200);
}

async fn a_person_who_denies_is_sent_back_with_access_denied(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let answer = browser.press(&page, "deny").await.assert_status(303).assert_error_redirect("access_denied");
    assert_eq!(answer.answered("state").as_deref(), Some("af0ifjsldkj"));
}

async fn the_page_says_who_asks_for_what_in_words(kind: Kind) {
    let app = TestApp::start(kind).await;
    let links = json!({
        "client_name": "Kakeibo", "client_uri": "https://app.example", "policy_uri": "https://app.example/privacy",
        "tos_uri": "https://app.example/terms", "resources": ["https://api.example/v1"],
    });
    let client = client(&app, links).await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[("scope", "read profile"), ("resource", "https://api.example/v1")]).await;
    for text in ["Kakeibo", "Read your data", "See your name and profile", "https://api.example/v1", USER, "app.example"] {
        assert!(page.text().contains(text), "{text}: {page:?}");
    }
    assert!(!page.text().contains("Change your data"));
    assert_eq!(page.attribute("#client_policy", "href").as_deref(), Some("https://app.example/privacy"));
    assert_eq!(page.attribute("#client_tos", "href").as_deref(), Some("https://app.example/terms"));
}

async fn the_page_speaks_the_language_of_ui_locales(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[("ui_locales", "fr ja")]).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    let page = browser.sign_in_and_go_on(&page).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    assert!(page.text().contains("あなたのデータを読む"));
}

async fn a_name_cannot_turn_the_page_around(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"client_name": "x".repeat(200)})).await;
    let page = asked(&Browser::signed_in(&app).await, &client, &[("login_hint", "\u{202e}evil\u{2066}")]).await;
    assert!(!page.body.contains(['\u{202e}', '\u{2066}']) && !page.text().contains(&"x".repeat(100)));
}

async fn a_form_may_be_redirected_to_the_client_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let sign_in = asked(&browser, &client, &[]).await;
    let consent = browser.sign_in_and_go_on(&sign_in).await;
    for page in [sign_in, consent] {
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    }
}

async fn an_abandoned_sign_in_writes_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let head = app.app.log.known_head();
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    browser.sign_in_on(&page, USER, "wrong horse").await.assert_status(400);
    assert_eq!(app.app.log.known_head(), head);
    assert!(page.text_of("error").is_none());
}

async fn a_wrong_password_keeps_the_request(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    let again = browser.sign_in_on(&page, USER, "wrong horse").await.assert_status(400);
    assert!(again.text().contains("Ordinary"));
    assert!(browser.sign_in_and_go_on(&again).await.has("allow"));
}
