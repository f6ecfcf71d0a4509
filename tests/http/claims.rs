//! Claims that a client asks for one by one (OpenID Connect Core section 5.5): shown to the person, told in userinfo and in the ID token, and
//! kept without their values.

use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, Tokens, both_stores};

use crate::userinfo::signed_in;

both_stores!(
    what_is_asked_for_is_told_where_it_is_asked_for,
    a_refreshed_id_token_tells_it_as_it_is_then,
    a_claim_is_told_in_the_value_and_the_language_it_was_asked_for,
    wanted_languages_leave_the_others_out,
    the_person_is_shown_what_is_asked_for_beside_the_scopes,
    what_was_allowed_is_not_asked_again_and_more_is,
    a_claim_whose_scope_the_client_may_not_have_is_not_told,
    without_openid_nothing_is_told,
    malformed_claims_are_told_to_the_client,
    a_required_context_that_no_sign_in_has_is_told_to_the_client,
    the_log_keeps_no_value,
);

/// The user that hides nothing.
const OPEN: &str = "open";

async fn client(app: &TestApp, scope: &str) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"], "scope": scope}))
        .await
}

async fn browser(app: &TestApp) -> Browser<'_> {
    signed_in(app).await;
    let browser = Browser::new(app);
    browser.sign_in(OPEN, PASSWORD).await.assert_status(303);
    browser
}

fn path(app: &TestApp, client: &TestClient, claims: &Value) -> String {
    app.authorize_path(client, &[("scope", "openid"), ("claims", &claims.to_string())])
}

async fn tokens(browser: &Browser<'_>, client: &TestClient, path: &str) -> Tokens {
    let answer = browser.allow(path).await;
    browser.app.redeem(client, &answer.answered("code").unwrap_or_default()).await.assert_status(200).tokens()
}

/// What userinfo tells beside `sub`.
async fn told(app: &TestApp, tokens: &Tokens) -> Value {
    without_sub(app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200).json())
}

fn without_sub(mut claims: Value) -> Value {
    claims.as_object_mut().unwrap().remove("sub").expect("there is a sub");
    claims
}

fn of_id_token(tokens: &Tokens, names: &[&str]) -> Value {
    let claims = insecure_decode::<Value>(tokens.id_token()).unwrap().claims;
    names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), claims.get(name)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn what_is_asked_for_is_told_where_it_is_asked_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid profile email phone").await;
    let browser = browser(&app).await;
    let claims = json!({
        "userinfo": {"email": {"essential": true}, "nickname": null, "groups": null},
        "id_token": {"phone_number": null, "auth_time": {"essential": true}, "acr": {"values": ["urn:x"]}},
    });
    let tokens = tokens(&browser, &client, &path(&app, &client, &claims)).await;
    assert_eq!(told(&app, &tokens).await, json!({"email": "mika@example.org", "nickname": "mik"}));
    let told = of_id_token(&tokens, &["phone_number", "email", "nickname", "groups", "acr"]);
    assert_eq!(told, json!({"phone_number": "+81 3 0000 0000", "acr": "urn:grantlog:acr:1fa"}));
    assert!(of_id_token(&tokens, &["auth_time"])["auth_time"].is_i64());
}

async fn a_refreshed_id_token_tells_it_as_it_is_then(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email").await;
    let browser = browser(&app).await;
    let first =
        tokens(&browser, &client, &path(&app, &client, &json!({"id_token": {"email": null}, "userinfo": {"email": null}}))).await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(of_id_token(&second, &["email"]), json!({"email": "mika@example.org"}));
    assert_eq!(told(&app, &second).await, json!({"email": "mika@example.org"}));
}

async fn a_claim_is_told_in_the_value_and_the_language_it_was_asked_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email profile").await;
    let browser = browser(&app).await;
    for (asked, expected) in [
        (json!({"email": {"value": "mika@example.org"}}), json!({"email": "mika@example.org"})),
        (json!({"email": {"values": ["else@example.org", "mika@example.org"]}}), json!({"email": "mika@example.org"})),
        (json!({"email": {"value": "else@example.org", "essential": true}}), json!({})),
        (json!({"email_verified": {"value": true}, "updated_at": {"value": 1}}), json!({"email_verified": true})),
        (json!({"name#ja": null, "name": null}), json!({"name": "Mika Tanaka"})),
    ] {
        let tokens = tokens(&browser, &client, &path(&app, &client, &json!({"userinfo": asked, "id_token": asked}))).await;
        assert_eq!(told(&app, &tokens).await, expected, "{asked}");
        assert_eq!(of_id_token(&tokens, &["email", "email_verified", "updated_at", "name", "name#ja"]), expected, "{asked}");
    }
}

async fn wanted_languages_leave_the_others_out(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid profile").await;
    crate::userinfo::person(&app, "multi", &json!({"name": "Mika", "name#ja": "美香", "name#de-CH": "Mikä"})).await;
    let browser = Browser::new(&app);
    browser.sign_in("multi", PASSWORD).await.assert_status(303);
    let asked = |locales: &str| app.authorize_path(&client, &[("scope", "openid profile"), ("claims_locales", locales)]);
    for (locales, expected) in
        [("ja-JP fr", vec!["name", "name#ja"]), ("fr", vec!["name"]), ("", vec!["name", "name#de-CH", "name#ja"])]
    {
        let tokens = tokens(&browser, &client, &asked(locales)).await;
        let told = told(&app, &tokens).await;
        let names: Vec<_> = told.as_object().unwrap().keys().filter(|name| name.starts_with("name")).collect();
        assert_eq!(names, expected, "{locales}");
    }
}

