//! Pushed authorization requests (RFC 9126): the client leaves its request with us, and the browser brings its name.

use futures_util::future::join_all;
use serde_json::json;
use support::{Answer, Browser, CHALLENGE, ClientKey, Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

use crate::client_assertion::signing;

both_stores!(
    a_pushed_request_is_asked_by_its_name_alone,
    what_stands_beside_the_name_does_not_count,
    it_can_be_answered_once,
    people_may_reload_the_page,
    it_waits_for_a_minute,
    it_is_its_clients_alone,
    a_client_that_is_to_push_its_requests_pushes_all,
    the_client_itself_is_told_what_is_wrong,
    nobody_pushes_without_proving_who_they_are,
    an_assertion_is_used_up_by_one_push_over_two_nodes,
    a_public_client_pushes_too,
    a_client_that_was_disabled_meanwhile_is_refused,
);

fn request<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "read"),
        ("state", "pushed"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect()
}

async fn push(app: &TestApp, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    app.post_as(client, "/o/par/", &request(changes)).await
}

/// The name of a request that was pushed.
async fn pushed(app: &TestApp, client: &TestClient, changes: &[(&str, &str)]) -> String {
    let answer = push(app, client, changes).await.assert_status(201);
    assert_eq!((answer.header("cache-control"), &answer.json()["expires_in"]), ("no-store", &json!(60)));
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() > 70, "{uri}");
    uri
}

fn authorize(client: &TestClient, request_uri: &str, more: &[(&str, &str)]) -> String {
    let parameters = [("client_id", client.identifier.as_str()), ("request_uri", request_uri)];
    let url = reqwest::Url::parse_with_params("http://x/o/authorize/", parameters.iter().chain(more)).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

async fn a_pushed_request_is_asked_by_its_name_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let uri = pushed(&app, &client, &[]).await;
    let browser = Browser::new(&app);
    let page = browser.open(&authorize(&client, &uri, &[])).await;
    let consent = browser.sign_in_and_go_on(&page).await;
    let answer = browser.press(&consent, "allow").await;
    assert_eq!(answer.answered("state").as_deref(), Some("pushed"));
    let code = answer.answered("code").unwrap();
    assert_eq!(app.redeem(&client, &code).await.assert_status(200).tokens().scope, "read");
}

async fn what_stands_beside_the_name_does_not_count(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let uri = pushed(&app, &client, &[]).await;
    let browser = Browser::signed_in(&app).await;
    let more = [("scope", "write"), ("state", "other"), ("redirect_uri", "https://evil.example/"), ("prompt", "none")];
    let answer = browser.allow(&authorize(&client, &uri, &more)).await;
    assert!(answer.location().starts_with(REDIRECT_URI), "{answer:?}");
    assert_eq!(answer.answered("state").as_deref(), Some("pushed"));
    let code = answer.answered("code").unwrap();
    assert_eq!(app.redeem(&client, &code).await.assert_status(200).tokens().scope, "read");
}

async fn it_can_be_answered_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let uri = pushed(&app, &client, &[]).await;
    let path = authorize(&client, &uri, &[]);
    // Two tabs ask; one answers.
    let (first, second) = (browser.open(&path).await, browser.open(&path).await);
    assert!(browser.press(&first, "allow").await.answered("code").is_some());
    browser.press(&second, "allow").await.assert_error_page(400, "invalid_request");
    browser.open(&path).await.assert_error_page(400, "invalid_request");
    // No is an answer too.
    let path = authorize(&client, &pushed(&app, &client, &[("scope", "write")]).await, &[]);
    let page = browser.open(&path).await;
    assert_eq!(browser.press(&page, "deny").await.answered("error").as_deref(), Some("access_denied"));
    browser.open(&path).await.assert_error_page(400, "invalid_request");
}

async fn people_may_reload_the_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let path = authorize(&client, &pushed(&app, &client, &[]).await, &[]);
    browser.open(&path).await.assert_status(200);
    let page = browser.open(&path).await.assert_status(200);
    // They take their time: what was pushed has waited for the browser, and now waits for them.
    app.app.clock.advance(600);
    let consent = browser.sign_in_and_go_on(&page).await;
    assert!(browser.press(&consent, "allow").await.answered("code").is_some());
}

