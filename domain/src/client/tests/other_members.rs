//! Members that the metadata has no field for: which are kept, and what each must be.

use serde_json::{Value, json};

use super::*;

fn check(member: &str, value: &Value) -> Result<(), ClientError> {
    metadata(json!({member: value})).check()
}

#[test]
fn each_member_has_its_type() {
    for (member, good, bad) in [
        ("contacts", json!(["a@app.example"]), json!("a@app.example")),
        ("contacts", json!([]), json!([1])),
        ("default_acr_values", json!(["mfa"]), json!({"mfa": true})),
        ("default_max_age", json!(3600), json!("3600")),
        ("default_max_age", json!(0), json!(-1)),
        ("default_max_age", json!(1), json!(1.5)),
        ("require_auth_time", json!(true), json!("true")),
        ("require_pushed_authorization_requests", json!(true), json!(0)),
        ("subject_type", json!("public"), json!("private")),
        ("subject_type", json!("pairwise"), json!(["pairwise"])),
        ("dpop_bound_access_tokens", json!(true), json!("no")),
        ("require_signed_request_object", json!(false), json!(1)),
        ("request_object_signing_alg", json!("PS256"), json!("none")),
        ("authorization_signed_response_alg", json!("ES256"), json!("HS256")),
        ("sector_identifier_uri", json!("https://app.example/sector"), json!("http://app.example/sector")),
        ("initiate_login_uri", json!("https://app.example/login"), json!("app.example/login")),
        ("backchannel_logout_uri", json!("https://app.example/out"), json!("http://app.example/out")),
        ("request_uris", json!(["https://app.example/r#x"]), json!(["http://app.example/r"])),
        ("request_uris", json!([]), json!("https://app.example/r")),
        ("id_token_signed_response_alg", json!("RS256"), json!("none")),
        ("userinfo_signed_response_alg", json!("ES256"), json!("ES512")),
        ("introspection_signed_response_alg", json!("ES256"), json!("none")),
        ("tls_client_certificate_bound_access_tokens", json!(true), json!("yes")),
        ("tls_client_auth_subject_dn", json!("CN=app"), json!("CN=app\n")),
        ("client_name#ja", json!("\u{30a2}\u{30d7}\u{30ea}"), json!("\u{202e}")),
        ("client_name#ja", json!("App"), json!(1)),
        ("tos_uri#de-CH", json!("https://app.example/agb"), json!("http://app.example/agb")),
    ] {
        assert_eq!(check(member, &good), Ok(()), "{member}: {good}");
        assert!(
            matches!(check(member, &bad), Err(ClientError::InvalidMetadata(why)) if why.starts_with(member)),
            "{member}: {bad}"
        );
    }
}

#[test]
fn protection_that_nobody_gives_is_refused() {
    for (member, value) in [
        ("id_token_encrypted_response_alg", json!("RSA-OAEP-256")),
        ("id_token_encrypted_response_enc", json!("A256GCM")),
        ("userinfo_encrypted_response_alg", json!("ECDH-ES")),
    ] {
        let Err(ClientError::InvalidMetadata(why)) = check(member, &value) else { panic!("{member} is taken") };
        assert!(why.starts_with(member) && why.contains("leave it out"), "{why}");
    }
}

#[test]
fn a_pairwise_client_is_of_one_sector_and_gets_opaque_tokens() {
    let of = |members: Value| metadata(members);
    let pairwise = |uris: &[&str]| of(json!({"subject_type": "pairwise", "redirect_uris": uris}));
    assert_eq!(pairwise(&["https://a.example/x", "https://a.example/y"]).sector().as_deref(), Some("a.example"));
    for none in [&["https://a.example/x", "https://b.example/x"] as &[&str], &["com.example.app:/cb"]] {
        let metadata = ClientMetadata { application_type: ApplicationType::Native, ..pairwise(none) };
        assert!(
            matches!(metadata.check(), Err(ClientError::InvalidMetadata(why)) if why.starts_with("subject_type")),
            "{none:?}"
        );
    }
    let named = of(json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example/x", "https://b.example/x"],
        "sector_identifier_uri": "https://sector.example/uris.json"}));
    assert_eq!((named.check(), named.sector().as_deref()), (Ok(()), Some("sector.example")));
    assert_eq!(named.format_of_access_tokens(Some(AccessTokenFormat::Jwt)), AccessTokenFormat::Opaque);
    assert_eq!(named.keep_known().access_token_format, AccessTokenFormat::Opaque);
    assert_eq!(of(json!({})).format_of_access_tokens(None), AccessTokenFormat::Jwt);
}

#[test]
fn texts_are_bounded() {
    assert!(check("tls_client_auth_subject_dn", &json!("a".repeat(2049))).is_err());
    assert!(check("contacts", &json!(["a".repeat(2049)])).is_err());
}

#[test]
fn known_members_are_kept() {
    let kept = metadata(json!({"contacts": ["a@app.example"], "client_name#ja": "x", "require_auth_time": true})).keep_known();
    assert_eq!(kept.other.len(), 3);
}

#[test]
fn unknown_members_and_nulls_are_dropped() {
    let members = json!({"favourite_colour": "blue", "client_id": "mine", "client_name#": "x", "client_name#a b": "x",
        "contacts#ja": ["x"], "contacts": null, "software_statement": "x.y.z"});
    assert_eq!(metadata(members).keep_known(), confidential());
}

#[test]
fn what_stands_twice_is_kept_once() {
    let twice = metadata(json!({"redirect_uris": ["https://app.example/cb", "https://app.example/cb"],
        "grant_types": ["authorization_code", "authorization_code"], "response_types": ["code", "code"]}));
    assert_eq!(twice.keep_known(), confidential());
}

#[test]
fn keeping_the_known_changes_nothing_the_second_time() {
    let once = metadata(json!({"contacts": ["x"], "favourite_colour": "blue"})).keep_known();
    assert_eq!(once.clone().keep_known(), once);
}

#[test]
fn members_are_written_as_they_came() {
    let metadata = metadata(json!({"contacts": ["x"], "default_max_age": 5}));
    let written = serde_json::to_value(&metadata).expect("written");
    assert_eq!((&written["contacts"], &written["default_max_age"]), (&json!(["x"]), &json!(5)));
    assert_eq!(serde_json::from_value::<ClientMetadata>(written).expect("read"), metadata);
}
