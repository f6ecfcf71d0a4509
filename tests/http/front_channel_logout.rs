//! Applications hear in the person's browser that they signed out (OpenID Connect Front-Channel Logout 1.0).

use domain::client::ClientError;
use grantlog::{
    dispatch::{Refusal, RegisterClient, SecretChoice},
    log::Actor,
};
use scraper::{Html, Selector};
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    the_browser_opens_each_application_of_the_sign_in_and_goes_on,
    without_a_place_to_go_the_page_stays,
    an_application_that_was_not_signed_in_to_is_not_opened,
    a_page_that_was_not_left_for_says_only_that_one_is_out,
    only_an_address_on_a_site_of_its_own_can_be_registered,
);

const BYE: &str = "https://app.example/bye";
const OUT: &str = "https://app.example/out?x=1";

async fn client(app: &TestApp, more: Value) -> TestClient {
    let mut metadata = json!({
        "redirect_uris": [REDIRECT_URI, "https://other.example/cb"],
        "post_logout_redirect_uris": [BYE],
        "scope": "openid read",
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.client(metadata).await
}

async fn learn(browser: &Browser<'_>, client: &TestClient, scope: &str) -> String {
    let app = browser.app;
    let answer = browser.allow(&app.authorize_path(client, &[("scope", scope)])).await;
    let tokens = app.redeem(client, &answer.answered("code").expect("a code")).await.assert_status(200).tokens();
    tokens.id_token.unwrap_or_default()
}

fn frames(page: &Answer) -> Vec<String> {
    let page = Html::parse_document(&page.body);
    let frames = Selector::parse("iframe").unwrap();
    page.select(&frames).filter_map(|frame| frame.value().attr("src")).map(str::to_owned).collect()
}

fn sid(id_token: &str) -> String {
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(id_token).unwrap().claims;
    claims["sid"].as_str().unwrap().to_owned()
}

async fn the_browser_opens_each_application_of_the_sign_in_and_goes_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let one = client(&app, json!({"frontchannel_logout_uri": OUT, "frontchannel_logout_session_required": true})).await;
    let other = client(&app, json!({"frontchannel_logout_uri": "https://other.example/out"})).await;
    let hint = learn(&browser, &one, "openid").await;
    learn(&browser, &other, "openid").await;
    let path = format!("/o/logout/?id_token_hint={hint}&post_logout_redirect_uri={BYE}&state=s&ui_locales=ja");
    let page = browser.open(&path).await.assert_status(200);
    assert!(page.has("logged_out") && browser.get("/account/").await.status == 303);
    let issuer: String = url::form_urlencoded::byte_serialize(app.url("/o").as_bytes()).collect();
    let told = format!("iss={issuer}&sid={}", sid(&hint));
    let mut opened = frames(&page);
    opened.sort();
    assert_eq!(opened, [format!("{OUT}&{told}"), format!("https://other.example/out?{told}")]);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; frame-src https://app.example https://other.example"), "{policy}");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("refresh"), format!("2;url={BYE}?state=s"));
    assert_eq!(page.attribute("#onward", "href"), Some(format!("{BYE}?state=s")));
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    let metadata = app.get("/o/.well-known/openid-configuration").await.json();
    for member in ["frontchannel_logout_supported", "frontchannel_logout_session_supported"] {
        assert_eq!(metadata[member], true);
    }
}

async fn without_a_place_to_go_the_page_stays(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let client = client(&app, json!({"frontchannel_logout_uri": OUT})).await;
    learn(&browser, &client, "openid").await;
    let asked = browser.get("/o/logout/").await;
    let page = browser.press(&asked, "logout").await.assert_status(200);
    assert_eq!((frames(&page).len(), page.has("logged_out"), page.has("onward")), (1, true, false));
    assert_eq!(page.header("refresh"), "");
}

async fn an_application_that_was_not_signed_in_to_is_not_opened(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (browser, other) = (Browser::signed_in(&app).await, Browser::signed_in(&app).await);
    let client = client(&app, json!({"frontchannel_logout_uri": OUT})).await;
    learn(&browser, &client, "read").await;
    learn(&other, &client, "openid").await;
    let page = browser.press(&browser.get("/o/logout/").await, "logout").await.assert_status(200);
    assert!(frames(&page).is_empty() && !page.header("content-security-policy").contains("frame-src"));
    app.disable(client.id).await;
    let page = other.press(&other.get("/o/logout/").await, "logout").await.assert_status(200);
    assert!(frames(&page).is_empty());
}

async fn a_page_that_was_not_left_for_says_only_that_one_is_out(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let client = client(&app, json!({"frontchannel_logout_uri": OUT})).await;
    learn(&browser, &client, "openid").await;
    let left = browser.send(&browser.get("/o/logout/").await.form("logout")).await.assert_status(303).location().to_owned();
    assert_eq!(frames(&browser.get(&left).await).len(), 1);
    for path in ["/o/logout/done/", "/o/logout/done/?left=", "/o/logout/done/?left=x"] {
        let page = browser.get(path).await.assert_status(200);
        assert!(page.has("logged_out") && frames(&page).is_empty());
    }
    app.app.clock.advance(601);
    assert!(frames(&browser.get(&left).await).is_empty());
}

async fn only_an_address_on_a_site_of_its_own_can_be_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let register = async |uri: &str| {
        let metadata = json!({"redirect_uris": [REDIRECT_URI, "http://127.0.0.1:9000/cb"], "frontchannel_logout_uri": uri});
        let metadata = serde_json::from_value(metadata).unwrap();
        let request = RegisterClient { identifier: None, owner: None, metadata, secret: SecretChoice::Generated };
        app.app.dispatch.register_client(Actor::Operator, request).await
    };
    for uri in [OUT, "https://app.example:443/out", "http://127.0.0.1:9000/out"] {
        assert!(register(uri).await.is_ok(), "{uri}");
    }
    for uri in [
        "https://evil.example/out",
        "https://app.example.evil.example/out",
        "https://app.example:8443/out",
        "http://app.example/out",
        "http://127.0.0.1:9001/out",
        "https://app.example/out#x",
        "javascript:alert(1)",
        "/out",
    ] {
        let refused = register(uri).await.err();
        let told = |why: &String| why.starts_with("frontchannel_logout_uri");
        assert!(matches!(&refused, Some(Refusal::Rule(ClientError::InvalidMetadata(why))) if told(why)), "{uri}: {refused:?}");
    }
}
