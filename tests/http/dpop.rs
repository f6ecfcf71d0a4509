//! Tokens that are bound to a key, and the proofs that go with them (RFC 9449).

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Browser, CHALLENGE, ClientKey, Kind, REDIRECT_URI, TestApp, TestClient, Tokens, VERIFIER, both_stores};

both_stores!(
    a_token_is_bound_to_the_key_of_the_proof,
    a_bound_token_opens_a_resource_with_a_proof_alone,
    a_proof_opens_a_resource_once_over_two_nodes,
    a_proof_gets_tokens_once_over_two_nodes,
    a_proof_that_is_not_right_gets_nothing,
    a_client_that_registered_for_it_gets_no_other_tokens,
    a_code_that_was_asked_for_a_key_is_for_its_holder,
    a_pushed_request_is_bound_by_its_proof,
    a_public_clients_refresh_token_is_bound_too,
    a_confidential_client_may_refresh_with_another_key,
    proofs_hold_a_nonce_where_the_settings_want_it,
    a_token_that_is_not_bound_is_presented_as_bearer,
);

const TOKEN: (&str, &str) = ("POST", "/o/token/");

fn proven(request: RequestBuilder, proof: &str) -> RequestBuilder {
    request.header("DPoP", proof)
}

async fn token_with(app: &TestApp, client: &TestClient, proof: &str, form: &[(&str, &str)]) -> Answer {
    let request = app.http.post(app.url(TOKEN.1)).form(form);
    let secret = client.secret.expose_secret();
    let request = match secret.is_empty() {
        true => app.http.post(app.url(TOKEN.1)).form(&[form, &[("client_id", &client.identifier)]].concat()),
        false => request.basic_auth(&client.identifier, Some(secret)),
    };
    Answer::of(proven(request, proof)).await
}

pub(crate) async fn bound(app: &TestApp, client: &TestClient, key: &ClientKey) -> Answer {
    let proof = key.proof(app, TOKEN, None, json!({}));
    token_with(app, client, &proof, &[("grant_type", "client_credentials"), ("scope", "read")]).await
}

async fn redeem(app: &TestApp, client: &TestClient, key: &ClientKey, code: &str) -> Answer {
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
    token_with(app, client, &key.proof(app, TOKEN, None, json!({})), &form).await
}

async fn refresh(app: &TestApp, client: &TestClient, key: &ClientKey, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    token_with(app, client, &key.proof(app, TOKEN, None, json!({})), &form).await
}

/// Opens a resource with a token under this scheme.
async fn open(app: &TestApp, path: &str, scheme: &str, (token, proof): (&str, Option<&str>)) -> Answer {
    let request = app.http.get(app.url(path)).header("authorization", format!("{scheme} {token}"));
    Answer::of(match proof {
        Some(proof) => proven(request, proof),
        None => request,
    })
    .await
}

fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

async fn a_token_is_bound_to_the_key_of_the_proof(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = app.ordinary_client().await;
    let answer = bound(&app, &client, &key).await.assert_status(200);
    assert_eq!(answer.json()["token_type"], "DPoP");
    let access = answer.tokens().access;
    assert_eq!(claims(&access)["cnf"], json!({"jkt": key.thumbprint()}));
    let told = app.introspect(&client, &access).await.assert_status(200).json();
    assert_eq!((&told["token_type"], &told["cnf"]["jkt"]), (&json!("DPoP"), &json!(key.thumbprint())));
    let unbound = app.client_credentials(&client, "read").await.assert_status(200);
    assert_eq!(unbound.json()["token_type"], "Bearer");
    assert_eq!(app.introspect(&client, &unbound.tokens().access).await.json().get("cnf"), None);
}

async fn a_bound_token_opens_a_resource_with_a_proof_alone(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let access = redeem(&app, &client, &key, &code).await.assert_status(200).tokens().access;
    let of = |key: &ClientKey, changed: Value| key.proof(&app, ("GET", "/api/resource"), Some(&access), changed);
    open(&app, "/api/resource", "DPoP", (&access, Some(&of(&key, json!({}))))).await.assert_status(200);
    open(&app, "/api/resource?x=y", "dpop", (&access, Some(&of(&key, json!({}))))).await.assert_status(200);
    for (scheme, proof, code) in [
        ("Bearer", Some(of(&key, json!({}))), "invalid_token"),
        ("Bearer", None, "invalid_token"),
        ("DPoP", None, "invalid_dpop_proof"),
        ("DPoP", Some(of(&other, json!({}))), "invalid_token"),
        ("DPoP", Some(of(&key, json!({"ath": null}))), "invalid_dpop_proof"),
        ("DPoP", Some(of(&key, json!({"htm": "POST"}))), "invalid_dpop_proof"),
        ("DPoP", Some(of(&key, json!({"htu": app.url("/o/userinfo/")}))), "invalid_dpop_proof"),
        ("DPoP", Some("nonsense".to_owned()), "invalid_dpop_proof"),
    ] {
        let refused = open(&app, "/api/resource", scheme, (&access, proof.as_deref())).await.assert_error(401, code);
        let challenge = refused.header("www-authenticate");
        assert!(challenge.starts_with("DPoP ") && challenge.contains("algs=\"ES256 "), "{challenge}");
    }
    let twice = app.http.get(app.url("/api/resource")).header("authorization", format!("DPoP {access}"));
    let twice = proven(proven(twice, &of(&key, json!({}))), &of(&key, json!({})));
    Answer::of(twice).await.assert_error(401, "invalid_dpop_proof");
}

