//! Requests that their client signed (RFC 9101, OpenID Connect Core section 6).

use std::sync::{Arc, Mutex};

use axum::{Router, http::header, routing::get};
use domain::client::SigningAlgorithm;
use serde_json::{Value, json};
use support::{Answer, Browser, CHALLENGE, ClientKey, Kind, REDIRECT_URI, TestApp, TestClient, both_stores, with};
use tokio::net::TcpListener;

both_stores!(
    what_the_client_signed_is_the_request,
    nothing_beside_it_counts,
    every_algorithm_signs_requests,
    what_is_not_right_is_refused,
    a_request_is_fetched_where_its_client_registered_it,
    what_is_fetched_must_be_a_request,
    a_client_that_is_to_sign_signs_all,
    a_signed_request_can_be_pushed,
    under_fapi2_it_says_for_how_long,
);

/// A client that signs its requests with this key.
async fn signing(app: &TestApp, key: &ClientKey, more: Value) -> TestClient {
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "read write", "jwks": ClientKey::jwks(&[key])});
    app.client(with(metadata, more)).await
}

/// What the client says, but for these claims.
fn object(app: &TestApp, (client, key): (&TestClient, &ClientKey), changed: Value) -> String {
    let now = app.app.clock.now().unix();
    let claims = json!({
        "iss": client.identifier, "aud": app.url("/o"), "nbf": now, "exp": now + 300, "client_id": client.identifier,
        "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "read", "state": "signed",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    key.sign(&key.header("oauth-authz-req+jwt"), &with(claims, changed))
}

fn authorize(client: &TestClient, parameters: &[(&str, &str)]) -> String {
    let all = [&[("client_id", client.identifier.as_str())], parameters].concat();
    let url = reqwest::Url::parse_with_params("http://x/o/authorize/", all).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

async fn what_the_client_signed_is_the_request(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    let browser = Browser::signed_in(&app).await;
    let request = object(&app, (&client, &key), json!({"resource": [app.url("")], "max_age": 3600}));
    let answer = browser.allow(&authorize(&client, &[("request", &request)])).await;
    assert_eq!(answer.answered("state").as_deref(), Some("signed"));
    let code = answer.answered("code").unwrap();
    assert_eq!(app.redeem(&client, &code).await.assert_status(200).tokens().scope, "read");
}

async fn nothing_beside_it_counts(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    let browser = Browser::signed_in(&app).await;
    let request = object(&app, (&client, &key), json!({"state": null}));
    let beside = [("request", request.as_str()), ("state", "beside"), ("scope", "write"), ("response_mode", "fragment")];
    let answer = browser.allow(&authorize(&client, &beside)).await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?")), "{answer:?}");
    assert_eq!(answer.answered("state"), None);
    let code = answer.answered("code").unwrap();
    assert_eq!(app.redeem(&client, &code).await.assert_status(200).tokens().scope, "read");
    // Who asks stands outside too, and is the same.
    let other = app.ordinary_client().await;
    let answer = browser.get(&authorize(&other, &[("request", &request), ("redirect_uri", REDIRECT_URI)])).await;
    assert_eq!(answer.answered("error").as_deref(), Some("request_not_supported"));
}

/// A request is answered that is signed so.
pub(crate) async fn request_is_taken(browser: &Browser<'_>, algorithm: SigningAlgorithm) {
    let (app, key) = (browser.app, ClientKey::new(algorithm));
    let client = signing(app, &key, json!({"request_object_signing_alg": algorithm.name()})).await;
    let request = object(app, (&client, &key), json!({}));
    assert!(browser.allow(&authorize(&client, &[("request", &request)])).await.answered("code").is_some());
}

async fn every_algorithm_signs_requests(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    for algorithm in SigningAlgorithm::ALL {
        request_is_taken(&browser, algorithm).await;
    }
    let key = ClientKey::ec();
    let client = signing(&app, &key, json!({"request_object_signing_alg": "PS256"})).await;
    refused(&app, &client, &object(&app, (&client, &key), json!({})), "invalid_request_object").await;
}

/// The client hears of it where it has registered that it hears.
async fn refused(app: &TestApp, client: &TestClient, request: &str, code: &str) -> Answer {
    let answer = app.get(&authorize(client, &[("request", request)])).await;
    assert!(answer.location().starts_with(REDIRECT_URI), "{answer:?}");
    assert_eq!(answer.answered("error").as_deref(), Some(code), "{answer:?}");
    answer
}

async fn what_is_not_right_is_refused(kind: Kind) {
    let (app, key, foreign) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    let now = app.app.clock.now().unix();
    for changed in [
        json!({"iss": "other"}),
        json!({"aud": "https://else.example"}),
        json!({"exp": now - 61}),
        json!({"nbf": now + 61}),
        json!({"exp": (now + 60).to_string()}),
        json!({"client_id": "other"}),
        json!({"request": "x"}),
        json!({"request_uri": "urn:ietf:params:oauth:request_uri:x"}),
    ] {
        let told = refused(&app, &client, &object(&app, (&client, &key), changed.clone()), "invalid_request_object").await;
        assert_eq!(told.answered("state").as_deref(), Some("signed"), "{changed}");
    }
    let right = object(&app, (&client, &key), json!({}));
    let (said, _) = right.rsplit_once('.').unwrap();
    for request in [
        object(&app, (&client, &foreign), json!({})),
        format!("{said}.AAAA"),
        format!("{said}."),
        format!("eyJhbGciOiJub25lIn0.{}.", said.split_once('.').unwrap().1),
        key.sign(&key.header("at+jwt"), &json!({})),
        "nonsense".to_owned(),
    ] {
        refused(&app, &client, &request, "invalid_request_object").await;
    }
    // What it says is checked as what stands in a URL is.
    let elsewhere = object(&app, (&client, &key), json!({"redirect_uri": "https://evil.example/"}));
    app.get(&authorize(&client, &[("request", &elsewhere)])).await.assert_error_page(400, "redirect_uri");
    refused(&app, &client, &object(&app, (&client, &key), json!({"scope": "admin"})), "invalid_scope").await;
}

/// Texts at an address, and of which type they say that they are.
async fn serve(text: Arc<Mutex<String>>, media_type: &'static str) -> String {
    let answer = get(move || async move { ([(header::CONTENT_TYPE, media_type)], text.lock().unwrap().clone()) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/request.jwt", answer)).await });
    format!("http://{address}/request.jwt")
}

async fn app_that_may_ask_here(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()]).await
}

async fn a_request_is_fetched_where_its_client_registered_it(kind: Kind) {
    let (app, key) = (app_that_may_ask_here(kind).await, ClientKey::ec());
    let text = Arc::new(Mutex::new(String::new()));
    let uri = serve(text.clone(), "application/oauth-authz-req+jwt").await;
    let client = signing(&app, &key, json!({"request_uris": [uri]})).await;
    *text.lock().unwrap() = object(&app, (&client, &key), json!({}));
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&authorize(&client, &[("request_uri", &uri)])).await;
    assert_eq!(answer.answered("state").as_deref(), Some("signed"));
    assert!(answer.answered("code").is_some());
    let other = format!("{uri}?other");
    let answer = app.get(&authorize(&client, &[("request_uri", &other)])).await;
    assert_eq!(answer.answered("error").as_deref(), Some("invalid_request_uri"));
    let both = [("request", "x"), ("request_uri", uri.as_str())];
    assert_eq!(app.get(&authorize(&client, &both)).await.answered("error").as_deref(), Some("invalid_request"));
}

async fn what_is_fetched_must_be_a_request(kind: Kind) {
    let (app, key) = (app_that_may_ask_here(kind).await, ClientKey::ec());
    let text = Arc::new(Mutex::new("nonsense".to_owned()));
    let (page, request) = (serve(text.clone(), "text/html").await, serve(text, "application/jwt").await);
    let nobody = "http://127.0.0.1:1/request.jwt";
    let client = signing(&app, &key, json!({"request_uris": [page, request, nobody]})).await;
    for (uri, code) in
        [(page.as_str(), "invalid_request_uri"), (nobody, "invalid_request_uri"), (&request, "invalid_request_object")]
    {
        let answer = app.get(&authorize(&client, &[("request_uri", uri)])).await;
        assert_eq!(answer.answered("error").as_deref(), Some(code), "{uri}");
    }
}

async fn a_client_that_is_to_sign_signs_all(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({"require_signed_request_object": true})).await;
    let answer = app.get(&app.authorize_path(&client, &[])).await;
    assert_eq!(answer.answered("error").as_deref(), Some("invalid_request"));
    let browser = Browser::signed_in(&app).await;
    let request = object(&app, (&client, &key), json!({}));
    assert!(browser.allow(&authorize(&client, &[("request", &request)])).await.answered("code").is_some());
}

async fn a_signed_request_can_be_pushed(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({"require_signed_request_object": true})).await;
    let push = async |request: &str| app.post_as(&client, "/o/par/", &[("request", request)]).await;
    push(&object(&app, (&client, &key), json!({"aud": "https://else.example"})))
        .await
        .assert_error(400, "invalid_request_object");
    push(&object(&app, (&client, &key), json!({"request_uri": "x"}))).await.assert_error(400, "invalid_request_object");
    app.post_as(&client, "/o/par/", &[("response_type", "code"), ("redirect_uri", REDIRECT_URI)])
        .await
        .assert_error(400, "invalid_request");
    let pushed = push(&object(&app, (&client, &key), json!({}))).await.assert_status(201).json();
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&authorize(&client, &[("request_uri", pushed["request_uri"].as_str().unwrap())])).await;
    assert_eq!(answer.answered("state").as_deref(), Some("signed"));
}

