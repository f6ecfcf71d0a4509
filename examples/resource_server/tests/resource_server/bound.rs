//! Tokens that are bound to a key (RFC 9449) or a certificate (RFC 8705): they open nothing to who does not show that.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Authority, ClientKey, Kind, TestClient, both_stores, with};

use crate::notes::{Notes, Place, Way};

both_stores!(
    a_token_that_is_bound_to_a_key_opens_by_a_proof_alone,
    a_bound_token_that_was_revoked_is_refused,
    a_proof_names_the_address_that_clients_know,
    a_token_that_is_bound_to_no_key_needs_no_proof,
    a_token_that_is_bound_to_a_certificate_opens_to_who_shows_it,
);

/// The header by which a proxy tells of a client's certificate.
const CERTIFICATE: &str = "x-ssl-cert";

/// A client whose tokens are bound.
async fn client(place: &Place, binding: &str, more: Value) -> TestClient {
    place.app.client(with(json!({"grant_types": ["client_credentials"], "scope": "read", binding: true}), more)).await
}

/// A token of its own; this header says what to bind it to.
async fn token(place: &Place, client: &TestClient, (name, value): (&str, String)) -> String {
    let request = place.app.http.post(place.app.url("/o/token/")).form(&[("grant_type", "client_credentials")]);
    let request = request.basic_auth(&client.identifier, Some(client.secret.expose_secret())).header(name, value);
    Answer::of(request).await.assert_status(200).tokens().access
}

async fn bound_to_key(place: &Place, key: &ClientKey, more: Value) -> (TestClient, String) {
    let client = client(place, "dpop_bound_access_tokens", more).await;
    let token = token(place, &client, ("DPoP", key.proof(&place.app, ("POST", "/o/token/"), None, json!({})))).await;
    (client, token)
}

async fn read(notes: &Notes, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
    let with_proofs =
        |request| proofs.iter().fold(request, |request: reqwest::RequestBuilder, proof| request.header("DPoP", *proof));
    notes.request(|request| with_proofs(request.header("authorization", format!("{scheme} {token}")))).await
}

fn assert_refused(answer: Answer, error: &str) {
    let answer = answer.assert_status(401);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(&format!("DPoP error=\"{error}\"")) && challenge.contains("algs=\"ES256 "), "{challenge}");
}

async fn a_token_that_is_bound_to_a_key_opens_by_a_proof_alone(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let (key, other) = (ClientKey::ec(), ClientKey::ec());
    for format in ["jwt", "opaque"] {
        let (_, token) = bound_to_key(&place, &key, json!({"access_token_format": format})).await;
        let of = |key: &ClientKey, changed| key.proof(&place.app, ("GET", "/notes"), Some(&token), changed);
        let proof = of(&key, json!({}));
        read(&place.notes, "DPoP", &token, &[&proof]).await.assert_status(200);
        assert_refused(read(&place.notes, "DPoP", &token, &[&proof]).await, "invalid_dpop_proof");
        read(&place.notes, "dpop", &token, &[&of(&key, json!({}))]).await.assert_status(200);
        for (scheme, proof, error) in [
            ("Bearer", of(&key, json!({})), "invalid_token"),
            ("DPoP", of(&other, json!({})), "invalid_token"),
            ("DPoP", of(&key, json!({"ath": null})), "invalid_dpop_proof"),
            ("DPoP", of(&key, json!({"htm": "POST"})), "invalid_dpop_proof"),
            ("DPoP", of(&key, json!({"htu": place.app.url("/")})), "invalid_dpop_proof"),
            ("DPoP", "nonsense".to_owned(), "invalid_dpop_proof"),
        ] {
            assert_refused(read(&place.notes, scheme, &token, &[&proof]).await, error);
        }
        for proofs in [&[][..], &[&*of(&key, json!({})), &*of(&key, json!({}))]] {
            assert_refused(read(&place.notes, "DPoP", &token, proofs).await, "invalid_dpop_proof");
        }
    }
}

async fn a_bound_token_that_was_revoked_is_refused(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let key = ClientKey::ec();
    let (client, token) = bound_to_key(&place, &key, json!({"access_token_format": "opaque"})).await;
    let proof = || key.proof(&place.app, ("GET", "/notes"), Some(&token), json!({}));
    read(&place.notes, "DPoP", &token, &[&proof()]).await.assert_status(200);
    place.app.revoke(&client, &token).await.assert_status(200);
    assert_refused(read(&place.notes, "DPoP", &token, &[&proof()]).await, "invalid_token");
}

async fn a_proof_names_the_address_that_clients_know(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let notes = place.another_with(&[("ADDRESS", "https://notes.example/v1/")]).await;
    let key = ClientKey::ec();
    let (_, token) = bound_to_key(&place, &key, json!({})).await;
    let naming = |address: &str| key.proof(&place.app, ("GET", "/"), Some(&token), json!({"htu": address}));
    read(&notes, "DPoP", &token, &[&naming("https://notes.example/v1/notes?page=2")]).await.assert_status(200);
    for address in ["https://notes.example/notes", "http://notes.example/v1/notes", &place.app.url("/notes")] {
        assert_refused(read(&notes, "DPoP", &token, &[&naming(address)]).await, "invalid_dpop_proof");
    }
}

async fn a_token_that_is_bound_to_no_key_needs_no_proof(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let (token, key) = (place.token().await, ClientKey::ec());
    let proof = key.proof(&place.app, ("GET", "/notes"), Some(&token), json!({}));
    read(&place.notes, "Bearer", &token, &[&proof]).await.assert_status(200);
    assert_refused(read(&place.notes, "DPoP", &token, &[&proof]).await, "invalid_token");
}

async fn a_token_that_is_bound_to_a_certificate_opens_to_who_shows_it(kind: Kind) {
    let place = Place::start_with(kind, Way::Http, |settings| {
        settings.server.mtls.header = Some(CERTIFICATE.to_owned());
        settings.server.mtls.public_url = Some("https://certificates.example".parse().unwrap());
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let behind_proxy = place.another_with(&[("CLIENT_CERTIFICATE_HEADER", CERTIFICATE)]).await;
    let authority = Authority::new();
    let (own, other) = (authority.self_signed("/CN=own"), authority.self_signed("/CN=other"));
    for format in ["jwt", "opaque"] {
        let more = json!({"access_token_format": format});
        let client = client(&place, "tls_client_certificate_bound_access_tokens", more).await;
        let token = token(&place, &client, (CERTIFICATE, own.escaped())).await;
        let reading = async |notes: &Notes, scheme: &str, certificates: &[String]| {
            let told = |request| {
                certificates.iter().fold(request, |request: reqwest::RequestBuilder, one| request.header(CERTIFICATE, one))
            };
            notes.request(|request| told(request.header("authorization", format!("{scheme} {token}")))).await
        };
        for shown in [own.escaped(), own.byte_sequence()] {
            reading(&behind_proxy, "Bearer", &[shown]).await.assert_status(200);
        }
        for none in [&[][..], &[String::new()], &[other.escaped()], &[own.escaped(), own.escaped()]] {
            let refused = reading(&behind_proxy, "Bearer", none).await.assert_status(401);
            assert!(refused.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""), "{refused:?}");
        }
        assert_refused(reading(&behind_proxy, "DPoP", &[own.escaped()]).await, "invalid_token");
        // Where the settings name no header, none is believed.
        reading(&place.notes, "Bearer", &[own.escaped()]).await.assert_status(401);
    }
}
