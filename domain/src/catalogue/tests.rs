//! The rules of the catalogue.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::*;
use crate::{Timestamp, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);

fn catalogue() -> TestFramework<Catalogue> {
    TestFramework::with(())
}

fn scopes(names: &[&str]) -> Vec<ScopeEntry> {
    let entry = |name: &&str| ScopeEntry {
        name: (*name).to_owned(),
        descriptions: [("en".to_owned(), format!("Use {name}"))].into(),
        privileged: false,
        claims: BTreeSet::new(),
    };
    names.iter().map(entry).collect()
}

fn adopt(scopes: Vec<ScopeEntry>) -> CatalogueCommand {
    CatalogueCommand::Adopt { scopes, at: NOW }
}

fn adopted(version: u32, scopes: Vec<ScopeEntry>) -> CatalogueEvent {
    CatalogueEvent::Adopted { version, scopes, at: NOW }
}

#[test]
fn the_first_catalogue_is_version_one() {
    let first = scopes(&["read", "write"]);
    catalogue().given_no_previous_events().when(adopt(first.clone())).then_expect_events(vec![adopted(1, first.clone())]);
    assert_eq!(fold::<Catalogue>([adopted(1, first.clone())]), Catalogue { version: 1, scopes: first });
}

#[test]
fn a_changed_catalogue_is_the_next_version() {
    let (before, after) = (scopes(&["read"]), scopes(&["read", "write"]));
    catalogue().given(vec![adopted(1, before)]).when(adopt(after.clone())).then_expect_events(vec![adopted(2, after)]);
}

#[test]
fn changed_words_are_a_changed_catalogue() {
    let mut reworded = scopes(&["read"]);
    reworded[0].descriptions.insert("ja".to_owned(), "\u{8aad}\u{3080}".to_owned());
    let past = vec![adopted(1, scopes(&["read"]))];
    catalogue().given(past).when(adopt(reworded.clone())).then_expect_events(vec![adopted(2, reworded)]);
}

#[test]
fn the_same_catalogue_is_not_adopted_again() {
    let same = scopes(&["read"]);
    catalogue().given(vec![adopted(1, same.clone())]).when(adopt(same)).then_expect_events(vec![]);
}

#[test]
fn a_scope_stands_once() {
    let twice = adopt(scopes(&["read", "write", "read"]));
    catalogue().given_no_previous_events().when(twice).then_expect_error(CatalogueError::Twice("read".to_owned()));
}

#[test]
fn a_scope_has_a_name_that_can_be_sent() {
    for name in ["", "read write", " read", "re\"ad", "re\\ad", "l\u{e9}ger", "a\n"] {
        let refused = catalogue().given_no_previous_events().when(adopt(scopes(&[name])));
        refused.then_expect_error(CatalogueError::NoScope(name.to_owned()));
    }
}

#[test]
fn what_a_scope_asks_beyond_the_catalogue_is_told() {
    let catalogue = Catalogue { version: 1, scopes: scopes(&["read", "write"]) };
    assert_eq!(catalogue.unknown(&"read fly write swim".parse().unwrap()).to_string(), "fly swim");
    assert!(catalogue.unknown(&"write".parse().unwrap()).is_empty());
}

#[test]
fn the_default_scope_is_all_that_is_not_privileged() {
    let mut entries = scopes(&["read", "introspection", "write"]);
    entries[1].privileged = true;
    assert_eq!(Catalogue { version: 1, scopes: entries }.default_scope().to_string(), "read write");
}

/// A catalogue with a scope `staff` that opens these, beside the scopes `email` and `audit`, which is privileged.
fn with_claims(claims: &[&str]) -> Vec<ScopeEntry> {
    let mut scopes = scopes(&["email", "staff", "audit"]);
    scopes[1].claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
    scopes[2].privileged = true;
    scopes[2].claims = ["badge".to_owned()].into();
    scopes
}

#[test]
fn a_scope_opens_the_claims_that_the_settings_give_it() {
    let catalogue = Catalogue::unadopted(with_claims(&["department", "email", "https://example.org/groups"]));
    let staff: Scope = "openid staff".parse().unwrap();
    for (claim, opened) in
        [("department", true), ("department#ja", true), ("email", true), ("https://example.org/groups", true), ("badge", false)]
    {
        assert_eq!(catalogue.opens(&staff, claim), opened, "{claim}");
    }
    assert_eq!(catalogue.scopes_of_claim("email").collect::<Vec<_>>(), ["email", "staff"]);
    assert_eq!(catalogue.scopes_of_claim("badge").count(), 0, "no user can grant it");
    assert_eq!(catalogue.scopes_of_claim("name").count(), 0, "it has no scope `profile`");
    assert!(catalogue.claims().is_superset(&["department", "email", "email_verified", "badge"].into()));
}

#[test]
fn a_person_has_claims_that_the_standard_or_a_scope_names() {
    let catalogue = Catalogue::unadopted(with_claims(&["department", "email"]));
    for value in [json!("Sales"), json!(["a", "b"]), json!({"id": 1}), json!(true)] {
        assert_eq!(catalogue.check_claim("department", &value), Ok(()));
    }
    assert_eq!(catalogue.check_claim("name", &json!("Mika")), Ok(()));
    for (name, value) in
        [("groups", json!("a")), ("department", json!(null)), ("department", json!("x".repeat(9_000))), ("email", json!(1))]
    {
        assert!(catalogue.check_claim(name, &value).is_err(), "{name}");
    }
}

#[test]
fn no_scope_opens_what_tokens_say_of_themselves() {
    for claim in ["sub", "iss", "sid", "", "a b", "name#ja", "\u{e9}"] {
        let refused = CatalogueError::NoClaim { claim: claim.to_owned(), scope: "staff".to_owned() };
        catalogue().given_no_previous_events().when(adopt(with_claims(&[claim]))).then_expect_error(refused);
    }
}
