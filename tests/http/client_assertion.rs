//! A client proves who it is by what it signed (RFC 7523, OpenID Connect Core section 9).

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, routing::get};
use domain::{
    ClientId,
    client::{ClientMetadata, SigningAlgorithm},
};
use grantlog::{log::Actor, protocol::client_assertion::JWT_BEARER};
use serde_json::{Value, json};
use support::{Answer, Browser, ClientKey, Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores, tampered, with};
use tokio::net::TcpListener;

both_stores!(
    under_fapi2_the_issuer_alone_is_the_audience,
    an_assertion_is_used_up_by_what_is_refused_too,
    a_client_gets_tokens_by_an_assertion_and_no_secret,
    an_algorithm_may_be_called_by_its_curve,
    an_assertion_is_good_once_over_two_nodes,
    a_replay_is_told_as_such_and_uses_its_assertion_up,
    an_assertion_that_is_not_right_is_refused,
    a_client_authenticates_in_the_one_way_that_it_registered,
    it_introspects_and_revokes_by_assertions_too,
    keys_are_fetched_and_fetched_again_when_a_new_one_signs,
    nonsense_makes_nobody_be_asked_more_often,
    a_client_that_signs_has_keys_and_no_secret,
);

fn metadata(more: Value) -> Value {
    let own = json!({"grant_types": ["client_credentials"], "scope": "read", "token_endpoint_auth_method": "private_key_jwt"});
    with(own, more)
}

/// A new client proves who it is at this endpoint, by what it signs with this algorithm.
pub(crate) async fn proves_itself(app: &TestApp, path: &str, algorithm: SigningAlgorithm) {
    let key = ClientKey::new(algorithm);
    let client = signing(app, &key, json!({"token_endpoint_auth_signing_alg": algorithm.name()})).await;
    let access = client.token(&client.sign("1", json!({}))).await.assert_status(200).tokens().access;
    if path != "/o/token/" {
        client.post(path, &client.sign("2", json!({})), &[("token", &access)]).await.assert_status(200);
    }
}

/// A client's id, and how it signs.
pub(crate) struct Signing<'a> {
    app: &'a TestApp,
    id: ClientId,
    pub(crate) client_id: String,
    key: &'a ClientKey,
}

impl Signing<'_> {
    /// Says what is right, but for these claims.
    pub(crate) fn sign(&self, jti: &str, changed: Value) -> String {
        let exp = self.app.app.clock.now().unix() + 60;
        let claims = json!({"iss": self.client_id, "sub": self.client_id, "aud": self.app.url("/o"), "exp": exp, "jti": jti});
        self.key.sign(&self.key.header("JWT"), &with(claims, changed))
    }

    pub(crate) async fn post(&self, path: &str, assertion: &str, form: &[(&str, &str)]) -> Answer {
        let proof = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        self.app.post(path, &[form, &proof].concat()).await
    }

    /// Asks for a token by what somebody signed.
    async fn token(&self, assertion: &str) -> Answer {
        self.post("/o/token/", assertion, &[("grant_type", "client_credentials")]).await
    }
}

/// A client that signs with this key.
pub(crate) async fn signing<'a>(app: &'a TestApp, key: &'a ClientKey, more: Value) -> Signing<'a> {
    let client = app.client(metadata(with(json!({"jwks": ClientKey::jwks(&[key])}), more))).await;
    Signing { app, id: client.id, client_id: client.identifier, key }
}

async fn a_client_gets_tokens_by_an_assertion_and_no_secret(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    for (jti, audience) in [("1", json!(app.url("/o"))), ("2", json!([app.url("/o/token/"), "https://else.example"]))] {
        let tokens = client.token(&client.sign(jti, json!({"aud": audience}))).await.assert_status(200).tokens();
        assert_eq!(tokens.scope, "read");
    }
}

async fn under_fapi2_the_issuer_alone_is_the_audience(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({"policy": "fapi2"})).await;
    let issuer = app.url("/o");
    let others = [json!([issuer]), json!(app.url("/o/token/")), json!(app.url("/o/par/"))];
    for (n, audience) in others.into_iter().enumerate() {
        client.token(&client.sign(&n.to_string(), json!({"aud": audience}))).await.assert_error(401, "invalid_client");
    }
    // It is believed: what is missing is the key that its tokens are bound to.
    client.token(&client.sign("right", json!({"aud": issuer}))).await.assert_error(400, "invalid_request");
}