async fn a_proof_opens_a_resource_once_over_two_nodes(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let nodes = [app.address, app.another_node_serving().await];
    let client = app.ordinary_client().await;
    let access = bound(&app, &client, &key).await.tokens().access;
    let proof = key.proof(&app, ("GET", "/api/resource"), Some(&access), json!({}));
    let tries = (0..10).map(|n| {
        let request = app.http.get(format!("http://{}/api/resource", nodes[n % 2]));
        Answer::of(proven(request.header("authorization", format!("DPoP {access}")), &proof))
    });
    let statuses: Vec<_> = join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
}

async fn a_proof_gets_tokens_once_over_two_nodes(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let nodes = [app.address, app.another_node_serving().await];
    let client = app.ordinary_client().await;
    let proof = key.proof(&app, TOKEN, None, json!({}));
    let tries = (0..20).map(|n| {
        let request = app.http.post(format!("http://{}/o/token/", nodes[n % 2])).form(&[("grant_type", "client_credentials")]);
        Answer::of(proven(request.basic_auth(&client.identifier, Some(client.secret.expose_secret())), &proof))
    });
    let answers = join_all(tries).await;
    let (given, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(given.len(), 1, "{given:?}");
    for answer in refused {
        answer.assert_error(400, "invalid_dpop_proof");
    }
}

async fn a_proof_that_is_not_right_gets_nothing(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = app.ordinary_client().await;
    let now = app.app.clock.now().unix();
    for changed in [
        json!({"htm": "GET"}),
        json!({"htu": "https://id.example/o/token/"}),
        json!({"iat": now - 3_600}),
        json!({"iat": now + 3_600}),
        json!({"iat": now.to_string()}),
        json!({"jti": null}),
    ] {
        let proof = key.proof(&app, TOKEN, None, changed);
        let answer = token_with(&app, &client, &proof, &[("grant_type", "client_credentials")]).await;
        answer.assert_error(400, "invalid_dpop_proof");
    }
    // Both forms of the address are one endpoint: the proof is for the one that was called.
    let proof = key.proof(&app, ("POST", "/o/token"), None, json!({}));
    token_with(&app, &client, &proof, &[("grant_type", "client_credentials")]).await.assert_error(400, "invalid_dpop_proof");
}

async fn a_client_that_registered_for_it_gets_no_other_tokens(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "read", "dpop_bound_access_tokens": true});
    let client = app.client(metadata).await;
    app.client_credentials(&client, "read").await.assert_error(400, "invalid_request");
    bound(&app, &client, &key).await.assert_status(200);
}

async fn a_code_that_was_asked_for_a_key_is_for_its_holder(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let code = browser.allow(&app.authorize_path(&client, &[("dpop_jkt", key.thumbprint())])).await.answered("code").unwrap();
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    redeem(&app, &client, &other, &code).await.assert_error(400, "invalid_grant");
    redeem(&app, &client, &key, &code).await.assert_status(200);
}