async fn under_fapi2_it_says_for_how_long(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({"policy": "fapi2", "token_endpoint_auth_method": "private_key_jwt"})).await;
    let now = app.app.clock.now().unix();
    let push = async |jti: &str, changed: Value| {
        let assertion =
            json!({"iss": client.identifier, "sub": client.identifier, "aud": app.url("/o"), "exp": now + 60, "jti": jti});
        let assertion = key.sign(&key.header("JWT"), &assertion);
        let request = object(&app, (&client, &key), changed);
        let kind = grantlog::protocol::client_assertion::JWT_BEARER;
        let form = [("client_assertion_type", kind), ("client_assertion", &assertion), ("request", &request)];
        app.post("/o/par/", &form).await
    };
    push("1", json!({"aud": [app.url("/o"), "https://else.example"]})).await.assert_status(201);
    for (n, changed) in [
        json!({"exp": null}),
        json!({"nbf": null}),
        json!({"aud": null}),
        json!({"exp": now + 4_200}),
        json!({"nbf": now - 4_200}),
    ]
    .into_iter()
    .enumerate()
    {
        push(&format!("bad {n}"), changed).await.assert_error(400, "invalid_request_object");
    }
    push("without redirect_uri", json!({"redirect_uri": null})).await.assert_error(400, "invalid_request");
}