async fn it_waits_for_a_minute(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let (early, late) = (pushed(&app, &client, &[]).await, pushed(&app, &client, &[]).await);
    app.app.clock.advance(59);
    browser.open(&authorize(&client, &early, &[])).await.assert_status(200);
    app.app.clock.advance(1);
    browser.open(&authorize(&client, &late, &[])).await.assert_error_page(400, "invalid_request_uri");
}

async fn it_is_its_clients_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let browser = Browser::signed_in(&app).await;
    let uri = pushed(&app, &client, &[]).await;
    browser.open(&authorize(&other, &uri, &[])).await.assert_error_page(400, "invalid_request_uri");
    for invented in ["urn:ietf:params:oauth:request_uri:", "urn:ietf:params:oauth:request_uri:abc", &uri[..uri.len() - 1]] {
        browser.open(&authorize(&client, invented, &[])).await.assert_error_page(400, "invalid_request_uri");
    }
    browser.open(&format!("/o/authorize/?request_uri={uri}")).await.assert_error_page(400, "client_id");
    assert!(browser.allow(&authorize(&client, &uri, &[])).await.answered("code").is_some());
}

async fn a_client_that_is_to_push_its_requests_pushes_all(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "require_pushed_authorization_requests": true});
    let client = app.client(metadata).await;
    let browser = Browser::signed_in(&app).await;
    let refused = browser.open(&app.authorize_path(&client, &[])).await;
    assert_eq!(refused.answered("error").as_deref(), Some("invalid_request"));
    let uri = pushed(&app, &client, &[]).await;
    assert!(browser.allow(&authorize(&client, &uri, &[])).await.answered("code").is_some());
}

async fn the_client_itself_is_told_what_is_wrong(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for (changes, code) in [
        ([("redirect_uri", "https://app.example/other")], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("scope", "admin")], "invalid_scope"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("request_uri", "urn:ietf:params:oauth:request_uri:abc")], "invalid_request"),
        ([("resource", "https://other.example/")], "invalid_target"),
        ([("dpop_jkt", "abc")], "invalid_request"),
    ] {
        let answer = push(&app, &client, &changes).await.assert_error(400, code);
        assert_eq!(answer.location(), "", "{changes:?}");
    }
    app.get("/o/par/").await.assert_error(405, "invalid_request");
}

async fn nobody_pushes_without_proving_who_they_are(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let named = [("client_id", client.identifier.as_str())];
    app.post("/o/par/", &request(&named)).await.assert_error(401, "invalid_client");
    app.post("/o/par/", &request(&[])).await.assert_error(401, "invalid_client");
    let other = app.ordinary_client().await;
    push(&app, &other, &named).await.assert_error(400, "invalid_request");
}

async fn an_assertion_is_used_up_by_one_push_over_two_nodes(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let more = json!({"grant_types": ["authorization_code"], "redirect_uris": [REDIRECT_URI]});
    let client = signing(&app, &key, more).await;
    let nodes = [app.address, app.another_node_serving().await];
    let assertion = client.sign("once", json!({}));
    let kind = grantlog::protocol::client_assertion::JWT_BEARER;
    let form = request(&[("client_assertion_type", kind), ("client_assertion", &assertion)]);
    let tries = (0..10).map(|n| Answer::of(app.http.post(format!("http://{}/o/par/", nodes[n % 2])).form(&form)));
    let statuses: Vec<_> = join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 401].contains(status)), "{statuses:?}");
    // What is refused uses it up as well.
    let assertion = client.sign("refused", json!({}));
    client.post("/o/par/", &assertion, &request(&[("scope", "admin")])).await.assert_error(400, "invalid_scope");
    client.post("/o/par/", &assertion, &request(&[])).await.assert_error(401, "invalid_client");
}

async fn a_public_client_pushes_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "token_endpoint_auth_method": "none"});
    let client = app.client(metadata).await;
    let answer = app.post("/o/par/", &request(&[("client_id", &client.identifier)])).await.assert_status(201);
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let browser = Browser::signed_in(&app).await;
    assert!(browser.allow(&authorize(&client, &uri, &[])).await.answered("code").is_some());
}

async fn a_client_that_was_disabled_meanwhile_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let uri = pushed(&app, &client, &[]).await;
    app.disable(client.id).await;
    let browser = Browser::signed_in(&app).await;
    browser.open(&authorize(&client, &uri, &[])).await.assert_error_page(400, "invalid_request");
    push(&app, &client, &[]).await.assert_error(401, "invalid_client");
}
