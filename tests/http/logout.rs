//! A client asks that a person be signed out (OpenID Connect RP-Initiated Logout 1.0): who is asked first, and where they go afterwards.

use grantlog::log::Actor;
use serde_json::json;
use support::{ADMINISTRATOR, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, both_stores};
use url::form_urlencoded::Serializer;

both_stores!(
    a_client_that_knows_the_sign_in_has_it_ended_without_a_question,
    an_id_token_that_has_expired_still_tells_the_sign_in,
    a_client_that_shows_another_sign_in_only_asks,
    a_client_that_names_itself_alone_only_asks,
    without_anything_a_person_is_asked_and_sees_that_they_are_out,
    what_a_client_posts_from_another_site_is_asked_again_with_get,
    whoever_is_out_already_is_sent_on_where_a_hint_says_who_asks,
    nobody_is_sent_to_a_place_that_is_not_registered,
    what_is_no_id_token_of_ours_is_refused,
    a_hint_of_another_client_is_refused,
    a_disabled_client_is_refused,
    the_question_counts_in_its_session_alone,
    a_question_answered_twice_is_answered_once,
    pages_speak_the_language_that_the_client_asks_for,
    the_tokens_of_the_sign_in_are_dead_and_the_metadata_names_the_endpoint,
);

const BYE: &str = "https://app.example/bye?x=1";

/// A client with a place to go back to, and an ID token of the sign-in in a browser.
async fn client(app: &TestApp) -> TestClient {
    let metadata = json!({
        "client_name": "Photo prints",
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": ["https://app.example/elsewhere", BYE],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid read",
    });
    app.client(metadata).await
}

async fn id_token(browser: &Browser<'_>, client: &TestClient) -> String {
    let answer = browser.allow(&browser.app.authorize_path(client, &[("scope", "openid read")])).await;
    let code = answer.answered("code").expect("a code");
    browser.app.redeem(client, &code).await.assert_status(200).tokens().id_token().to_owned()
}

fn path(parameters: &[(&str, &str)]) -> String {
    format!("/o/logout/?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

async fn is_signed_in(browser: &Browser<'_>) -> bool {
    browser.get("/account/").await.status == 200
}

async fn a_client_that_knows_the_sign_in_has_it_ended_without_a_question(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    for by_post in [false, true] {
        let browser = Browser::signed_in(&app).await;
        let hint = id_token(&browser, &client).await;
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "a b&c")];
        let answer = match by_post {
            false => browser.get(&path(&parameters)).await,
            true => browser.post("/o/logout/", &parameters).await,
        };
        assert_eq!(answer.assert_status(303).location(), format!("{BYE}&state=a+b%26c"));
        assert!(!is_signed_in(&browser).await);
    }
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    let named = [("id_token_hint", hint.as_str()), ("client_id", &client.identifier), ("post_logout_redirect_uri", BYE)];
    assert_eq!(browser.get(&path(&named)).await.assert_status(303).location(), BYE);
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    let out = browser.open(&path(&[("id_token_hint", &hint), ("state", "unused")])).await.assert_status(200);
    assert!(out.has("logged_out") && !out.has("onward") && !is_signed_in(&browser).await);
}