async fn an_assertion_is_used_up_by_what_is_refused_too(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    for (n, form) in [
        [("grant_type", "client_credentials"), ("scope", "admin")],
        [("grant_type", "authorization_code"), ("code", "x")],
        [("grant_type", "nothing"), ("x", "y")],
    ]
    .iter()
    .enumerate()
    {
        let assertion = client.sign(&n.to_string(), json!({}));
        client.post("/o/token/", &assertion, form).await.assert_status(400);
        client.token(&assertion).await.assert_error(401, "invalid_client");
    }
    let assertion = client.sign("revoked nothing", json!({}));
    client.post("/o/revoke_token/", &assertion, &[("token", "x")]).await.assert_status(200);
    client.token(&assertion).await.assert_error(401, "invalid_client");
}

async fn an_algorithm_may_be_called_by_its_curve(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::new(SigningAlgorithm::EdDSA));
    let client = signing(&app, &key, json!({})).await;
    let exp = app.app.clock.now().unix() + 60;
    let claims = json!({"iss": client.client_id, "sub": client.client_id, "aud": app.url("/o"), "exp": exp, "jti": "1"});
    let assertion = key.sign_with_header(&json!({"alg": "Ed25519", "kid": key.thumbprint()}), &claims);
    client.token(&assertion).await.assert_status(200);
    let (said, _) = assertion.rsplit_once('.').unwrap();
    client.token(&format!("{said}.AAAA")).await.assert_error(401, "invalid_client");
}

