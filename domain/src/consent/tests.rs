//! The rules of a consent.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{Timestamp, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);
const USER: UserId = UserId::new(Uuid::from_u128(1));
const OTHER_USER: UserId = UserId::new(Uuid::from_u128(2));
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(3));
const OTHER_CLIENT: ClientId = ClientId::new(Uuid::from_u128(4));

fn consent() -> TestFramework<Consent> {
    TestFramework::with(())
}

fn terms(scope: &str) -> ConsentTerms {
    ConsentTerms {
        user_id: USER,
        client_id: CLIENT,
        scope: scope.parse().expect("a scope"),
        resources: vec!["https://api.example/".to_owned()],
        client_version: 1,
        catalogue_version: 1,
        given_by: GivenBy::User,
        claims: BTreeSet::new(),
    }
}

fn given(terms: ConsentTerms) -> ConsentEvent {
    ConsentEvent::Given { terms, at: NOW }
}

fn give(terms: ConsentTerms) -> ConsentCommand {
    ConsentCommand::Give { terms, at: NOW }
}

fn withdrawn() -> ConsentEvent {
    ConsentEvent::Withdrawn { by: Some(USER), at: NOW }
}

fn withdraw(by: Option<UserId>) -> ConsentCommand {
    ConsentCommand::Withdraw { by, at: NOW }
}

#[test]
fn a_consent_is_given() {
    consent().given_no_previous_events().when(give(terms("read"))).then_expect_events(vec![given(terms("read"))]);
}

#[test]
fn what_was_given_already_is_not_given_again() {
    for scope in ["read write", "write", ""] {
        consent().given(vec![given(terms("read write"))]).when(give(terms(scope))).then_expect_events(vec![]);
    }
}

#[test]
fn a_further_scope_is_added() {
    let both = given(terms("read write"));
    consent().given(vec![given(terms("read"))]).when(give(terms("write"))).then_expect_events(vec![both]);
}

#[test]
fn a_further_resource_is_added() {
    let with =
        |resources: &[&str]| ConsentTerms { resources: resources.iter().map(ToString::to_string).collect(), ..terms("read") };
    consent()
        .given(vec![given(with(&["urn:a", "urn:b"]))])
        .when(give(with(&["urn:b", "urn:c"])))
        .then_expect_events(vec![given(with(&["urn:a", "urn:b", "urn:c"]))]);
}

#[test]
fn a_further_claim_is_added_unless_a_scope_opens_it() {
    let with = |scope, claims: &[&str]| ConsentTerms { claims: claims.iter().map(ToString::to_string).collect(), ..terms(scope) };
    let expect = |past: ConsentTerms, asked: ConsentTerms, then: Option<ConsentTerms>| {
        consent().given(vec![given(past)]).when(give(asked)).then_expect_events(then.map(given).into_iter().collect());
    };
    expect(with("openid", &["email"]), with("openid", &["phone_number"]), Some(with("openid", &["email", "phone_number"])));
    expect(with("openid", &["email"]), with("openid", &["email"]), None);
    expect(with("openid email", &[]), with("openid", &["email"]), None);
    expect(with("openid", &["email"]), with("openid email", &[]), Some(with("openid email", &[])));
}

#[test]
fn a_changed_client_or_catalogue_is_consented_to_anew() {
    let client_changed = ConsentTerms { client_version: 2, ..terms("read") };
    let catalogue_changed = ConsentTerms { catalogue_version: 2, ..terms("read") };
    for changed in [client_changed, catalogue_changed] {
        let past = vec![given(terms("read"))];
        consent().given(past).when(give(changed.clone())).then_expect_events(vec![given(changed)]);
    }
}

#[test]
fn what_nobody_was_asked_for_is_not_what_somebody_allows() {
    let first_party = |scope| ConsentTerms { given_by: GivenBy::FirstParty, ..terms(scope) };
    for scope in ["read", "read write"] {
        let past = vec![given(first_party("read write"))];
        consent().given(past).when(give(terms(scope))).then_expect_events(vec![given(terms(scope))]);
    }
    let past = vec![given(terms("read write"))];
    consent().given(past).when(give(first_party("read"))).then_expect_events(vec![]);
}

#[test]
fn a_consent_is_one_users_with_one_client() {
    let others = ConsentTerms { user_id: OTHER_USER, ..terms("read") };
    let for_another = ConsentTerms { client_id: OTHER_CLIENT, ..terms("read") };
    for terms_of_others in [others, for_another] {
        for past in [vec![given(terms("read"))], vec![given(terms("read")), withdrawn()]] {
            consent().given(past).when(give(terms_of_others.clone())).then_expect_error(ConsentError::OtherParties);
        }
    }
}

#[test]
fn a_consent_is_withdrawn_by_its_user() {
    consent().given(vec![given(terms("read"))]).when(withdraw(Some(USER))).then_expect_events(vec![withdrawn()]);
    let withdrawn = Consent::Withdrawn { user_id: USER, client_id: CLIENT };
    assert_eq!(fold::<Consent>([given(terms("read")), self::withdrawn()]), withdrawn);
}

#[test]
fn a_consent_is_withdrawn_by_an_operator() {
    let by_operator = ConsentEvent::Withdrawn { by: None, at: NOW };
    consent().given(vec![given(terms("read"))]).when(withdraw(None)).then_expect_events(vec![by_operator]);
}

#[test]
fn another_users_consent_is_not_withdrawn() {
    for past in [vec![given(terms("read"))], vec![given(terms("read")), withdrawn()]] {
        consent().given(past).when(withdraw(Some(OTHER_USER))).then_expect_error(ConsentError::OtherParties);
    }
}

#[test]
fn a_consent_is_withdrawn_once() {
    consent().given(vec![given(terms("read")), withdrawn()]).when(withdraw(Some(USER))).then_expect_events(vec![]);
}

#[test]
fn what_was_never_given_is_not_withdrawn() {
    consent().given_no_previous_events().when(withdraw(Some(USER))).then_expect_error(ConsentError::Unknown);
}

#[test]
fn a_withdrawn_consent_given_anew_holds_the_new_scopes_alone() {
    let past = vec![given(terms("read write")), withdrawn()];
    consent().given(past).when(give(terms("read"))).then_expect_events(vec![given(terms("read"))]);
}
