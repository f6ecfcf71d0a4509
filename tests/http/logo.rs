//! Applications' logos, and the pages that they say should be read, where people are asked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::header, routing::get};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Digest, client::ClientMetadata};
use grantlog::{ephemeral, logo};
use serde_json::json;
use support::{Browser, CHALLENGE, Kind, REDIRECT_URI, TestApp, TestClient, both_stores};
use tokio::net::TcpListener;

both_stores!(
    a_logo_is_fetched_once_and_kept_for_a_day,
    what_is_no_raster_image_is_no_logo_and_not_asked_for_again_soon,
    nobody_on_a_private_network_is_asked,
    the_pages_show_the_logo_from_here_and_what_should_be_read,
    there_is_a_logo_only_of_an_application_that_may_act_and_has_one,
);

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

/// Answers with this, calls it a picture, and counts how often it was asked.
async fn host(image: &'static [u8]) -> (ClientMetadata, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let answer = get(move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        ([(header::CONTENT_TYPE, "image/png")], image)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let logo_uri = Some(format!("http://{}/logo", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/logo", answer)).await });
    (ClientMetadata { logo_uri, ..ClientMetadata::default() }, asked)
}

async fn app_that_may_ask_here(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()]).await
}

async fn media_type(app: &TestApp, metadata: &ClientMetadata) -> Option<&'static str> {
    logo::of(&app.app.dispatch, metadata).await.unwrap().map(|logo| logo.media_type)
}

async fn a_logo_is_fetched_once_and_kept_for_a_day(kind: Kind) {
    let app = app_that_may_ask_here(kind).await;
    let (metadata, asked) = host(PNG).await;
    for _ in 0..3 {
        assert_eq!(media_type(&app, &metadata).await, Some("image/png"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    app.app.clock.advance(86_401);
    assert_eq!(media_type(&app, &metadata).await, Some("image/png"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

async fn what_is_no_raster_image_is_no_logo_and_not_asked_for_again_soon(kind: Kind) {
    let app = app_that_may_ask_here(kind).await;
    let (metadata, asked) = host(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").await;
    for _ in 0..3 {
        assert_eq!(media_type(&app, &metadata).await, None);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    app.app.clock.advance(601);
    assert_eq!(media_type(&app, &metadata).await, None);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

async fn nobody_on_a_private_network_is_asked(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (metadata, asked) = host(PNG).await;
    assert_eq!(media_type(&app, &metadata).await, None);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// A client whose logo was fetched already.
async fn client_with_logo(app: &TestApp) -> TestClient {
    let logo_uri = "https://app.example/logo.png";
    let client = app
        .client(json!({
            "client_name": "Shop", "redirect_uris": [REDIRECT_URI], "scope": "read", "logo_uri": logo_uri,
            "policy_uri": "https://app.example/policy", "tos_uri": "https://app.example/terms",
        }))
        .await;
    let (key, end) = (Digest::of(logo_uri.as_bytes()), app.app.clock.now().plus(600));
    ephemeral::put(app.app.log.db(), "logo", key.as_str(), &STANDARD.encode(PNG), end).await.unwrap();
    client
}

async fn the_pages_show_the_logo_from_here_and_what_should_be_read(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client_with_logo(&app).await;
    let browser = Browser::new(&app);
    let authorize = format!(
        "/o/authorize/?response_type=code&client_id={}&redirect_uri={REDIRECT_URI}&scope=read&code_challenge={CHALLENGE}&code_challenge_method=S256",
        client.identifier
    );
    let sign_in = browser.open(&authorize).await.assert_status(200);
    let consent = browser.sign_in_and_go_on(&sign_in).await.assert_status(200);
    assert!(sign_in.has("login") && consent.has("allow"));
    for page in [sign_in, consent] {
        assert_eq!(page.attribute("#client_policy", "href").as_deref(), Some("https://app.example/policy"));
        assert_eq!(page.attribute("#client_tos", "href").as_deref(), Some("https://app.example/terms"));
        let logo = page.attribute("#client_logo", "src").unwrap();
        assert!(logo.starts_with(&format!("/o/logo/{}/?v=1", client.id)), "{logo}");
        let image = app.http.get(app.url(&logo)).send().await.unwrap();
        let header = |name: &str| image.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((image.status().as_u16(), header("content-type")), (200, "image/png".to_owned()));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(image.bytes().await.unwrap(), PNG);
    }
}

async fn there_is_a_logo_only_of_an_application_that_may_act_and_has_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (with, without) = (client_with_logo(&app).await, app.ordinary_client().await);
    let path = |client: &TestClient| format!("/o/logo/{}/", client.id);
    app.get(&path(&without)).await.assert_status(404);
    app.get("/o/logo/nobody/").await.assert_status(404);
    app.get("/o/logo/00000000-0000-7000-8000-000000000001/").await.assert_status(404);
    app.disable(with.id).await;
    app.get(&path(&with)).await.assert_status(404);
}
