//! Clients that nobody registered: what they are stands in a document at their `client_id` (draft-ietf-oauth-client-id-metadata-document).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use domain::ClientId;
use grantlog::{
    dispatch::{RegisterClient, SecretChoice},
    log::Actor,
    state::App,
};
use serde_json::{Value, json};
use support::{Answer, Browser, CHALLENGE, Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores};
use tokio::net::TcpListener;

both_stores!(
    a_client_comes_by_its_document_and_gets_tokens,
    nobody_comes_by_a_document_unless_the_settings_say_so,
    a_document_is_read_again_when_it_has_become_old,
    what_the_answer_says_of_its_age_holds_within_bounds,
    a_changed_document_is_another_version_of_the_client,
    an_open_page_is_not_answered_for_a_client_that_has_changed,
    what_is_no_document_of_the_client_is_told_to_the_user,
    a_document_that_is_gone_lets_nobody_in,
    nobody_on_a_private_network_is_asked,
    documents_are_counted_by_source,
    two_nodes_make_one_client_of_a_document,
    an_operator_has_the_last_word,
    a_client_that_was_registered_under_an_address_stays_as_it_is,
    a_client_is_told_only_scopes_that_people_can_grant,
    the_consent_page_names_the_documents_host,
);

/// What stands at an address, and how often it was asked for.
#[derive(Clone)]
struct Host {
    client_id: String,
    answer: Arc<Mutex<(StatusCode, &'static str, &'static str, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    /// A host with a document that is as it should be.
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client_id = format!("http://{}/client.json", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((StatusCode::OK, "application/json", "", String::new())));
        let host = Self { client_id, answer, asked: Arc::default() };
        host.says(&json!({}));
        let (answer, asked) = (host.answer.clone(), host.asked.clone());
        let handler = get(move || async move {
            asked.fetch_add(1, Ordering::Relaxed);
            let (status, media_type, cache_control, body) = answer.lock().unwrap().clone();
            (status, [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, cache_control)], body)
        });
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/client.json", handler)).await });
        host
    }

    /// The document has these members in place of the ordinary ones.
    fn says(&self, members: &Value) {
        let mut document = json!({"client_id": self.client_id, "client_name": "Walker", "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"]});
        document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.answer.lock().unwrap().3 = document.to_string();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn authorize_path(&self, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "read"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let url = reqwest::Url::parse_with_params("http://x/o/authorize/", kept.chain(changes.iter().copied())).unwrap();
        format!("{}?{}", url.path(), url.query().unwrap())
    }
}

async fn app(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| {
        settings.registration.by_document = true;
        settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()];
    })
    .await
}

async fn metadata_version(app: &TestApp, host: &Host) -> u32 {
    app.app.dispatch.client(&host.client_id).await.unwrap().unwrap().state.registration().unwrap().metadata_version
}

/// Asks for a page, and gives why there is none.
async fn refused(browser: &Browser<'_>, host: &Host) -> String {
    browser.open(&host.authorize_path(&[])).await.assert_error_page(400, "invalid_request").text()
}

