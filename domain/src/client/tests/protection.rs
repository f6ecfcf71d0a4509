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
    assert!(client.pushes_requests() && client.binding() == Some(Binding::Key) && !client.policy.rotates_refresh_tokens());
    assert_eq!((client.policy.longest_code_lifetime(), client.policy.is_strict_of_audience()), (Some(60), true));
    let registration = Registration::new("app".to_owned(), None, client);
    assert!(registration.requires_pkce());
}

#[test]
fn others_are_protected_so_where_they_registered_for_it() {
    let plain = confidential();
    assert!(!plain.pushes_requests() && plain.binding().is_none() && plain.policy.rotates_refresh_tokens());
    assert!(metadata(json!({"require_pushed_authorization_requests": true})).pushes_requests());
    assert_eq!(metadata(json!({"dpop_bound_access_tokens": true})).binding(), Some(Binding::Key));
    assert_eq!(metadata(json!({"dpop_bound_access_tokens": false})).binding(), None);
    assert_eq!(metadata(json!({"tls_client_certificate_bound_access_tokens": true})).binding(), Some(Binding::Certificate));
    let both = json!({"dpop_bound_access_tokens": true, "tls_client_certificate_bound_access_tokens": true});
    let refused = metadata(both).check();
    assert!(matches!(refused, Err(ClientError::InvalidMetadata(why)) if why.contains("dpop_bound_access_tokens")));
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
fn under_fapi2_a_certificate_binds_tokens_and_proves_who_a_client_is() {
    let bound = fapi2(json!({"tls_client_certificate_bound_access_tokens": true}));
    assert_eq!((bound.check(), bound.binding()), (Ok(()), Some(Binding::Certificate)));
    let named = json!({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "bank.example"});
    for method in [named, json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"})] {
        assert_eq!(fapi2(method.clone()).check(), Ok(()), "{method}");
    }
}

#[test]
fn under_fapi2_a_client_has_keys_and_no_secret() {
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let refused = fapi2(json!({"token_endpoint_auth_method": method})).check();
        assert!(matches!(refused, Err(ClientError::InvalidMetadata(why)) if why.contains("private_key_jwt")), "{method}");
    }
}