async fn an_id_token_that_has_expired_still_tells_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    app.app.clock.advance(86_400);
    let answer = browser.get(&path(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;
    assert_eq!(answer.assert_status(303).location(), BYE);
    assert!(!is_signed_in(&browser).await);
}

async fn a_client_that_shows_another_sign_in_only_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let earlier = Browser::signed_in(&app).await;
    let same_user = id_token(&earlier, &client).await;
    let somebody = Browser::new(&app);
    somebody.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let another_user = id_token(&somebody, &client).await;
    for hint in [same_user, another_user] {
        let browser = Browser::signed_in(&app).await;
        let asked = browser.get(&path(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await.assert_status(200);
        assert!(asked.has("logout") && asked.text().contains("Photo prints"), "{asked:?}");
        assert!(asked.header("content-security-policy").contains("form-action 'self' https://app.example;"));
        assert!(is_signed_in(&browser).await);
        assert_eq!(browser.press(&asked, "logout").await.assert_status(303).location(), BYE);
        assert!(!is_signed_in(&browser).await);
    }
    assert!(is_signed_in(&earlier).await && is_signed_in(&somebody).await);
}

async fn a_client_that_names_itself_alone_only_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let named = [("client_id", client.identifier.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let asked = browser.get(&path(&named)).await.assert_status(200);
    assert!(asked.has("logout") && is_signed_in(&browser).await);
    assert_eq!(browser.press(&asked, "logout").await.assert_status(303).location(), format!("{BYE}&state=s"));
    let out = browser.get(&path(&named)).await.assert_status(200);
    assert!(out.has("logged_out"), "nobody who only names a client sends people on");
    assert_eq!(out.attribute("#onward", "href"), Some(format!("{BYE}&state=s")));
}

async fn without_anything_a_person_is_asked_and_sees_that_they_are_out(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    for asked in [browser.get("/o/logout").await, browser.get("/o/logout/?state=x").await, browser.post("/o/logout/", &[]).await]
    {
        assert!(asked.assert_status(200).has("logout") && is_signed_in(&browser).await);
    }
    let asked = browser.get(&path(&[("logout_hint", "mika"), ("ui_locales", "en")])).await;
    let out = browser.press(&asked, "logout").await.assert_status(200);
    assert!(out.has("logged_out") && !is_signed_in(&browser).await);
    assert!(browser.get("/o/logout/").await.assert_status(200).has("logged_out"));
}

async fn what_a_client_posts_from_another_site_is_asked_again_with_get(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    // Its cookie was withheld (SameSite=Lax).
    let elsewhere = Browser::with_headers(&app, &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")]);
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
    let again = elsewhere.post("/o/logout/", &parameters).await.assert_status(303);
    assert_eq!(browser.get(again.location()).await.assert_status(303).location(), BYE);
    assert!(!is_signed_in(&browser).await);
    let long = "x".repeat(7_000);
    elsewhere.post("/o/logout/", &[("state", &long)]).await.assert_error_page(400, "invalid_request");
}

async fn whoever_is_out_already_is_sent_on_where_a_hint_says_who_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let hint = id_token(&Browser::signed_in(&app).await, &client).await;
    let nobody = Browser::new(&app);
    let answer = nobody.get(&path(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")])).await;
    assert_eq!(answer.assert_status(303).location(), format!("{BYE}&state=s"));
    assert!(nobody.get(&path(&[("id_token_hint", &hint)])).await.assert_status(200).has("logged_out"));
}

async fn nobody_is_sent_to_a_place_that_is_not_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    let others = [
        "https://app.example/bye",
        "https://app.example/bye?x=1&y=2",
        "https://app.example/bye?x=1#",
        "https://APP.example/bye?x=1",
        "https://app.example:443/bye?x=1",
        "https://evil.example/bye?x=1",
        "//evil.example",
        "javascript:alert(1)",
        REDIRECT_URI,
    ];
    for other in others {
        for who in [("id_token_hint", hint.as_str()), ("client_id", &client.identifier)] {
            let refused = browser.get(&path(&[who, ("post_logout_redirect_uri", other)])).await;
            let text = refused.assert_error_page(400, "invalid_request").text_of("error").unwrap();
            assert!(text.contains("post_logout_redirect_uri"), "{other}: {text}");
        }
    }
    browser.get(&path(&[("post_logout_redirect_uri", BYE)])).await.assert_error_page(400, "invalid_request");
    let twice =
        format!("{}&post_logout_redirect_uri=x", path(&[("client_id", &client.identifier), ("post_logout_redirect_uri", BYE)]));
    browser.get(&twice).await.assert_error_page(400, "invalid_request");
    assert!(is_signed_in(&browser).await);
}

async fn what_is_no_id_token_of_ours_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("scope", "openid read")])).await;
    let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    let mut modified = tokens.id_token().to_owned();
    let last = modified.pop().unwrap();
    modified.push(if last == 'A' { 'Q' } else { 'A' });
    for hint in [tokens.access.as_str(), tokens.refresh_token(), &modified, "eyJhbGciOiJub25lIn0.e30.", "x"] {
        for back in [None, Some(("post_logout_redirect_uri", BYE))] {
            let parameters: Vec<_> = std::iter::once(("id_token_hint", hint)).chain(back).collect();
            browser.get(&path(&parameters)).await.assert_error_page(400, "invalid_request");
        }
    }
    assert!(is_signed_in(&browser).await);
}

async fn a_hint_of_another_client_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, other) = (client(&app).await, client(&app).await);
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &one).await;
    let parameters = [("id_token_hint", hint.as_str()), ("client_id", &other.identifier), ("post_logout_redirect_uri", BYE)];
    browser.get(&path(&parameters)).await.assert_error_page(400, "invalid_request");
    browser.get(&path(&[("client_id", "nobody")])).await.assert_error_page(400, "invalid_request");
    assert!(is_signed_in(&browser).await);
}

async fn a_disabled_client_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&browser, &client).await;
    app.app.dispatch.disable_client(Actor::Operator, client.id).await.unwrap();
    let refused = browser.get(&path(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;
    refused.assert_error_page(400, "invalid_request");
    assert!(is_signed_in(&browser).await);
}

async fn the_question_counts_in_its_session_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let (mine, other) = (Browser::signed_in(&app).await, Browser::signed_in(&app).await);
    let form = mine.get(&path(&[("client_id", &client.identifier)])).await.form("logout");
    other.send(&form).await.assert_error_page(403, "access_denied");
    mine.send(&form.clone().with("csrf_token", "")).await.assert_error_page(403, "access_denied");
    mine.send(&form.clone().with("request", "x")).await.assert_error_page(400, "invalid_request");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let foreign = mine.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    foreign.assert_error_page(403, "access_denied");
    assert!(is_signed_in(&mine).await && is_signed_in(&other).await);
}

async fn a_question_answered_twice_is_answered_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let hint = id_token(&Browser::signed_in(&app).await, &client).await;
    let asked = browser.get(&path(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)])).await;
    let form = asked.form("logout");
    for _ in 0..2 {
        assert_eq!(browser.send(&form).await.assert_status(303).location(), BYE);
    }
}

async fn pages_speak_the_language_that_the_client_asks_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    for page in [browser.get("/o/logout/?ui_locales=ja").await, browser.post("/o/logout/", &[("ui_locales", "fr ja")]).await] {
        assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    }
}

async fn the_tokens_of_the_sign_in_are_dead_and_the_metadata_names_the_endpoint(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("scope", "openid read")])).await;
    let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    assert!(app.is_active(&client, &tokens.access).await);
    let metadata = app.get("/o/.well-known/openid-configuration").await.json();
    let endpoint = metadata["end_session_endpoint"].as_str().expect("it is named");
    let query = path(&[("id_token_hint", tokens.id_token())]);
    let path = endpoint.strip_prefix(&app.url("")).expect("it is here").to_owned() + query.strip_prefix("/o/logout/").unwrap();
    browser.get(&path).await.assert_status(303);
    assert!(!app.is_active(&client, &tokens.access).await);
    app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
}
