//! A client proves who it is by a certificate that it shows in the handshake (RFC 8705 section 2).

use serde_json::{Value, json};
use support::{Answer, Authority, ClientIdentity, Kind, TestApp, TestClient, both_stores, with, without_certificate};

both_stores!(
    a_client_is_known_by_the_name_in_its_certificate,
    a_certificate_that_nobody_vouches_for_proves_nothing,
    renewed_authorities_are_believed_in_the_place_of_those_before,
    a_client_is_known_by_the_certificate_that_it_registered,
    a_client_with_a_certificate_says_who_it_is,
    a_certificate_is_no_way_for_others,
    it_introspects_and_revokes_by_a_certificate_too,
    a_trusted_proxy_tells_of_a_certificate,
    nobody_else_tells_of_a_certificate,
    the_metadata_tells_where_certificates_are_taken,
);

const CLIENT: &str = "clientAuth";

fn metadata(method: &str, more: Value) -> Value {
    with(json!({"grant_types": ["client_credentials"], "scope": "read", "token_endpoint_auth_method": method}), more)
}

/// A client that an authority names `bank.example`.
async fn bank(app: &TestApp) -> TestClient {
    app.client(metadata("tls_client_auth", json!({"tls_client_auth_san_dns": "bank.example"}))).await
}

fn certificate_of_bank(authority: &Authority) -> ClientIdentity {
    authority.client("/C=JP/O=Bank/CN=one", (CLIENT, "DNS:bank.example"))
}

async fn token(app: &TestApp, http: &reqwest::Client, client: &TestClient) -> Answer {
    ask(http, &app.certificates_url("/o/token/"), &client.identifier).await
}

async fn ask(http: &reqwest::Client, url: &str, client_id: &str) -> Answer {
    Answer::of(http.post(url).form(&[("grant_type", "client_credentials"), ("client_id", client_id)])).await
}

fn rule(app: &TestApp, refused: &Answer) -> String {
    app.app.dispatch.explain(refused.json()["error_id"].as_str().unwrap()).unwrap().rule
}

async fn a_client_is_known_by_the_name_in_its_certificate(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let http = certificate_of_bank(&authority).http(&authority);
    for (member, own, other) in [
        ("tls_client_auth_subject_dn", "CN=ONE,O=bank,C=JP", "CN=two,O=Bank,C=JP"),
        ("tls_client_auth_san_dns", "bank.example", "shop.example"),
    ] {
        let client = app.client(metadata("tls_client_auth", json!({member: own}))).await;
        let answer = token(&app, &http, &client).await.assert_status(200);
        assert_eq!(answer.json()["token_type"], "Bearer");
        let told = app.introspect(&app.ordinary_client().await, &answer.tokens().access).await;
        assert_eq!(told.json()["active"], false, "it is another client's");
        let another = app.client(metadata("tls_client_auth", json!({member: other}))).await;
        let refused = token(&app, &http, &another).await.assert_error(401, "invalid_client");
        assert_eq!(rule(&app, &refused), "certificate_names_another");
    }
    let issued = support::traffic::payloads(&app, "grant.client_credentials_issued").await;
    assert!(issued.iter().all(|event| event["authentication"] == "tls_client_auth"), "{issued:?}");
    assert_eq!(issued.len(), 2);
}

async fn a_certificate_that_nobody_vouches_for_proves_nothing(kind: Kind) {
    let (authority, other) = (Authority::new(), Authority::new());
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let client = bank(&app).await;
    let named = "DNS:bank.example";
    for (identity, why) in [
        (other.client("/CN=one", (CLIENT, named)), "of another authority"),
        (authority.client("/CN=one", ("serverAuth", named)), "for servers"),
        (authority.self_signed("/CN=bank.example"), "of nobody"),
    ] {
        let refused = token(&app, &identity.http(&authority), &client).await.assert_error(401, "invalid_client");
        assert_eq!(rule(&app, &refused), "certificate_not_trusted", "{why}");
    }
    let good = certificate_of_bank(&authority).http(&authority);
    token(&app, &good, &client).await.assert_status(200);
    let refused = token(&app, &without_certificate(&authority), &client).await.assert_error(401, "invalid_client");
    assert_eq!(rule(&app, &refused), "certificate_missing");
    // The ordinary listener asks for none.
    ask(&app.http, &app.url("/o/token/"), &client.identifier).await.assert_error(401, "invalid_client");
    app.app.clock.advance(3 * 86_400);
    let refused = token(&app, &good, &client).await.assert_error(401, "invalid_client");
    assert_eq!(rule(&app, &refused), "certificate_not_trusted", "expired");
}

