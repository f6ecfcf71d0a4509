//! The rules of the key set.

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::*;
use crate::{Timestamp, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);

fn key_set() -> TestFramework<KeySet> {
    TestFramework::with(())
}

fn key(kid: &str, alg: SigningAlgorithm) -> PublicKey {
    PublicKey { kid: kid.to_owned(), alg, jwk: json!({"kty": "EC"}) }
}

fn es256(kid: &str) -> PublicKey {
    key(kid, SigningAlgorithm::ES256)
}

fn added(kid: &str) -> KeySetEvent {
    KeySetEvent::Added { key: es256(kid), at: NOW }
}

fn activated(kid: &str) -> KeySetEvent {
    KeySetEvent::Activated { kid: kid.to_owned(), at: NOW }
}

fn retired(kid: &str) -> KeySetEvent {
    KeySetEvent::Retired { kid: kid.to_owned(), at: NOW }
}

fn add(kid: &str) -> KeySetCommand {
    KeySetCommand::Add { key: es256(kid), at: NOW }
}

fn activate(kid: &str) -> KeySetCommand {
    KeySetCommand::Activate { kid: kid.to_owned(), at: NOW }
}

fn rotate(kid: &str) -> KeySetCommand {
    KeySetCommand::Rotate { key: es256(kid), at: NOW }
}

fn retire(kid: &str) -> KeySetCommand {
    KeySetCommand::Retire { kid: kid.to_owned(), at: NOW }
}

fn states(events: impl IntoIterator<Item = KeySetEvent>) -> Vec<KeyState> {
    fold::<KeySet>(events).keys.iter().map(|key| key.state).collect()
}

#[test]
fn a_key_is_added_before_it_signs() {
    key_set().given_no_previous_events().when(add("a")).then_expect_events(vec![added("a")]);
    assert_eq!(states([added("a")]), [KeyState::Added]);
    assert_eq!(fold::<KeySet>([added("a")]).active(SigningAlgorithm::ES256), None);
}

#[test]
fn an_added_key_is_activated() {
    key_set().given(vec![added("a")]).when(activate("a")).then_expect_events(vec![activated("a")]);
    assert_eq!(fold::<KeySet>([added("a"), activated("a")]).active(SigningAlgorithm::ES256), Some(&es256("a")));
}

#[test]
fn an_active_key_is_not_activated_again() {
    key_set().given(vec![added("a"), activated("a")]).when(activate("a")).then_expect_events(vec![]);
}

#[test]
fn a_superseded_key_can_sign_again() {
    let past = vec![added("a"), activated("a"), added("b"), activated("b")];
    key_set().given(past).when(activate("a")).then_expect_events(vec![activated("a")]);
}

#[test]
fn a_rotation_adds_and_activates() {
    let past = vec![added("a"), activated("a")];
    key_set().given(past).when(rotate("b")).then_expect_events(vec![added("b"), activated("b")]);
}

#[test]
fn one_key_signs_for_each_algorithm() {
    let rsa = KeySetEvent::Added { key: key("r", SigningAlgorithm::RS256), at: NOW };
    let events = [added("a"), activated("a"), rsa, activated("r"), added("b"), activated("b")];
    assert_eq!(states(events), [KeyState::Superseded, KeyState::Active, KeyState::Active]);
}

#[test]
fn a_kid_is_used_once() {
    for past in [vec![added("a")], vec![added("a"), retired("a")]] {
        key_set().given(past.clone()).when(add("a")).then_expect_error(KeySetError::Exists);
        key_set().given(past).when(rotate("a")).then_expect_error(KeySetError::Exists);
    }
}

#[test]
fn an_unused_or_superseded_key_is_retired() {
    key_set().given(vec![added("a")]).when(retire("a")).then_expect_events(vec![retired("a")]);
    let past = vec![added("a"), activated("a"), added("b"), activated("b")];
    key_set().given(past).when(retire("a")).then_expect_events(vec![retired("a")]);
}

#[test]
fn the_only_key_that_signs_for_its_algorithm_is_not_retired() {
    let rsa = KeySetEvent::Added { key: key("r", SigningAlgorithm::RS256), at: NOW };
    let past = vec![rsa, activated("r"), added("a"), activated("a")];
    key_set().given(past).when(retire("a")).then_expect_error(KeySetError::LastActive);
}

#[test]
fn a_key_is_retired_once() {
    key_set().given(vec![added("a"), retired("a")]).when(retire("a")).then_expect_events(vec![]);
}

#[test]
fn a_retired_key_never_signs_again() {
    key_set().given(vec![added("a"), retired("a")]).when(activate("a")).then_expect_error(KeySetError::Retired);
}

#[test]
fn an_unknown_key_neither_signs_nor_retires() {
    key_set().given(vec![added("a")]).when(activate("b")).then_expect_error(KeySetError::Unknown);
    key_set().given(vec![added("a")]).when(retire("b")).then_expect_error(KeySetError::Unknown);
}

fn replace(kid: &str, by: PublicKey) -> KeySetCommand {
    KeySetCommand::Replace { kid: kid.to_owned(), key: by, at: NOW }
}

#[test]
fn a_key_that_signs_is_replaced_and_retired_in_one() {
    let events = vec![added("b"), activated("b"), retired("a")];
    key_set().given(vec![added("a"), activated("a")]).when(replace("a", es256("b"))).then_expect_events(events);
    assert_eq!(
        states([added("a"), activated("a"), added("b"), activated("b"), retired("a")]),
        [KeyState::Retired, KeyState::Active]
    );
}

#[test]
fn a_key_that_signs_no_more_is_retired_without_another_in_its_place() {
    let superseded = vec![added("a"), activated("a"), added("b"), activated("b")];
    key_set().given(superseded).when(replace("a", es256("c"))).then_expect_events(vec![retired("a")]);
    key_set().given(vec![added("a"), retired("a")]).when(replace("a", es256("c"))).then_expect_events(vec![]);
}

#[test]
fn a_key_is_replaced_by_a_new_one_of_its_algorithm_alone() {
    let active = || key_set().given(vec![added("a"), activated("a")]);
    active().when(replace("a", key("b", SigningAlgorithm::EdDSA))).then_expect_error(KeySetError::OtherAlgorithm);
    active().when(replace("a", es256("a"))).then_expect_error(KeySetError::Exists);
    active().when(replace("x", es256("b"))).then_expect_error(KeySetError::Unknown);
}