async fn an_assertion_is_good_once_over_two_nodes(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let nodes = [app.address, app.another_node_serving().await];
    let client = signing(&app, &key, json!({})).await;
    let assertion = client.sign("once", json!({}));
    let form =
        [("grant_type", "client_credentials"), ("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
    let tries = (0..20).map(|n| Answer::of(app.http.post(format!("http://{}/o/token/", nodes[n % 2])).form(&form)));
    let statuses: Vec<_> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    client.token(&assertion).await.assert_error(401, "invalid_client");
    client.token(&client.sign("twice", json!({}))).await.assert_status(200);
}

async fn a_replay_is_told_as_such_and_uses_its_assertion_up(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let grant_types = ["authorization_code", "refresh_token", "client_credentials"];
    let more = json!({"redirect_uris": [REDIRECT_URI], "grant_types": grant_types});
    let client = signing(&app, &key, more).await;
    let browser = Browser::signed_in(&app).await;
    let registered = TestClient { id: client.id, identifier: client.client_id.clone(), secret: String::new().into() };
    let code = browser.allow(&app.authorize_path(&registered, &[])).await.answered("code").unwrap();
    let redeem =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
    client.post("/o/token/", &client.sign("1", json!({})), &redeem).await.assert_status(200);
    let again = client.sign("2", json!({}));
    client.post("/o/token/", &again, &redeem).await.assert_error(400, "invalid_grant");
    client.token(&again).await.assert_error(401, "invalid_client");
}

async fn an_assertion_that_is_not_right_is_refused(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    let now = app.app.clock.now().unix();
    let foreign = Signing { app: &app, id: client.id, client_id: client.client_id.clone(), key: &other };
    for (n, changed) in [
        json!({"iss": "other"}),
        json!({"aud": "https://else.example"}),
        json!({"exp": now - 61}),
        json!({"exp": now + 4_000}),
        json!({"exp": (now + 60).to_string()}),
        json!({"nbf": now + 100}),
        json!({"jti": null}),
    ]
    .into_iter()
    .enumerate()
    {
        client.token(&client.sign(&n.to_string(), changed)).await.assert_error(401, "invalid_client");
    }
    let right = client.sign("right", json!({}));
    let (said, _) = right.rsplit_once('.').unwrap();
    for assertion in [
        foreign.sign("foreign", json!({})),
        tampered(&right),
        format!("{said}."),
        format!("eyJhbGciOiJub25lIn0.{}.", said.split_once('.').unwrap().1),
        "nonsense".to_owned(),
    ] {
        client.token(&assertion).await.assert_error(401, "invalid_client");
    }
    let eddsa = signing(&app, &key, json!({"token_endpoint_auth_signing_alg": "EdDSA"})).await;
    eddsa.token(&eddsa.sign("1", json!({}))).await.assert_error(401, "invalid_client");
    // An assertion says who signed it, whatever client_id stands beside it.
    let form = [("grant_type", "client_credentials"), ("client_id", eddsa.client_id.as_str())];
    client.post("/o/token/", &right, &form).await.assert_error(401, "invalid_client");
    client.token(&right).await.assert_status(200);
}

async fn a_client_authenticates_in_the_one_way_that_it_registered(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({"policy": "compatible"})).await;
    let form = [("grant_type", "client_credentials"), ("client_id", client.client_id.as_str())];
    app.post("/o/token/", &form).await.assert_error(401, "invalid_client");
    app.post("/o/token/", &[&form[..], &[("client_secret", "x")]].concat()).await.assert_error(401, "invalid_client");
    let both = [("grant_type", "client_credentials"), ("client_secret", "x")];
    client.post("/o/token/", &client.sign("1", json!({})), &both).await.assert_error(400, "invalid_request");
    let ordinary = app.ordinary_client().await;
    let other = Signing { app: &app, id: ordinary.id, client_id: ordinary.identifier, key: &key };
    other.token(&other.sign("1", json!({}))).await.assert_error(401, "invalid_client");
}

async fn it_introspects_and_revokes_by_assertions_too(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = signing(&app, &key, json!({})).await;
    let access = client.token(&client.sign("1", json!({}))).await.assert_status(200).tokens().access;
    let token = [("token", access.as_str())];
    // It may be meant for the endpoint that is asked.
    let meant = json!({"aud": app.url("/o/introspect/")});
    let introspect = async |jti: &str| client.post("/o/introspect/", &client.sign(jti, meant.clone()), &token).await;
    assert_eq!(introspect("2").await.assert_status(200).json()["active"], true);
    introspect("2").await.assert_error(401, "invalid_client");
    for jti in ["3", "4"] {
        client.post("/o/revoke_token/", &client.sign(jti, json!({})), &token).await.assert_status(200);
    }
    assert_eq!(introspect("5").await.assert_status(200).json()["active"], false);
}

/// Keys that change, at an address, and how often they were asked for.
pub(crate) struct KeyServer {
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
    pub(crate) jwks_uri: String,
}

impl KeyServer {
    pub(crate) async fn start(keys: Value) -> Self {
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (now, count) = (keys.clone(), asked.clone());
        let answer = get(move || async move {
            count.fetch_add(1, Ordering::Relaxed);
            Json(now.lock().unwrap().clone())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let jwks_uri = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks", answer)).await });
        Self { keys, asked, jwks_uri }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

pub(crate) async fn app_that_may_ask_here(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()]).await
}

async fn keys_are_fetched_and_fetched_again_when_a_new_one_signs(kind: Kind) {
    let (app, first, second) = (app_that_may_ask_here(kind).await, ClientKey::ec(), ClientKey::ec());
    let server = KeyServer::start(ClientKey::jwks(&[&first])).await;
    let client = app.client(metadata(json!({"jwks_uri": server.jwks_uri}))).await;
    let (first, second) =
        [&first, &second].map(|key| Signing { app: &app, id: client.id, client_id: client.identifier.clone(), key }).into();
    for jti in ["1", "2", "3"] {
        first.token(&first.sign(jti, json!({}))).await.assert_status(200);
    }
    assert_eq!(server.asked(), 1);
    *server.keys.lock().unwrap() = ClientKey::jwks(&[second.key]);
    app.app.clock.advance(1);
    second.token(&second.sign("4", json!({}))).await.assert_status(200);
    assert_eq!(server.asked(), 2);
    // For a missing key once in ten seconds.
    app.app.clock.advance(1);
    first.token(&first.sign("5", json!({}))).await.assert_error(401, "invalid_client");
    assert_eq!(server.asked(), 2);
    // What is no set of keys takes none away.
    *server.keys.lock().unwrap() = json!({"error": "down"});
    app.app.clock.advance(11);
    first.token(&first.sign("6", json!({}))).await.assert_error(401, "invalid_client");
    second.token(&second.sign("7", json!({}))).await.assert_status(200);
}

async fn nonsense_makes_nobody_be_asked_more_often(kind: Kind) {
    let (app, key, foreign) = (app_that_may_ask_here(kind).await, ClientKey::ec(), ClientKey::ec());
    let server = KeyServer::start(ClientKey::jwks(&[&key])).await;
    let client = app.client(metadata(json!({"jwks_uri": server.jwks_uri}))).await;
    let foreign = Signing { app: &app, id: client.id, client_id: client.identifier, key: &foreign };
    for jti in ["1", "2", "3", "4"] {
        foreign.token(&foreign.sign(jti, json!({}))).await.assert_error(401, "invalid_client");
    }
    assert_eq!(server.asked(), 1);
}

async fn a_client_that_signs_has_keys_and_no_secret(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let refused = |more: Value| {
        let metadata: ClientMetadata = serde_json::from_value(metadata(more)).unwrap();
        metadata.check().unwrap_err().to_string()
    };
    assert!(refused(json!({})).contains("needs jwks or jwks_uri"));
    let other = refused(json!({"jwks": ClientKey::jwks(&[&key]), "token_endpoint_auth_signing_alg": "HS256"}));
    assert!(other.starts_with("token_endpoint_auth_signing_alg: "), "{other}");
    let client = app.client(metadata(json!({"jwks": ClientKey::jwks(&[&key])}))).await;
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    assert!(registered.state.registration().unwrap().secrets.is_empty());
    assert!(app.app.dispatch.rotate_client_secret(Actor::Operator, client.id, 0).await.is_err());
}
