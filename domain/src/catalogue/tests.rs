//! The rules of the catalogue.

mod issuers;

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::*;
use crate::{Timestamp, aggregate::fold, client::SigningAlgorithm};

const NOW: Timestamp = Timestamp::from_unix(1_000);

fn catalogue() -> TestFramework<Catalogue> {
    TestFramework::with(())
}

fn scopes(names: &[&str]) -> Entries {
    let entry = |name: &&str| ScopeEntry {
        name: (*name).to_owned(),
        descriptions: [("en".to_owned(), format!("Use {name}"))].into(),
        privileged: false,
        claims: BTreeSet::new(),
    };
    Entries { scopes: names.iter().map(entry).collect(), ..Entries::default() }
}

/// A catalogue with these scopes, and a resource that understands some.
fn with_resource(names: &[&str], (identifier, understood): (&str, &str)) -> Entries {
    let resource = ResourceEntry {
        identifier: identifier.to_owned(),
        names: [("en".to_owned(), "Photos".to_owned())].into(),
        scopes: understood.split(' ').filter(|name| !name.is_empty()).collect(),
        token_format: None,
        access_token_lifetime: None,
        open: false,
        exchange_by: None,
        exchange_needs_actor: false,
    };
    Entries { resources: vec![resource], ..scopes(names) }
}

fn adopt(entries: Entries) -> CatalogueCommand {
    CatalogueCommand::Adopt { entries, at: NOW }
}

fn adopted(version: u32, entries: Entries) -> CatalogueEvent {
    let Entries { scopes, resources, issuers } = entries;
    CatalogueEvent::Adopted { version, scopes, resources, issuers, at: NOW }
}

#[test]
fn the_first_catalogue_is_version_one() {
    let first = scopes(&["read", "write"]);
    catalogue().given_no_previous_events().when(adopt(first.clone())).then_expect_events(vec![adopted(1, first.clone())]);
    assert_eq!(fold::<Catalogue>([adopted(1, first.clone())]), Catalogue { version: 1, ..Catalogue::unadopted(first) });
}

#[test]
fn a_changed_catalogue_is_the_next_version() {
    let (before, after) = (scopes(&["read"]), scopes(&["read", "write"]));
    catalogue().given(vec![adopted(1, before)]).when(adopt(after.clone())).then_expect_events(vec![adopted(2, after)]);
}

#[test]
fn changed_words_are_a_changed_catalogue() {
    let mut reworded = scopes(&["read"]);
    reworded.scopes[0].descriptions.insert("ja".to_owned(), "\u{8aad}\u{3080}".to_owned());
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
    let catalogue = Catalogue::unadopted(scopes(&["read", "write"]));
    assert_eq!(catalogue.unknown(&"read fly write swim".parse().unwrap()).to_string(), "fly swim");
    assert!(catalogue.unknown(&"write".parse().unwrap()).is_empty());
}

#[test]
fn the_default_scope_is_all_that_is_not_privileged() {
    let mut entries = scopes(&["read", "introspection", "write"]);
    entries.scopes[1].privileged = true;
    assert_eq!(Catalogue::unadopted(entries).default_scope().to_string(), "read write");
}

/// A catalogue with a scope `staff` that opens these, beside the scopes `email` and `audit`, which is privileged.
fn with_claims(claims: &[&str]) -> Entries {
    let mut entries = scopes(&["email", "staff", "audit"]);
    entries.scopes[1].claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
    entries.scopes[2].privileged = true;
    entries.scopes[2].claims = ["badge".to_owned()].into();
    entries
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

const PHOTOS: &str = "https://photos.example/";

#[test]
fn a_changed_resource_is_a_changed_catalogue() {
    let (before, after) = (with_resource(&["read"], (PHOTOS, "")), with_resource(&["read"], (PHOTOS, "read")));
    let past = vec![adopted(1, before.clone())];
    catalogue().given(past.clone()).when(adopt(before)).then_expect_events(vec![]);
    catalogue().given(past).when(adopt(after.clone())).then_expect_events(vec![adopted(2, after.clone())]);
    assert_eq!(fold::<Catalogue>([adopted(2, after.clone())]), Catalogue { version: 2, ..Catalogue::unadopted(after) });
}

#[test]
fn a_resource_is_an_absolute_uri_without_a_fragment() {
    for identifier in ["", "photos", "/photos", "https://photos.example/#all", "https://photos.example/a b", "//photos.example"] {
        let refused = catalogue().given_no_previous_events().when(adopt(with_resource(&["read"], (identifier, ""))));
        refused.then_expect_error(CatalogueError::NoResource(identifier.to_owned()));
    }
    for identifier in [PHOTOS, "urn:example:photos", "https://photos.example/v1?tenant=a"] {
        let entries = with_resource(&["read"], (identifier, ""));
        catalogue().given_no_previous_events().when(adopt(entries.clone())).then_expect_events(vec![adopted(1, entries)]);
    }
}

#[test]
fn a_resource_stands_once_and_understands_scopes_that_there_are_for_a_time() {
    let mut twice = with_resource(&["read"], (PHOTOS, ""));
    twice.resources.push(twice.resources[0].clone());
    let mut at_once = with_resource(&["read"], (PHOTOS, ""));
    at_once.resources[0].access_token_lifetime = Some(0);
    let unknown = CatalogueError::UnknownScope { resource: PHOTOS.to_owned(), scope: "fly".to_owned() };
    for (entries, error) in [
        (twice, CatalogueError::ResourceTwice(PHOTOS.to_owned())),
        (with_resource(&["read"], (PHOTOS, "read fly")), unknown),
        (at_once, CatalogueError::NoLifetime(PHOTOS.to_owned())),
    ] {
        catalogue().given_no_previous_events().when(adopt(entries)).then_expect_error(error);
    }
}

#[test]
fn a_resource_understands_the_scopes_that_it_names_and_others_all_that_is_not_the_issuers() {
    let understood = |named: &str, resource: &str, scope: &str| {
        let mut entries = with_resource(&["openid", "offline_access", "profile", "read", "write", "audit"], (PHOTOS, named));
        entries.scopes[5].privileged = true;
        let scope: Scope = scope.parse().unwrap();
        Catalogue::unadopted(entries).understood(&scope, resource, "https://id.example").to_string()
    };
    assert_eq!(understood("read", PHOTOS, "openid read write"), "read");
    assert_eq!(understood("openid read", PHOTOS, "openid read write"), "openid read");
    assert_eq!(understood("", PHOTOS, "openid offline_access profile read write"), "profile read write");
    assert_eq!(understood("read", PHOTOS, "write"), "");
    assert_eq!(understood("read", "https://videos.example/", "openid write"), "openid write", "it is not in the catalogue");
}

#[test]
fn the_issuers_own_resource_keeps_what_the_issuers_own_endpoints_go_by() {
    let mut entries =
        with_resource(&["openid", "offline_access", "profile", "staff", "read", "write", "audit"], (PHOTOS, "read"));
    entries.scopes[3].claims = ["department".to_owned()].into();
    entries.scopes[6].privileged = true;
    let scope: Scope = "openid offline_access profile staff read write audit".parse().unwrap();
    let understood = Catalogue::unadopted(entries).understood(&scope, PHOTOS, PHOTOS);
    assert_eq!(understood.to_string(), "openid offline_access profile staff read audit");
}