async fn a_pushed_request_is_bound_by_its_proof(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = app.ordinary_client().await;
    let push = async |proof: &str, more: &[(&str, &str)]| {
        let usual = [
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "read"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let request = app.http.post(app.url("/o/par/")).form(&[&usual, more].concat());
        Answer::of(proven(request.basic_auth(&client.identifier, Some(client.secret.expose_secret())), proof)).await
    };
    let proof = || key.proof(&app, ("POST", "/o/par/"), None, json!({}));
    push(&proof(), &[("dpop_jkt", other.thumbprint())]).await.assert_error(400, "invalid_dpop_proof");
    push(&key.proof(&app, TOKEN, None, json!({})), &[]).await.assert_error(400, "invalid_dpop_proof");
    let used = proof();
    let uri = push(&used, &[("dpop_jkt", key.thumbprint())]).await.assert_status(201).json()["request_uri"].take();
    push(&used, &[]).await.assert_error(400, "invalid_dpop_proof");
    let browser = Browser::signed_in(&app).await;
    let path = format!("/o/authorize/?client_id={}&request_uri={}", client.identifier, uri.as_str().unwrap());
    let code = browser.allow(&path).await.answered("code").unwrap();
    redeem(&app, &client, &other, &code).await.assert_error(400, "invalid_grant");
    redeem(&app, &client, &key, &code).await.assert_status(200);
}

fn browser_application() -> Value {
    let grant_types = ["authorization_code", "refresh_token"];
    json!({"redirect_uris": [REDIRECT_URI], "grant_types": grant_types, "scope": "read", "token_endpoint_auth_method": "none"})
}

async fn first_tokens(app: &TestApp, client: &TestClient, key: &ClientKey) -> Tokens {
    let code = app.code(client, "read").await;
    redeem(app, client, key, &code).await.assert_status(200).tokens()
}

async fn a_public_clients_refresh_token_is_bound_too(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = app.client(browser_application()).await;
    let tokens = first_tokens(&app, &client, &key).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token()), ("client_id", &client.identifier)];
    app.post("/o/token/", &form).await.assert_error(400, "invalid_grant");
    refresh(&app, &client, &other, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    let next = refresh(&app, &client, &key, tokens.refresh_token()).await.assert_status(200).tokens();
    refresh(&app, &client, &other, next.refresh_token()).await.assert_error(400, "invalid_grant");
    assert_eq!(claims(&next.access)["cnf"]["jkt"], key.thumbprint());
}

async fn a_confidential_client_may_refresh_with_another_key(kind: Kind) {
    let (app, key, other) = (TestApp::start(kind).await, ClientKey::ec(), ClientKey::ec());
    let client = app.ordinary_client().await;
    let tokens = first_tokens(&app, &client, &key).await;
    let next = refresh(&app, &client, &other, tokens.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(claims(&next.access)["cnf"]["jkt"], other.thumbprint());
}

async fn proofs_hold_a_nonce_where_the_settings_want_it(kind: Kind) {
    let (app, key) = (TestApp::start_with(kind, |settings| settings.tokens.dpop_nonce_required = true).await, ClientKey::ec());
    let client = app.ordinary_client().await;
    let refused = bound(&app, &client, &key).await.assert_error(400, "use_dpop_nonce");
    let nonce = refused.header("dpop-nonce").to_owned();
    let with_nonce = async |nonce: &str| {
        let proof = key.proof(&app, TOKEN, None, json!({ "nonce": nonce }));
        token_with(&app, &client, &proof, &[("grant_type", "client_credentials")]).await
    };
    let given = with_nonce(&nonce).await.assert_status(200);
    assert!(!given.header("dpop-nonce").is_empty());
    for invented in ["1", "1.2", &format!("{nonce}x")] {
        with_nonce(invented).await.assert_error(400, "use_dpop_nonce");
    }
    let access = given.tokens().access;
    let of_resource = |more: Value| key.proof(&app, ("GET", "/api/resource"), Some(&access), more);
    let refused = open(&app, "/api/resource", "DPoP", (&access, Some(&of_resource(json!({}))))).await;
    let refused = refused.assert_error(401, "use_dpop_nonce");
    assert!(refused.header("www-authenticate").contains("use_dpop_nonce"));
    let proof = of_resource(json!({"nonce": refused.header("dpop-nonce")}));
    open(&app, "/api/resource", "DPoP", (&access, Some(&proof))).await.assert_status(200);
    app.app.clock.advance(400);
    with_nonce(&nonce).await.assert_error(400, "use_dpop_nonce");
    // Who brings no proof needs no nonce.
    app.client_credentials(&client, "read").await.assert_status(200);
}

async fn a_token_that_is_not_bound_is_presented_as_bearer(kind: Kind) {
    let (app, key) = (TestApp::start(kind).await, ClientKey::ec());
    let client = app.ordinary_client().await;
    let access = app.token_of(&client, "read").await.access;
    let proof = key.proof(&app, ("GET", "/api/resource"), Some(&access), json!({}));
    open(&app, "/api/resource", "DPoP", (&access, Some(&proof))).await.assert_error(401, "invalid_token");
    let preflight = app.http.request(Method::OPTIONS, app.url("/o/token/")).header("origin", "https://app.example");
    let allowed = Answer::of(preflight.header("access-control-request-method", "POST")).await;
    assert!(allowed.header("access-control-allow-headers").contains("dpop"), "{allowed:?}");
}
