//! Whom a client's certificate must name.

use serde_json::{Value, json};
use x509_cert::{Certificate, der::DecodePem};

use super::*;

/// Signed by itself: `/C=JP/O=Example  Bank/OU=Open+CN=Bank One`, with a name of each kind.
const BANK: &str = include_str!("bank.pem");

fn named(member: &str, name: &str) -> ClientMetadata {
    metadata(json!({"token_endpoint_auth_method": "tls_client_auth", member: name}))
}

fn is_of_the_bank(member: &str, name: &str) -> bool {
    let metadata = named(member, name);
    assert_eq!(metadata.check(), Ok(()), "{name}");
    let bank = Certificate::from_pem(BANK).expect("it is a certificate");
    metadata.certificate_name().expect("there is a name").is_of(&bank)
}

#[test]
fn a_distinguished_name_is_compared_part_by_part() {
    for same in [
        "CN=Bank One+OU=Open,O=Example  Bank,C=JP",
        "cn=bank one+ou=OPEN,o=example bank,c=jp",
        "OU=Open+2.5.4.3=Bank One,O=Example Bank,C=JP",
        r"CN=\42ank One+OU=Open,O=Example Bank,C=JP",
        "CN=Bank One+OU=Open,O=#0c0c4578616d706c652042616e6b,C=JP",
    ] {
        assert!(is_of_the_bank("tls_client_auth_subject_dn", same), "{same}");
    }
    for other in [
        "C=JP,O=Example Bank,CN=Bank One+OU=Open",
        "CN=Bank One,O=Example Bank,C=JP",
        "CN=Bank One,OU=Open,O=Example Bank,C=JP",
        "CN=Bank One+OU=Open,O=Example Bank",
        "CN=Bank Two+OU=Open,O=Example Bank,C=JP",
        "CN=Bank One+OU=Open,O=ExampleBank,C=JP",
        "CN=Bank One+OU=Open,O=#0403616263,C=JP",
    ] {
        assert!(!is_of_the_bank("tls_client_auth_subject_dn", other), "{other}");
    }
}

#[test]
fn each_kind_of_name_is_found_in_its_own_place_alone() {
    for (member, same, other) in [
        ("tls_client_auth_san_dns", "BANK.example", "ank.example"),
        ("tls_client_auth_san_uri", "urn:bank:one", "urn:bank:ONE"),
        ("tls_client_auth_san_ip", "192.0.2.7", "192.0.2.8"),
        ("tls_client_auth_san_ip", "2001:db8:0::7", "::ffff:192.0.2.7"),
        ("tls_client_auth_san_email", "ops@BANK.example", "OPS@bank.example"),
        ("tls_client_auth_san_email", "ops@bank.example", "bank.example"),
        ("tls_client_auth_san_dns", "bank.example", "urn:bank:one"),
        ("tls_client_auth_san_uri", "urn:bank:one", "bank.example"),
        ("tls_client_auth_san_dns", "bank.example", "192.0.2.7"),
    ] {
        assert!(is_of_the_bank(member, same) && !is_of_the_bank(member, other), "{member}: {same}, {other}");
    }
}

#[test]
fn there_is_exactly_one_and_it_can_be_compared() {
    let none = metadata(json!({"token_endpoint_auth_method": "tls_client_auth"}));
    let two =
        json!({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "a", "tls_client_auth_san_ip": "::1"});
    for refused in [none, metadata(two)] {
        assert!(matches!(refused.check(), Err(ClientError::InvalidMetadata(why)) if why.contains("exactly one")));
    }
    for (member, bad) in [
        ("tls_client_auth_subject_dn", "Bank One"),
        ("tls_client_auth_subject_dn", "CN=Bank, C=JP"),
        ("tls_client_auth_san_ip", "bank.example"),
        ("tls_client_auth_san_dns", ""),
    ] {
        let refused = named(member, bad).check();
        assert!(matches!(&refused, Err(ClientError::InvalidMetadata(why)) if why.starts_with(member)), "{bad}: {refused:?}");
    }
}

#[test]
fn who_shows_its_own_certificate_has_registered_it() {
    let own = |more: Value| {
        let mut all = json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        metadata(all)
    };
    assert!(matches!(own(json!({})).check(), Err(ClientError::InvalidMetadata(why)) if why.contains("jwks")));
    assert_eq!(own(json!({"jwks": {"keys": [{"kty": "EC"}]}})).check(), Ok(()));
    assert!(own(json!({"tls_client_auth_san_dns": "bank.example"})).certificate_name().is_none());
}
