//! What protects a client's requests and tokens, by its policy or because it registered for it.

use serde_json::{Value, json};

use super::*;

fn fapi2(more: Value) -> ClientMetadata {
    let mut all = json!({"policy": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "EC"}]}});
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    metadata(all)
}

#[test]
fn fapi2_demands_pushed_requests_and_bound_tokens_and_rotates_nothing() {
    let client = fapi2(json!({}));
    assert_eq!(client.check(), Ok(()));
    assert!(client.pushes_requests() && client.binds_tokens() && !client.policy.rotates_refresh_tokens());
    assert_eq!((client.policy.longest_code_lifetime(), client.policy.is_strict_of_audience()), (Some(60), true));
    let registration = Registration::new("app".to_owned(), None, client);
    assert!(registration.requires_pkce());
}

#[test]
fn others_are_protected_so_where_they_registered_for_it() {
    let plain = confidential();
    assert!(!plain.pushes_requests() && !plain.binds_tokens() && plain.policy.rotates_refresh_tokens());
    assert!(metadata(json!({"require_pushed_authorization_requests": true})).pushes_requests());
    assert!(metadata(json!({"dpop_bound_access_tokens": true})).binds_tokens());
    assert!(!metadata(json!({"dpop_bound_access_tokens": false})).binds_tokens());
}

#[test]
fn who_is_to_sign_requests_has_keys() {
    assert!(fapi2(json!({"require_signed_request_object": true})).signs_requests());
    assert_eq!(fapi2(json!({"require_signed_request_object": true})).check(), Ok(()));
    let refused = metadata(json!({"require_signed_request_object": true})).check();
    assert!(matches!(refused, Err(ClientError::InvalidMetadata(why)) if why.starts_with("require_signed_request_object")));
}

#[test]
fn under_fapi2_nothing_is_signed_by_rs256() {
    let client = fapi2(json!({}));
    assert_eq!(client.id_token_algorithm(), SigningAlgorithm::ES256);
    assert!(!client.signs_assertions_with(SigningAlgorithm::RS256) && client.signs_assertions_with(SigningAlgorithm::PS256));
    assert_eq!(confidential().id_token_algorithm(), SigningAlgorithm::RS256);
    for member in ["id_token_signed_response_alg", "token_endpoint_auth_signing_alg", "access_token_signed_response_alg"] {
        assert_eq!(fapi2(json!({member: "PS256"})).check(), Ok(()), "{member}");
        let Err(ClientError::InvalidMetadata(why)) = fapi2(json!({member: "RS256"})).check() else { panic!("{member} is taken") };
        assert!(why.starts_with(member), "{why}");
    }
}

#[test]
fn under_fapi2_a_client_has_keys_and_no_secret() {
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let refused = fapi2(json!({"token_endpoint_auth_method": method})).check();
        assert!(matches!(refused, Err(ClientError::InvalidMetadata(why)) if why.contains("private_key_jwt")), "{method}");
    }
}
