//! What a client's metadata must satisfy, member by member.

use serde_json::{Value, json};

use super::*;

/// Each of these is refused with words about one of its members.
fn assert_refused(cases: impl IntoIterator<Item = Value>) {
    for members in cases {
        match metadata(members.clone()).check() {
            Err(ClientError::InvalidMetadata(why)) => {
                let mut named = members.as_object().expect("an object").keys();
                assert!(named.any(|member| why.starts_with(&format!("{member}: "))), "{members}: {why}");
            }
            other => panic!("{members}: {other:?}"),
        }
    }
}

fn assert_accepted(cases: impl IntoIterator<Item = Value>) {
    for members in cases {
        assert_eq!(metadata(members.clone()).check(), Ok(()), "{members}");
    }
}

fn assert_redirect_uri_refused(members: &Value) {
    let refused = metadata(members.clone()).check();
    assert!(matches!(refused, Err(ClientError::InvalidRedirectUri(_))), "{members}: {refused:?}");
}

#[test]
fn the_defaults_are_those_of_rfc_7591() {
    let metadata: ClientMetadata = serde_json::from_value(json!({})).expect("metadata");
    assert_eq!(metadata, ClientMetadata::default());
    assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(metadata.token_endpoint_auth_method, AuthenticationMethod::ClientSecretBasic);
}

#[test]
fn the_code_grant_needs_a_redirect_uri() {
    assert_redirect_uri_refused(&json!({"redirect_uris": []}));
    assert_accepted([json!({"redirect_uris": [], "grant_types": ["client_credentials"]})]);
}

#[test]
fn every_redirect_uri_is_checked() {
    assert_redirect_uri_refused(&json!({"redirect_uris": ["https://app.example/cb", "http://app.example/cb"]}));
    assert_redirect_uri_refused(&json!({"post_logout_redirect_uris": ["javascript:alert(1)"]}));
    assert_redirect_uri_refused(&json!({"redirect_uris": ["com.example.app:/cb"]}));
    assert_accepted([
        json!({"redirect_uris": ["com.example.app:/cb"], "application_type": "native"}),
        json!({"post_logout_redirect_uris": ["https://app.example/bye"]}),
    ]);
}

#[test]
fn lists_are_bounded() {
    let uris: Vec<String> = (0..51).map(|number| format!("https://app.example/{number}")).collect();
    assert_refused([
        json!({"redirect_uris": uris}),
        json!({"post_logout_redirect_uris": uris}),
        json!({"resources": uris}),
        json!({"contacts": uris}),
        json!({"request_uris": uris}),
        json!({"jwks": {"keys": vec![json!({"kty": "EC"}); 51]}}),
    ]);
    assert_accepted([json!({"redirect_uris": uris[..50]})]);
}

#[test]
fn other_flows_than_the_code_are_unknown() {
    assert_refused([
        json!({"response_types": ["token"]}),
        json!({"response_types": ["code", "id_token"]}),
        json!({"response_types": []}),
    ]);
    for grant in ["implicit", "password"] {
        assert!(serde_json::from_value::<ClientMetadata>(json!({"grant_types": [grant]})).is_err());
    }
}

#[test]
fn a_response_type_without_its_grant_is_dropped() {
    let kept = metadata(json!({"grant_types": ["client_credentials"]})).keep_known();
    assert_eq!(kept.response_types, [""; 0]);
    assert_eq!(kept.check(), Ok(()));
}

#[test]
fn a_policy_that_is_not_there_yet_is_refused() {
    assert!(serde_json::from_value::<ClientMetadata>(json!({"policy": "fapi3"})).is_err());
}

#[test]
fn a_client_that_proves_nothing_acts_for_nobody() {
    assert_refused([
        json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]}),
        json!({"token_endpoint_auth_method": "none", "skip_consent": true}),
    ]);
    assert_accepted([json!({"skip_consent": true})]);
}

#[test]
fn names_can_be_read() {
    assert_refused([
        json!({"client_name": ""}),
        json!({"client_name": " "}),
        json!({"client_name": "a".repeat(201)}),
        json!({"client_name": "App\nIs your bank"}),
        json!({"client_name": "App\u{0}"}),
        json!({"client_name": "\u{202e}ppA"}),
        json!({"client_name": "App\u{2066}"}),
        json!({"client_name": "App\u{200f}"}),
        json!({"client_name": "App\u{2028}"}),
        json!({"software_id": "a\tb"}),
        json!({"software_version": "a".repeat(201)}),
    ]);
    assert_accepted([json!({"client_name": "\u{30a2}\u{30d7}\u{30ea}".repeat(60)}), json!({"client_name": "\u{5d0}\u{5d1}"})]);
}

#[test]
fn what_is_linked_or_fetched_is_https() {
    for member in ["client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri"] {
        assert_accepted([json!({member: "https://app.example/x"})]);
        assert_refused(
            ["http://app.example/x", "javascript:alert(1)", "https://user@app.example/", "https:///x", "x", ""]
                .map(|uri| json!({member: uri})),
        );
    }
}

#[test]
fn resources_are_absolute_uris() {
    assert_refused(["api", "https://api.example/#x", "https://api.example/ x", ""].map(|uri| json!({"resources": [uri]})));
    assert_accepted([json!({"resources": ["https://api.example/", "urn:example:api"]})]);
}

#[test]
fn keys_are_public_and_in_one_place() {
    assert_refused([
        json!({"jwks": [], "client_name": "App"}),
        json!({"jwks": {}}),
        json!({"jwks": {"keys": {}}}),
        json!({"jwks": {"keys": [1]}}),
        json!({"jwks": {"keys": [{}]}}),
        json!({"jwks": {"keys": []}, "jwks_uri": "https://app.example/jwks"}),
        json!({"jwks": {"keys": [{"kty": "EC", "d": "x"}]}}),
        json!({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}),
        json!({"jwks": {"keys": [{"kty": "RSA", "n": "x".repeat(40_000)}]}}),
    ]);
    assert_accepted([json!({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}]}})]);
}

#[test]
fn lifetimes_are_bounded() {
    for member in ["access_token_lifetime", "refresh_token_idle_lifetime", "refresh_token_lifetime"] {
        assert_refused([json!({member: 0}), json!({member: 315_360_001})]);
        assert_accepted([json!({member: 1}), json!({member: 315_360_000})]);
    }
}

#[test]
fn scopes_are_bounded() {
    let scope = |names: usize, length: usize| (0..names).map(|name| format!("{name:0length$}")).collect::<Vec<_>>().join(" ");
    assert_refused([json!({"scope": scope(101, 3)}), json!({"scope": scope(100, 50)})]);
    assert_accepted([json!({"scope": scope(100, 30)}), json!({"scope": ""})]);
}