async fn renewed_authorities_are_believed_in_the_place_of_those_before(kind: Kind) {
    let (authority, other, before) = (Authority::new(), Authority::new(), Authority::new());
    let file = before.certificate();
    let app =
        TestApp::start_with_certificates(kind, &authority, |settings| settings.server.mtls.ca_files = vec![file.clone()]).await;
    let client = bank(&app).await;
    let [own, others] = [&before, &other].map(|signs| certificate_of_bank(signs).http(&authority));
    let reload = |content: &[u8]| {
        std::fs::write(&file, content).unwrap();
        app.app.dispatch.authorities().reload();
    };
    token(&app, &own, &client).await.assert_status(200);
    for nonsense in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        reload(nonsense.as_bytes());
        token(&app, &own, &client).await.assert_status(200);
    }
    reload(&std::fs::read(other.certificate()).unwrap());
    token(&app, &others, &client).await.assert_status(200);
    let refused = token(&app, &own, &client).await.assert_error(401, "invalid_client");
    assert_eq!(rule(&app, &refused), "certificate_not_trusted");
}

async fn a_client_is_known_by_the_certificate_that_it_registered(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let (own, other) = (authority.self_signed("/CN=own"), authority.self_signed("/CN=own"));
    for with_certificate in [true, false] {
        let jwks = json!({"jwks": own.jwks(with_certificate)});
        let client = app.client(metadata("self_signed_tls_client_auth", jwks)).await;
        token(&app, &own.http(&authority), &client).await.assert_status(200);
        let refused = token(&app, &other.http(&authority), &client).await.assert_error(401, "invalid_client");
        assert_eq!(rule(&app, &refused), "certificate_not_registered");
        token(&app, &without_certificate(&authority), &client).await.assert_error(401, "invalid_client");
    }
    let issued = support::traffic::payloads(&app, "grant.client_credentials_issued").await;
    assert!(issued.iter().all(|event| event["authentication"] == "self_signed_tls_client_auth"), "{issued:?}");
}

async fn a_client_with_a_certificate_says_who_it_is(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let http = certificate_of_bank(&authority).http(&authority);
    let url = app.certificates_url("/o/token/");
    let nameless = Answer::of(http.post(&url).form(&[("grant_type", "client_credentials")])).await;
    nameless.assert_error(401, "invalid_client");
    let client = bank(&app).await;
    let form = [("grant_type", "client_credentials"), ("client_id", &client.identifier), ("client_secret", "x")];
    Answer::of(http.post(&url).form(&form)).await.assert_error(401, "invalid_client");
    ask(&http, &url, "somebody").await.assert_error(401, "invalid_client");
}

async fn a_certificate_is_no_way_for_others(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let http = certificate_of_bank(&authority).http(&authority);
    let client = app.ordinary_client().await;
    let refused = token(&app, &http, &client).await.assert_error(401, "invalid_client");
    assert_eq!(rule(&app, &refused), "client_authentication_method");
    let pages = http.get(app.certificates_url("/o/authorize/?client_id=x"));
    Answer::of(pages).await.assert_status(404);
}

async fn it_introspects_and_revokes_by_a_certificate_too(kind: Kind) {
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let (http, client) = (certificate_of_bank(&authority).http(&authority), bank(&app).await);
    let access = token(&app, &http, &client).await.assert_status(200).tokens().access;
    let form = [("client_id", client.identifier.as_str()), ("token", access.as_str())];
    let post = |path: &str| Answer::of(http.post(app.certificates_url(path)).form(&form));
    for _ in 0..2 {
        assert_eq!(post("/o/introspect/").await.assert_status(200).json()["active"], true);
    }
    let bare = Answer::of(without_certificate(&authority).post(app.certificates_url("/o/introspect/")).form(&form)).await;
    bare.assert_error(401, "invalid_client");
    post("/o/revoke_token/").await.assert_status(200);
    assert_eq!(post("/o/introspect/").await.assert_status(200).json()["active"], false);
}

/// With a proxy in front, which is this machine or not.
async fn behind_proxy(kind: Kind, authority: &Authority, header: &str, proxy: &str) -> TestApp {
    TestApp::start_with_certificates(kind, authority, |settings| {
        settings.server.mtls.header = Some(header.to_owned());
        settings.server.trusted_proxies = vec![proxy.parse().unwrap()];
    })
    .await
}