async fn a_client_comes_by_its_document_and_gets_tokens(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    let page = browser.open(&host.authorize_path(&[])).await.assert_status(200);
    assert!(page.has("allow") && page.text().contains("Walker"));
    let code = browser.press(&page, "allow").await.answered("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &host.client_id),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let tokens = app.post("/o/token/", &form).await.assert_status(200).tokens();
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", host.client_id.as_str()), ("refresh_token", tokens.refresh_token())];
    let tokens = app.post("/o/token/", &refresh).await.assert_status(200).tokens();
    let told = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
    assert_eq!(told["client_id"], json!(host.client_id));
    assert_eq!(host.asked(), 1);
    let metadata = app.get("/o/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
}

async fn nobody_comes_by_a_document_unless_the_settings_say_so(kind: Kind) {
    let host = Host::start().await;
    let closed = TestApp::start_with(kind, |settings| settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()]).await;
    let browser = Browser::signed_in(&closed).await;
    refused(&browser, &host).await;
    assert_eq!(host.asked(), 0);
    let metadata = closed.get("/o/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], false);
}

async fn a_document_is_read_again_when_it_has_become_old(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    for _ in 0..3 {
        browser.open(&host.authorize_path(&[])).await.assert_status(200);
    }
    assert_eq!(host.asked(), 1);
    app.app.clock.advance(3_601);
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    assert_eq!((host.asked(), metadata_version(&app, &host).await), (2, 1));
}

async fn what_the_answer_says_of_its_age_holds_within_bounds(kind: Kind) {
    let app = app(kind).await;
    for (said, holds) in [("max-age=600", 600), ("max-age=1", 60), ("no-store", 60), ("max-age=9999999", 86_400)] {
        let host = Host::start().await;
        host.answer.lock().unwrap().2 = said;
        for (passes, asked) in [(0, 1), (holds - 1, 1), (2, 2)] {
            app.app.clock.advance(passes);
            app.app.dispatch.client_that_asks(&host.client_id, [127, 0, 0, 1].into()).await.unwrap().unwrap();
            assert_eq!(host.asked(), asked, "{said}, {passes} s later");
        }
    }
}

async fn a_changed_document_is_another_version_of_the_client(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    host.says(&json!({"client_name": "Runner"}));
    app.app.clock.advance(3_601);
    let page = browser.open(&host.authorize_path(&[])).await.assert_status(200);
    assert!(page.text().contains("Runner") && !page.text().contains("Walker"));
    assert_eq!(metadata_version(&app, &host).await, 2);
}

async fn an_open_page_is_not_answered_for_a_client_that_has_changed(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    let page = browser.open(&host.authorize_path(&[])).await.assert_status(200);
    host.says(&json!({"redirect_uris": [REDIRECT_URI, "https://elsewhere.example/cb"]}));
    app.app.clock.advance(3_601);
    app.app.dispatch.client_that_asks(&host.client_id, [127, 0, 0, 1].into()).await.unwrap();
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn what_is_no_document_of_the_client_is_told_to_the_user(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    let elsewhere = host.client_id.replace("client.json", "other.json");
    for (members, why) in [
        (json!({"client_id": elsewhere}), "its client_id is not its address"),
        (json!({"client_secret": "x"}), "client_secret"),
        (json!({"token_endpoint_auth_method": "client_secret_post"}), "token_endpoint_auth_method"),
        (json!({"redirect_uris": ["https://app.example/#"]}), "redirect_uris"),
        (json!({"redirect_uris": []}), "redirect_uris"),
        (json!({"client_name": "x".repeat(6_000)}), "5120 bytes"),
        (json!({"scope": "everything"}), "scope"),
        (json!({"software_statement": "a.b.c"}), "software_statement"),
    ] {
        host.says(&members);
        let text = refused(&browser, &host).await;
        assert!(text.contains(why), "{why}: {text}");
    }
    host.says(&json!({}));
    for answer in
        [(StatusCode::NOT_FOUND, "application/json"), (StatusCode::FOUND, "application/json"), (StatusCode::OK, "text/html")]
    {
        (host.answer.lock().unwrap().0, host.answer.lock().unwrap().1) = answer;
        assert!(refused(&browser, &host).await.contains("not JSON with the status 200"));
    }
    assert!(app.app.dispatch.client(&host.client_id).await.unwrap().is_none(), "nothing of it is kept");
    // What was refused is not remembered.
    (host.answer.lock().unwrap().0, host.answer.lock().unwrap().1) = (StatusCode::OK, "application/client+json");
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
}

async fn a_document_that_is_gone_lets_nobody_in(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    host.answer.lock().unwrap().0 = StatusCode::GONE;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    app.app.clock.advance(3_601);
    refused(&browser, &host).await;
    host.answer.lock().unwrap().0 = StatusCode::OK;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
}

async fn nobody_on_a_private_network_is_asked(kind: Kind) {
    let (app, host) = (TestApp::start_with(kind, |settings| settings.registration.by_document = true).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    refused(&browser, &host).await;
    let over_https = Host { client_id: host.client_id.replace("http:", "https:"), ..host.clone() };
    assert!(refused(&browser, &over_https).await.contains("public address"));
    let by_name = Host { client_id: over_https.client_id.replace("127.0.0.1", "localhost"), ..host.clone() };
    assert!(refused(&browser, &by_name).await.contains("public address"));
    assert_eq!(host.asked(), 0);
}

async fn documents_are_counted_by_source(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        settings.registration.by_document = true;
        settings.registration.per_source = 2;
        settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()];
    })
    .await;
    let browser = Browser::signed_in(&app).await;
    let (known, other) = (Host::start().await, Host::start().await);
    browser.open(&known.authorize_path(&[])).await.assert_status(200);
    other.says(&json!({"client_secret": "x"}));
    refused(&browser, &other).await;
    let page = browser.open(&other.authorize_path(&[])).await.assert_error_page(429, "temporarily_unavailable");
    assert_eq!(page.header("retry-after"), "3600");
    assert_eq!(other.asked(), 1);
    // Whoever is known already is not counted, unless their document cannot be had.
    app.app.clock.advance(3_500);
    browser.open(&known.authorize_path(&[])).await.assert_status(200);
    app.app.clock.advance(3_601);
    known.answer.lock().unwrap().0 = StatusCode::GONE;
    for _ in 0..2 {
        refused(&browser, &known).await;
    }
    browser.open(&known.authorize_path(&[])).await.assert_error_page(429, "temporarily_unavailable");
}

async fn two_nodes_make_one_client_of_a_document(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let other = app.another_node().await;
    let source = [127, 0, 0, 1].into();
    let ask = |node: App| {
        let client_id = host.client_id.clone();
        tokio::spawn(async move { node.dispatch.client_that_asks(&client_id, source).await.unwrap().unwrap().id })
    };
    let asking: Vec<_> = [&app.app, &other].into_iter().cycle().take(8).map(|node| ask(node.clone())).collect();
    let mut ids = Vec::new();
    for asked in asking {
        ids.push(asked.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

async fn an_operator_has_the_last_word(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    let client = app.app.dispatch.client(&host.client_id).await.unwrap().unwrap();
    app.app.dispatch.disable_client(Actor::Operator, ClientId::new(client.id)).await.unwrap();
    app.app.clock.advance(3_601);
    refused(&browser, &host).await;
    assert_eq!(host.asked(), 1, "a disabled client's document is not asked for");
}

async fn a_client_that_was_registered_under_an_address_stays_as_it_is(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let registered = RegisterClient {
        identifier: Some(host.client_id.clone()),
        owner: None,
        metadata: serde_json::from_value(json!({"client_name": "By hand", "redirect_uris": [REDIRECT_URI], "scope": "read"}))
            .unwrap(),
        secret: SecretChoice::Generated,
    };
    app.app.dispatch.register_client(Actor::Operator, registered).await.unwrap_or_else(|refusal| panic!("{refusal}"));
    let browser = Browser::signed_in(&app).await;
    let page = browser.open(&host.authorize_path(&[])).await.assert_status(200);
    assert!(page.text().contains("By hand") && !page.has("described_by"));
    assert_eq!(host.asked(), 0);
}

async fn a_client_is_told_only_scopes_that_people_can_grant(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    host.says(&json!({"scope": "read audit telepathy"}));
    let browser = Browser::signed_in(&app).await;
    browser.open(&host.authorize_path(&[])).await.assert_status(200);
    let client = app.app.dispatch.client(&host.client_id).await.unwrap().unwrap();
    assert_eq!(client.state.registration().unwrap().metadata.scope.to_string(), "read");
    let wider: Answer = browser.open(&host.authorize_path(&[("scope", "read audit")])).await;
    wider.assert_error_redirect("invalid_scope");
}

async fn the_consent_page_names_the_documents_host(kind: Kind) {
    let (app, host) = (app(kind).await, Host::start().await);
    let browser = Browser::signed_in(&app).await;
    let page = browser.open(&host.authorize_path(&[])).await.assert_status(200);
    assert!(page.text_of("described_by").unwrap().contains("127.0.0.1"));
    let client: TestClient = app.ordinary_client().await;
    let page = browser.open(&app.authorize_path(&client, &[])).await.assert_status(200);
    assert!(page.has("allow") && !page.has("described_by"));
}
