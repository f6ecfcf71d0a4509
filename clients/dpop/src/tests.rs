//! What is a proof of a request, and what is none.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;

use super::*;

const NOW: i64 = 10_000;
const TOKEN: &str = "token";

/// A proof signed with a key of its own; `changed` replaces members of its header and claims, and takes away those that are null.
fn proof(header: Value, claims: Value) -> String {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..])});
    let header = changed(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}), header);
    let of_request = json!({"jti": "1", "htm": "POST", "htu": "https://id.example/o/token/", "iat": 10_000});
    let claims = changed(of_request, claims);
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let signature = pair.sign(&random, message.as_bytes()).unwrap();
    format!("{message}.{}", encode(signature.as_ref()))
}

fn changed(mut all: Value, changes: Value) -> Value {
    let (Some(members), Value::Object(changes)) = (all.as_object_mut(), changes) else { unreachable!("objects") };
    members.extend(changes);
    members.retain(|_, value| !value.is_null());
    all
}

fn read(jwt: &str, access_token: Option<&str>) -> Result<Proof, InvalidProof> {
    let addresses = ["https://id.example/o/token/".parse().unwrap()];
    Proof::read(jwt, Request { method: "POST", addresses: &addresses, access_token }, NOW)
}

fn refused(header: Value, claims: Value) -> InvalidProof {
    read(&proof(header, claims), None).unwrap_err()
}

#[test]
fn a_proof_for_this_request_is_known_by_its_key_and_id() {
    let jwt = proof(json!({}), json!({"nonce": "n", "other": 1}));
    let first = read(&jwt, None).unwrap();
    assert_eq!(first, read(&jwt, None).unwrap());
    assert_eq!(first.nonce.as_deref(), Some("n"));
    assert_eq!((first.jti.as_str(), first.iat), ("1", NOW));
    let other = read(&proof(json!({}), json!({})), None).unwrap();
    assert_ne!(first.thumbprint, other.thumbprint);
}

#[test]
fn addresses_are_compared_without_query_and_in_their_normal_form() {
    for htu in ["https://id.example/o/token/?a=b#c", "HTTPS://ID.example:443/o/token/", "https://id.example/o/x/../token/"] {
        assert!(read(&proof(json!({}), json!({ "htu": htu })), None).is_ok(), "{htu}");
    }
    for htu in ["http://id.example/o/token/", "https://id.example:8443/o/token/", "https://id.example/o/token", "/o/token/"] {
        assert_eq!(refused(json!({}), json!({ "htu": htu })), InvalidProof::OtherAddress, "{htu}");
    }
}

#[test]
fn how_a_path_is_encoded_counts_where_it_means_something_else() {
    for (one, other, same) in [
        ("/notes/%7emika", "/notes/~mika", true),
        ("/%41%2d%E3%83%a1", "/A-%e3%83%A1", true),
        ("/a%2fb", "/a%2Fb", true),
        ("/a%2fb", "/a/b", false),
        ("/%zz%+f%", "/%zz%+f%", true),
        ("/50%25", "/50%", false),
    ] {
        assert_eq!(normal(one) == normal(other), same, "{one} {other}");
    }
}

#[test]
fn it_is_good_for_a_minute_around_its_making() {
    for iat in [9_940, 10_060] {
        assert!(read(&proof(json!({}), json!({ "iat": iat })), None).is_ok(), "{iat}");
    }
    for iat in [9_939, 10_061] {
        assert_eq!(refused(json!({}), json!({ "iat": iat })), InvalidProof::OtherTime, "{iat}");
    }
}

#[test]
fn beside_an_access_token_it_names_that() {
    let for_token = proof(json!({}), json!({ "ath": sha256(TOKEN.as_bytes()) }));
    assert!(read(&for_token, Some(TOKEN)).is_ok() && read(&for_token, None).is_ok());
    assert_eq!(read(&for_token, Some("other")), Err(InvalidProof::OtherToken));
    assert_eq!(read(&proof(json!({}), json!({})), Some(TOKEN)), Err(InvalidProof::OtherToken));
}

#[test]
fn what_is_no_proof_of_this_request_is_refused() {
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"});
    for (header, claims, why) in [
        (json!({"typ": null}), json!({}), InvalidProof::Malformed),
        (json!({"typ": "JWT"}), json!({}), InvalidProof::Malformed),
        (json!({"jwk": null}), json!({}), InvalidProof::Malformed),
        (json!({"jwk": {"kty": "EC"}}), json!({}), InvalidProof::Malformed),
        (json!({"crit": ["b64"]}), json!({}), InvalidProof::Malformed),
        (json!({"alg": null}), json!({}), InvalidProof::Malformed),
        (json!({"alg": "none"}), json!({}), InvalidProof::Algorithm),
        (json!({"alg": "HS256"}), json!({}), InvalidProof::Algorithm),
        (json!({"alg": "RS256"}), json!({}), InvalidProof::Algorithm),
        (json!({"alg": "EdDSA"}), json!({}), InvalidProof::NotSigned),
        (json!({ "jwk": jwk }), json!({}), InvalidProof::PrivateKey),
        (json!({"jwk": {"kty": "oct", "k": "AA"}}), json!({}), InvalidProof::PrivateKey),
        (json!({}), json!({"jti": null}), InvalidProof::Claims),
        (json!({}), json!({"jti": ""}), InvalidProof::Claims),
        (json!({}), json!({"jti": "x".repeat(256)}), InvalidProof::Claims),
        (json!({}), json!({"htm": null}), InvalidProof::Claims),
        (json!({}), json!({"htm": "post"}), InvalidProof::OtherMethod),
        (json!({}), json!({"htu": null}), InvalidProof::Claims),
        (json!({}), json!({"iat": null}), InvalidProof::Claims),
        (json!({}), json!({"iat": "10000"}), InvalidProof::Claims),
    ] {
        let told = format!("{header} {claims}");
        assert_eq!(refused(header, claims), why, "{told}");
    }
    let good = proof(json!({}), json!({}));
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(read(&format!("{message}.AAAA"), None), Err(InvalidProof::NotSigned));
    for no_jwt in ["", "a.b.c", &"a".repeat(MAX_LENGTH + 1)] {
        assert_eq!(read(no_jwt, None), Err(InvalidProof::Malformed));
    }
}
