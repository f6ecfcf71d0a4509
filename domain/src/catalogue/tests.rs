//! The rules of the catalogue.

use cqrs_es::test::TestFramework;

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