async fn the_person_is_shown_what_is_asked_for_beside_the_scopes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email profile").await;
    let browser = browser(&app).await;
    let claims = json!({"userinfo": {"email": null, "name#ja": null, "groups": null}, "id_token": {"email": null}}).to_string();
    let shown = |page: &Answer| page.text_of("claims").unwrap_or_default();
    let page = browser.get(&app.authorize_path(&client, &[("scope", "openid"), ("claims", &claims)])).await.assert_status(200);
    assert!(shown(&page).contains("Your e-mail address") && shown(&page).contains("Your full name (ja)"), "{page:?}");
    assert!(!page.text().contains("groups"), "{page:?}");
    let page = browser.get(&app.authorize_path(&client, &[("scope", "openid email profile"), ("claims", &claims)])).await;
    assert_eq!(shown(&page.assert_status(200)), "", "the scopes say it");
    browser.allow(&app.authorize_path(&client, &[("scope", "openid"), ("claims", &claims)])).await.assert_status(303);
    let access = browser.get("/o/authorized_tokens/").await.assert_status(200);
    assert!(access.text().contains("Your e-mail address"), "{access:?}");
    let japanese =
        app.authorize_path(&client, &[("scope", "openid"), ("claims", &claims), ("ui_locales", "ja"), ("prompt", "consent")]);
    assert!(shown(&browser.get(&japanese).await).contains("メールアドレス"));
}

async fn what_was_allowed_is_not_asked_again_and_more_is(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email profile").await;
    let browser = browser(&app).await;
    let asking = |claims: Value| path(&app, &client, &json!({"userinfo": claims}));
    browser.allow(&asking(json!({"email": null}))).await.assert_status(303);
    assert!(browser.open(&asking(json!({"email": {"essential": true}}))).await.answered("code").is_some());
    let silently = [("prompt", "none"), ("scope", "openid"), ("claims", r#"{"id_token": {"nickname": null}}"#)];
    browser.open(&app.authorize_path(&client, &silently)).await.assert_error_redirect("consent_required");
    assert!(browser.open(&asking(json!({"email": null, "nickname": null}))).await.has("allow"));
}

async fn a_claim_whose_scope_the_client_may_not_have_is_not_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email").await;
    let browser = browser(&app).await;
    let claims = json!({"userinfo": {"phone_number": {"essential": true}}, "id_token": {"phone_number": null, "email": null}});
    let page = browser.get(&path(&app, &client, &claims)).await.assert_status(200);
    assert!(!page.text_of("claims").unwrap().contains("phone"), "{page:?}");
    let tokens = tokens(&browser, &client, &path(&app, &client, &claims)).await;
    assert_eq!(told(&app, &tokens).await, json!({}));
    assert_eq!(of_id_token(&tokens, &["phone_number", "email"]), json!({"email": "mika@example.org"}));
}

async fn without_openid_nothing_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email").await;
    let browser = browser(&app).await;
    let page =
        browser.get(&app.authorize_path(&client, &[("scope", "email"), ("claims", r#"{"userinfo": {"email": null}}"#)])).await;
    assert!(!page.assert_status(200).has("claims"));
}

async fn malformed_claims_are_told_to_the_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email").await;
    let long = format!("{{{}}}", " ".repeat(4096));
    for claims in ["{", "[]", "null", r#"{"userinfo": {"email": 1}}"#, r#"{"id_token": {"email": {"essential": "x"}}}"#, &long] {
        let answer = app.get(&app.authorize_path(&client, &[("scope", "openid"), ("claims", claims)])).await;
        answer.assert_error_redirect("invalid_request");
    }
}

async fn a_required_context_that_no_sign_in_has_is_told_to_the_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid").await;
    let browser = browser(&app).await;
    let required = json!({"id_token": {"acr": {"essential": true, "values": ["urn:x", "urn:y"]}}});
    browser.open(&path(&app, &client, &required)).await.assert_error_redirect("unmet_authentication_requirements");
    for voluntary in [json!({"values": ["urn:x"]}), json!({"essential": true}), json!(null)] {
        assert!(browser.open(&path(&app, &client, &json!({"id_token": {"acr": voluntary}}))).await.has("allow"), "{voluntary}");
    }
    assert!(browser.open(&app.authorize_path(&client, &[("scope", "openid"), ("acr_values", "urn:x 2")])).await.has("allow"));
}

async fn the_log_keeps_no_value(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "openid email").await;
    let browser = browser(&app).await;
    let claims = json!({"userinfo": {"email": {"value": "mika@example.org"}}});
    tokens(&browser, &client, &path(&app, &client, &claims)).await;
    let events = app.app.log.read(0, 1_000).await.unwrap();
    let approved = events.iter().find(|event| event.event_type == "grant.approved").expect("there is one");
    let kept: Value = serde_json::from_str(&approved.payload).unwrap();
    assert_eq!(kept["claims"]["userinfo"]["email"]["values"].as_array().unwrap().len(), 1);
    assert!(events.iter().all(|event| !event.payload.contains("mika@example.org")));
}
