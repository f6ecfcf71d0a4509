//! Tokens that are bound to the certificate of the connection that they were asked for over (RFC 8705 section 3).

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{
    Answer, Authority, ClientIdentity, ClientKey, Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores, with,
    without_certificate,
};

both_stores!(
    a_token_is_bound_to_the_certificate_of_its_connection,
    a_bound_token_is_for_who_shows_its_certificate,
    a_client_that_registered_for_it_gets_no_token_without_a_certificate,
    a_certificate_binds_nothing_where_the_client_did_not_register_for_it,
    a_public_clients_refresh_token_is_bound_to_its_certificate,
    under_fapi2_a_certificate_proves_who_asks_and_binds,
    a_proof_may_name_the_address_for_certificates,
);

fn metadata(more: Value) -> Value {
    let own = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid read", "tls_client_certificate_bound_access_tokens": true,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"]});
    with(own, more)
}

async fn post(app: &TestApp, http: &reqwest::Client, (client, form): (&TestClient, &[(&str, &str)])) -> Answer {
    let request = http.post(app.certificates_url("/o/token/"));
    let secret = client.secret.expose_secret();
    Answer::of(match secret.is_empty() {
        true => request.form(&[form, &[("client_id", &client.identifier)]].concat()),
        false => request.form(form).basic_auth(&client.identifier, Some(secret)),
    })
    .await
}

async fn own(app: &TestApp, http: &reqwest::Client, client: &TestClient) -> Answer {
    post(app, http, (client, &[("grant_type", "client_credentials"), ("scope", "read")])).await
}

async fn redeem(app: &TestApp, http: &reqwest::Client, client: &TestClient, scope: &str) -> Answer {
    let code = app.code(client, scope).await;
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
    post(app, http, (client, &form)).await
}

async fn refresh(app: &TestApp, http: &reqwest::Client, client: &TestClient, token: &str) -> Answer {
    post(app, http, (client, &[("grant_type", "refresh_token"), ("refresh_token", token)])).await
}

fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

fn identity(authority: &Authority) -> ClientIdentity {
    authority.self_signed("/CN=app")
}

async fn a_token_is_bound_to_the_certificate_of_its_connection(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let (identity, client) = (identity(&authority), app.client(metadata(json!({}))).await);
    let answer = own(&app, &identity.http(&authority), &client).await.assert_status(200);
    assert_eq!(answer.json()["token_type"], "Bearer");
    let access = answer.tokens().access;
    assert_eq!(claims(&access)["cnf"], identity.cnf());
    let told = app.introspect(&client, &access).await.assert_status(200).json();
    assert_eq!((&told["token_type"], &told["cnf"]), (&json!("Bearer"), &identity.cnf()));
    let issued = support::traffic::payloads(&app, "grant.client_credentials_issued").await;
    assert_eq!(issued[0]["access"]["confirmation"], identity.cnf());
}

async fn a_bound_token_is_for_who_shows_its_certificate(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let (mine, thief) = (identity(&authority).http(&authority), identity(&authority).http(&authority));
    let client = app.client(metadata(json!({}))).await;
    let access = redeem(&app, &mine, &client, "openid read").await.assert_status(200).tokens().access;
    for path in ["/api/resource", "/o/userinfo/"] {
        let open = |http: &reqwest::Client, url: String| Answer::of(http.get(url).bearer_auth(&access));
        open(&mine, app.certificates_url(path)).await.assert_status(200);
        for (http, url) in [
            (&thief, app.certificates_url(path)),
            (&without_certificate(&authority), app.certificates_url(path)),
            (&app.http, app.url(path)),
        ] {
            let refused = open(http, url).await.assert_error(401, "invalid_token");
            assert!(refused.header("www-authenticate").starts_with("Bearer "), "{refused:?}");
        }
        let as_dpop = mine.get(app.certificates_url(path)).header("authorization", format!("DPoP {access}"));
        Answer::of(as_dpop).await.assert_error(401, "invalid_token");
    }
}