async fn by_header(app: &TestApp, client: &TestClient, headers: &[(&str, String)]) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", client.identifier.as_str())];
    let request = headers
        .iter()
        .fold(app.http.post(app.url("/o/token/")).form(&form), |request, (name, value)| request.header(*name, value));
    Answer::of(request).await
}

async fn a_trusted_proxy_tells_of_a_certificate(kind: Kind) {
    let authority = Authority::new();
    let identity = certificate_of_bank(&authority);
    let app = behind_proxy(kind, &authority, "x-ssl-cert", "127.0.0.1").await;
    let client = bank(&app).await;
    by_header(&app, &client, &[("X-SSL-Cert", identity.escaped())]).await.assert_status(200);
    by_header(&app, &client, &[]).await.assert_error(401, "invalid_client");
    by_header(&app, &client, &[("X-SSL-Cert", String::new())]).await.assert_error(401, "invalid_client");
    let other = authority.self_signed("/CN=other");
    by_header(&app, &client, &[("X-SSL-Cert", other.escaped())]).await.assert_error(401, "invalid_client");
    let twice = [("X-SSL-Cert", identity.escaped()), ("X-SSL-Cert", other.escaped())];
    by_header(&app, &client, &twice).await.assert_error(401, "invalid_client");
    by_header(&app, &client, &[("Client-Cert", identity.byte_sequence())]).await.assert_error(401, "invalid_client");

    let app = behind_proxy(kind, &authority, "client-cert", "127.0.0.1").await;
    let client = bank(&app).await;
    let own = ("Client-Cert", identity.byte_sequence());
    by_header(&app, &client, std::slice::from_ref(&own)).await.assert_status(200);
    by_header(&app, &client, &[own.clone(), ("Client-Cert-Chain", other.byte_sequence())]).await.assert_status(200);
    by_header(&app, &client, &[own, ("Client-Cert-Chain", "nonsense".to_owned())]).await.assert_error(401, "invalid_client");
}

async fn nobody_else_tells_of_a_certificate(kind: Kind) {
    let authority = Authority::new();
    let escaped = certificate_of_bank(&authority).escaped();
    let app = behind_proxy(kind, &authority, "x-ssl-cert", "192.0.2.1").await;
    let client = bank(&app).await;
    by_header(&app, &client, &[("X-SSL-Cert", escaped.clone())]).await.assert_error(401, "invalid_client");
    // Nor does a header count where the handshake asks, whoever comes.
    let app = behind_proxy(kind, &authority, "x-ssl-cert", "127.0.0.1").await;
    let client = bank(&app).await;
    let form = [("grant_type", "client_credentials"), ("client_id", client.identifier.as_str())];
    let request = without_certificate(&authority).post(app.certificates_url("/o/token/")).form(&form);
    Answer::of(request.header("x-ssl-cert", escaped)).await.assert_error(401, "invalid_client");
}

async fn the_metadata_tells_where_certificates_are_taken(kind: Kind) {
    const METADATA: &str = "/.well-known/oauth-authorization-server/o";
    const RESOURCE: &str = "/.well-known/oauth-protected-resource";
    let authority = Authority::new();
    let app = TestApp::start_with_certificates(kind, &authority, |_| {}).await;
    let told = app.get(METADATA).await.json();
    assert_eq!(told["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(app.get(RESOURCE).await.json()["tls_client_certificate_bound_access_tokens"], true);
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = told[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
            assert!(methods.contains(&json!(method)), "{endpoint}: {methods:?}");
        }
    }
    let http = without_certificate(&authority);
    for (name, alias) in told["mtls_endpoint_aliases"].as_object().unwrap() {
        let ordinary = told[name].as_str().unwrap().strip_prefix(&app.url("/o")).unwrap();
        assert_eq!(alias.as_str().unwrap(), app.certificates_url(&format!("/o{ordinary}")));
        let there = Answer::of(http.get(alias.as_str().unwrap())).await;
        assert_ne!(there.status, 404, "{alias}");
    }
    let plain = TestApp::start(kind).await;
    let told = plain.get(METADATA).await.json();
    assert!(told.get("mtls_endpoint_aliases").is_none() && !told.to_string().contains("tls_client_auth"));
    assert_eq!(plain.get(RESOURCE).await.json()["tls_client_certificate_bound_access_tokens"], false);
}
