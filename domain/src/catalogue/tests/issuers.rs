//! The rules of the issuers whose assertions are taken.

use super::*;

const IDP: &str = "https://idp.example";

fn entry() -> IssuerEntry {
    IssuerEntry {
        identifier: IDP.to_owned(),
        keys: IssuerKeys::JwksUri("https://idp.example/keys".to_owned()),
        algorithms: vec![SigningAlgorithm::ES256],
        clients: ["app".to_owned()].into(),
        scopes: "read".parse().unwrap(),
        subject: SubjectIs::Username,
        assertion_lifetime: 300,
    }
}

fn with(issuers: Vec<IssuerEntry>) -> Entries {
    let mut entries = Entries { issuers, ..scopes(&["read", "audit"]) };
    entries.scopes[1].privileged = true;
    entries
}

#[test]
fn an_issuer_is_trusted_as_the_settings_say() {
    let (before, after) = (with(Vec::new()), with(vec![entry()]));
    let past = vec![adopted(1, before)];
    catalogue().given(past).when(adopt(after.clone())).then_expect_events(vec![adopted(2, after.clone())]);
    let adopted = fold::<Catalogue>([adopted(2, after)]);
    assert_eq!((adopted.issuer(IDP), adopted.issuer("https://idp.example/")), (Some(&entry()), None));
}

#[test]
fn an_issuer_whose_word_means_nothing_or_too_much_is_refused() {
    let jwks = |jwks: serde_json::Value| IssuerKeys::Jwks(jwks);
    let key = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
    let good = IssuerEntry { keys: jwks(json!({"keys": [key]})), ..entry() };
    assert!(catalogue().given_no_previous_events().when(adopt(with(vec![good]))).inspect_result().is_ok());
    for (bad, why) in [
        (IssuerEntry { identifier: String::new(), ..entry() }, "no name"),
        (IssuerEntry { algorithms: Vec::new(), ..entry() }, "algorithms"),
        (IssuerEntry { keys: IssuerKeys::JwksUri("http://idp.example/keys".to_owned()), ..entry() }, "jwks_uri"),
        (IssuerEntry { keys: jwks(json!({"keys": {}})), ..entry() }, "its keys"),
        (IssuerEntry { keys: jwks(json!({"keys": [{"kty": "oct", "k": "AA"}]})), ..entry() }, "private or symmetric"),
        (IssuerEntry { assertion_lifetime: 0, ..entry() }, "assertion_lifetime"),
        (IssuerEntry { assertion_lifetime: 3601, ..entry() }, "assertion_lifetime"),
        (IssuerEntry { scopes: "read fly".parse().unwrap(), ..entry() }, "the scope fly"),
        (IssuerEntry { scopes: "audit".parse().unwrap(), ..entry() }, "the scope audit"),
    ] {
        let refused = catalogue().given_no_previous_events().when(adopt(with(vec![bad]))).inspect_result();
        assert!(matches!(&refused, Err(CatalogueError::Issuer { why: said, .. }) if said.contains(why)), "{why}: {refused:?}");
    }
    let twice = catalogue().given_no_previous_events().when(adopt(with(vec![entry(), entry()]))).inspect_result();
    assert!(matches!(twice, Err(CatalogueError::Issuer { issuer, .. }) if issuer == IDP));
}
