//! The metadata names what works, and nothing else (RFC 8414, OpenID Connect Discovery 1.0).

use std::collections::BTreeSet;

use jsonwebtoken::{dangerous::insecure_decode, decode_header};
use serde_json::{Value, json};
use support::{Kind, REDIRECT_URI, TestApp, both_stores};

use crate::userinfo::{CLAIMS, signed_in};

both_stores!(
    the_metadata_names_what_works,
    discovery_gives_the_same_document,
    without_the_scope_openid_there_is_no_discovery,
    every_algorithm_of_id_tokens_that_it_names_signs_them,
    the_claims_that_it_names_are_those_that_are_told,
    what_it_supports_for_clients_with_keys_is_refused_to_others,
);

const DISCOVERY: &str = "/o/.well-known/openid-configuration";

async fn the_metadata_names_what_works(kind: Kind) {
    let app = TestApp::start(kind).await;
    let paths = [
        "/.well-known/oauth-authorization-server/o",
        "/.well-known/oauth-authorization-server",
        "/o/.well-known/oauth-authorization-server",
    ];
    for path in paths {
        let answer = app.get(path).await.assert_status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let metadata = answer.json();
        assert_eq!(metadata["issuer"], app.url("/o"));
        assert_eq!(metadata["token_endpoint"], app.url("/o/token/"));
        assert_eq!(metadata["ui_locales_supported"], json!(["en", "ja"]));
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    }
}

async fn discovery_gives_the_same_document(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = app.get("/o/.well-known/oauth-authorization-server").await.json();
    for path in [DISCOVERY, "/o/.well-known/openid-configuration/"] {
        let answer = app.get(path).await.assert_status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), metadata);
    }
    assert_eq!(metadata["userinfo_endpoint"], app.url("/o/userinfo/"));
    assert_eq!(
        (&metadata["subject_types_supported"], &metadata["response_types_supported"]),
        (&json!(["public", "pairwise"]), &json!(["code"]))
    );
}

async fn without_the_scope_openid_there_is_no_discovery(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| drop(settings.scopes.remove("openid"))).await;
    app.get(DISCOVERY).await.assert_error(404, "invalid_request");
    let metadata = app.get("/o/.well-known/oauth-authorization-server").await.assert_status(200).json();
    assert_eq!(metadata.get("userinfo_endpoint"), None);
}

async fn every_algorithm_of_id_tokens_that_it_names_signs_them(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = app.get(DISCOVERY).await.json();
    let algorithms: Vec<_> = metadata["id_token_signing_alg_values_supported"].as_array().unwrap().iter().collect();
    assert!(algorithms.contains(&&json!("RS256")), "every client of OpenID Connect can verify this one");
    for algorithm in algorithms {
        let client = app
            .client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid", "id_token_signed_response_alg": algorithm}))
            .await;
        let tokens = app.grant(&client, "openid").await;
        assert_eq!(json!(decode_header(tokens.id_token()).unwrap().alg), *algorithm);
    }
}

async fn the_claims_that_it_names_are_those_that_are_told(kind: Kind) {
    for without in [None, Some("phone")] {
        let app = TestApp::start_with(kind, |settings| settings.scopes.retain(|name, _| Some(name.as_str()) != without)).await;
        let scope: Vec<_> = CLAIMS.iter().map(|(scope, _)| *scope).filter(|scope| Some(*scope) != without).collect();
        let scope = scope.join(" ");
        let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": scope})).await;
        let session = signed_in(&app).await;
        let mut approval = app.approval(&session, &client, &scope).await;
        approval.nonce = Some("n".to_owned());
        let code = app.code_of(&approval).await;
        let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
        let of_id_token = insecure_decode::<Value>(tokens.id_token()).unwrap().claims;
        let of_userinfo = app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200).json();
        let told: BTreeSet<_> =
            [&of_id_token, &of_userinfo].into_iter().flat_map(|claims| claims.as_object().unwrap().keys().cloned()).collect();
        let named: Vec<String> = serde_json::from_value(app.get(DISCOVERY).await.json()["claims_supported"].take()).unwrap();
        assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), told);
        assert_eq!(named.len(), told.len(), "none stands there twice");
    }
}

async fn what_it_supports_for_clients_with_keys_is_refused_to_others(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = app.get(DISCOVERY).await.json();
    let client = app.ordinary_client().await;
    let browser = support::Browser::new(&app);
    for (member, parameter) in [("request_parameter_supported", "request"), ("request_uri_parameter_supported", "request_uri")] {
        assert_eq!(metadata[member], true);
        let sent_back = browser.open(&app.authorize_path(&client, &[(parameter, "https://app.example/request")])).await;
        assert!(sent_back.location().contains(&format!("error={parameter}_not_supported")), "{sent_back:?}");
    }
    assert_eq!(metadata["claims_parameter_supported"], true);
}