async fn a_client_that_registered_for_it_gets_no_token_without_a_certificate(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let client = app.client(metadata(json!({}))).await;
    own(&app, &without_certificate(&authority), &client).await.assert_error(400, "invalid_request");
    app.client_credentials(&client, "read").await.assert_error(400, "invalid_request");
    let proof = ClientKey::ec().proof(&app, ("POST", "/o/token/"), None, json!({}));
    let proven = identity(&authority).http(&authority).post(app.certificates_url("/o/token/")).header("DPoP", proof);
    let proven = proven.form(&[("grant_type", "client_credentials")]);
    let proven = proven.basic_auth(&client.identifier, Some(client.secret.expose_secret()));
    Answer::of(proven).await.assert_error(400, "invalid_request");
}

async fn a_certificate_binds_nothing_where_the_client_did_not_register_for_it(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let client = app.client(metadata(json!({"tls_client_certificate_bound_access_tokens": false}))).await;
    let access = own(&app, &identity(&authority).http(&authority), &client).await.assert_status(200).tokens().access;
    assert!(claims(&access).get("cnf").is_none());
    app.get_with("/api/resource", &access).await.assert_status(200);
}

async fn a_public_clients_refresh_token_is_bound_to_its_certificate(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let grants = json!(["authorization_code", "refresh_token"]);
    let public = app.client(metadata(json!({"token_endpoint_auth_method": "none", "grant_types": grants}))).await;
    let (mine, thief) = (identity(&authority), identity(&authority));
    let tokens = redeem(&app, &mine.http(&authority), &public, "read").await.assert_status(200).tokens();
    refresh(&app, &thief.http(&authority), &public, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    let next = refresh(&app, &mine.http(&authority), &public, tokens.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(claims(&next.access)["cnf"], mine.cnf());
    // A confidential client proves who it is anyway, and may have another certificate.
    let client = app.client(metadata(json!({}))).await;
    let tokens = redeem(&app, &mine.http(&authority), &client, "read").await.assert_status(200).tokens();
    let next = refresh(&app, &thief.http(&authority), &client, tokens.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(claims(&next.access)["cnf"], thief.cnf());
}

async fn under_fapi2_a_certificate_proves_who_asks_and_binds(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let identity = authority.client("/CN=bank", ("clientAuth", "URI:urn:bank"));
    let named =
        json!({"policy": "fapi2", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_uri": "urn:bank"});
    let bank = app.client(metadata(named.clone())).await;
    let access = own(&app, &identity.http(&authority), &bank).await.assert_status(200).tokens().access;
    assert_eq!(claims(&access)["cnf"], identity.cnf());
    let by_key = app.client(with(metadata(named), json!({"tls_client_certificate_bound_access_tokens": null}))).await;
    own(&app, &identity.http(&authority), &by_key).await.assert_error(400, "invalid_request");
}

async fn a_proof_may_name_the_address_for_certificates(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let identity = authority.client("/CN=bank", ("clientAuth", "URI:urn:bank"));
    let named = json!({"policy": "fapi2", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_uri": "urn:bank",
        "tls_client_certificate_bound_access_tokens": null});
    let (bank, key) = (app.client(metadata(named)).await, ClientKey::ec());
    let ask = async |htu: String| {
        let proof = key.proof(&app, ("POST", "/o/token/"), None, json!({"htu": htu}));
        let request = identity.http(&authority).post(app.certificates_url("/o/token/")).header("DPoP", proof);
        Answer::of(request.form(&[("grant_type", "client_credentials"), ("client_id", bank.identifier.as_str())])).await
    };
    for htu in [app.certificates_url("/o/token/"), app.url("/o/token/")] {
        let access = ask(htu).await.assert_status(200).tokens().access;
        assert_eq!(claims(&access)["cnf"]["jkt"], key.thumbprint());
    }
    ask("https://elsewhere.example/o/token/".to_owned()).await.assert_error(400, "invalid_dpop_proof");
}
