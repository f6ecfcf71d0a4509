//! The rules of a client: registration, secrets, disabling. What its metadata must satisfy has files of its own.

mod certificate;
mod metadata;
mod other_members;
mod protection;
mod self_service;

use cqrs_es::test::TestFramework;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{Digest, SecretId, Timestamp, UserId, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);
const SOON: Timestamp = Timestamp::from_unix(2_000);
const LATER: Timestamp = Timestamp::from_unix(3_000);
const OWNER: UserId = UserId::new(Uuid::from_u128(9));

fn client() -> TestFramework<Client> {
    TestFramework::with(())
}

/// Metadata as it comes in, with these members in place of the ordinary ones.
fn metadata(members: serde_json::Value) -> ClientMetadata {
    let mut all = json!({"client_name": "App", "redirect_uris": ["https://app.example/cb"], "scope": "read"});
    if let (Some(all), serde_json::Value::Object(members)) = (all.as_object_mut(), members) {
        all.extend(members);
    }
    serde_json::from_value(all).expect("metadata")
}

fn confidential() -> ClientMetadata {
    metadata(json!({}))
}

fn public() -> ClientMetadata {
    metadata(json!({"token_endpoint_auth_method": "none"}))
}

fn secret(number: u128) -> ClientSecret {
    let id = SecretId::new(Uuid::from_u128(number));
    ClientSecret { id, digest: Some(Digest::of(&number.to_be_bytes())), expires_at: None }
}

fn registered(metadata: ClientMetadata) -> ClientEvent {
    ClientEvent::Registered {
        identifier: "app".to_owned(),
        owner: Some(OWNER),
        metadata: Box::new(metadata),
        by_itself: None,
        at: NOW,
    }
}

fn secret_added(number: u128) -> ClientEvent {
    ClientEvent::SecretAdded { secret: secret(number), at: NOW }
}

fn secret_ends(number: u128, expires_at: Timestamp, at: Timestamp) -> ClientEvent {
    ClientEvent::SecretExpirySet { secret_id: secret(number).id, expires_at, at }
}

fn with_secret() -> Vec<ClientEvent> {
    vec![registered(confidential()), secret_added(1)]
}

fn register(metadata: ClientMetadata, secret: Option<ClientSecret>) -> ClientCommand {
    register_as("app", metadata, secret)
}

fn register_as(identifier: &str, metadata: ClientMetadata, secret: Option<ClientSecret>) -> ClientCommand {
    ClientCommand::Register {
        identifier: identifier.to_owned(),
        owner: Some(OWNER),
        metadata: Box::new(metadata),
        secret,
        by_itself: None,
        registration_token: None,
        at: NOW,
    }
}

fn update(metadata: ClientMetadata) -> ClientCommand {
    ClientCommand::Update { metadata: Box::new(metadata), at: SOON }
}

fn rotate(number: u128) -> ClientCommand {
    ClientCommand::RotateSecret { secret: secret(number), others_expire_at: LATER, at: SOON }
}

fn revoke_secret(number: u128) -> ClientCommand {
    ClientCommand::RevokeSecret { secret_id: secret(number).id, at: SOON }
}

fn registration(events: Vec<ClientEvent>) -> Registration {
    match fold(events) {
        Client::Absent => panic!("not registered"),
        Client::Registered(registration) => *registration,
    }
}

#[test]
fn a_confidential_client_is_registered_with_its_secret() {
    client().given_no_previous_events().when(register(confidential(), Some(secret(1)))).then_expect_events(with_secret());
}

#[test]
fn a_public_client_is_registered_without_a_secret() {
    client().given_no_previous_events().when(register(public(), None)).then_expect_events(vec![registered(public())]);
}

#[test]
fn a_public_client_gets_no_secret_at_registration() {
    let command = register(public(), Some(secret(1)));
    client().given_no_previous_events().when(command).then_expect_error(ClientError::PublicClient);
}

#[test]
fn a_client_is_registered_once() {
    client().given(with_secret()).when(register(confidential(), None)).then_expect_error(ClientError::Exists);
}

#[test]
fn a_client_id_is_printable_and_bounded() {
    for identifier in ["", "an app", "app\n", "\u{e9}", "a".repeat(256).as_str()] {
        let command = register_as(identifier, confidential(), None);
        let refused = client().given_no_previous_events().when(command).inspect_result();
        assert!(matches!(refused, Err(ClientError::InvalidMetadata(why)) if why.contains("client_id")), "{identifier:?}");
    }
}

#[test]
fn a_client_with_bad_metadata_is_not_registered() {
    let metadata = metadata(json!({"redirect_uris": ["https://app.example/cb#fragment"]}));
    let refused = client().given_no_previous_events().when(register(metadata.clone(), None)).inspect_result();
    assert!(matches!(refused, Err(ClientError::InvalidRedirectUri(_))));
    let refused = client().given(with_secret()).when(update(metadata)).inspect_result();
    assert!(matches!(refused, Err(ClientError::InvalidRedirectUri(_))));
}

#[test]
fn what_no_standard_names_is_not_stored() {
    let metadata = metadata(json!({"client_secret": "x", "favourite_colour": "blue"}));
    let command = register(metadata, Some(secret(1)));
    client().given_no_previous_events().when(command).then_expect_events(with_secret());
}

#[test]
fn metadata_is_replaced() {
    let renamed = metadata(json!({"client_name": "Other"}));
    let updated = ClientEvent::Updated { metadata: Box::new(renamed.clone()), metadata_version: 2, at: SOON };
    client().given(with_secret()).when(update(renamed.clone())).then_expect_events(vec![updated.clone()]);
    let registration = registration(vec![registered(confidential()), updated]);
    assert_eq!((registration.metadata, registration.metadata_version), (renamed, 2));
}

#[test]
fn the_same_metadata_changes_nothing() {
    client().given(with_secret()).when(update(confidential())).then_expect_events(vec![]);
}

#[test]
fn a_client_that_becomes_public_loses_its_secrets() {
    let updated = ClientEvent::Updated { metadata: Box::new(public()), metadata_version: 2, at: SOON };
    client().given(with_secret()).when(update(public())).then_expect_events(vec![updated, secret_ends(1, SOON, SOON)]);
}

#[test]
fn a_rotation_lets_the_old_secret_work_for_a_while() {
    let added = ClientEvent::SecretAdded { secret: secret(2), at: SOON };
    client().given(with_secret()).when(rotate(2)).then_expect_events(vec![added.clone(), secret_ends(1, LATER, SOON)]);
    let registration = registration([with_secret(), vec![added, secret_ends(1, LATER, SOON)]].concat());
    assert_eq!(registration.usable_secrets(SOON).count(), 2);
    assert!(registration.usable_secrets(LATER).eq([&secret(2)]));
}

#[test]
fn a_rotation_lengthens_no_secrets_life() {
    let past = [with_secret(), vec![secret_ends(1, SOON.plus(1), NOW)]].concat();
    let added = ClientEvent::SecretAdded { secret: secret(2), at: SOON };
    client().given(past).when(rotate(2)).then_expect_events(vec![added]);
}

#[test]
fn a_rotation_ends_the_oldest_of_too_many_secrets() {
    let past: Vec<_> = [registered(confidential())].into_iter().chain((1..=10).map(secret_added)).collect();
    let events = client().given(past).when(rotate(11)).inspect_result().expect("events");
    assert!(events.contains(&secret_ends(1, SOON, SOON)) && events.contains(&secret_ends(2, LATER, SOON)));
}

#[test]
fn expired_secrets_are_forgotten_when_another_is_added() {
    let added = ClientEvent::SecretAdded { secret: secret(2), at: SOON };
    let registration = registration([with_secret(), vec![secret_ends(1, SOON, NOW), added]].concat());
    assert_eq!(registration.secrets, [secret(2)]);
}

#[test]
fn a_public_client_gets_no_secret_by_rotation() {
    client().given(vec![registered(public())]).when(rotate(2)).then_expect_error(ClientError::PublicClient);
}

#[test]
fn one_secret_is_revoked_at_once() {
    client().given(with_secret()).when(revoke_secret(1)).then_expect_events(vec![secret_ends(1, SOON, SOON)]);
}

#[test]
fn a_secret_that_has_expired_is_not_revoked_again() {
    let past = [with_secret(), vec![secret_ends(1, SOON, SOON)]].concat();
    client().given(past).when(revoke_secret(1)).then_expect_events(vec![]);
}

#[test]
fn a_secret_that_is_not_there_is_not_revoked() {
    client().given(with_secret()).when(revoke_secret(2)).then_expect_error(ClientError::UnknownSecret);
}

#[test]
fn a_client_is_disabled_and_enabled() {
    let disabled = ClientEvent::Disabled { by: None, at: SOON };
    client().given(with_secret()).when(ClientCommand::Disable { by: None, at: SOON }).then_expect_events(vec![disabled.clone()]);
    let past = [with_secret(), vec![disabled]].concat();
    let enabled = ClientEvent::Enabled { at: LATER };
    client().given(past).when(ClientCommand::Enable { by: None, at: LATER }).then_expect_events(vec![enabled]);
}

#[test]
fn a_disabled_client_is_not_disabled_again_nor_an_enabled_one_enabled() {
    let past = [with_secret(), vec![ClientEvent::Disabled { by: None, at: SOON }]].concat();
    client().given(past).when(ClientCommand::Disable { by: None, at: LATER }).then_expect_events(vec![]);
    client().given(with_secret()).when(ClientCommand::Enable { by: None, at: LATER }).then_expect_events(vec![]);
}

#[test]
fn an_owner_enables_what_the_owner_disabled() {
    let disabled = ClientEvent::Disabled { by: Some(OWNER), at: SOON };
    let disable = ClientCommand::Disable { by: Some(OWNER), at: SOON };
    client().given(with_secret()).when(disable).then_expect_events(vec![disabled.clone()]);
    let past = [with_secret(), vec![disabled]].concat();
    let enabled = ClientEvent::Enabled { at: LATER };
    client().given(past).when(ClientCommand::Enable { by: Some(OWNER), at: LATER }).then_expect_events(vec![enabled]);
}

#[test]
fn an_owner_does_not_enable_what_an_operator_disabled() {
    let (own, operators) = (ClientEvent::Disabled { by: Some(OWNER), at: SOON }, ClientEvent::Disabled { by: None, at: LATER });
    let past = [with_secret(), vec![own]].concat();
    client().given(past.clone()).when(ClientCommand::Disable { by: None, at: LATER }).then_expect_events(vec![operators.clone()]);
    for past in [[past, vec![operators.clone()]].concat(), [with_secret(), vec![operators]].concat()] {
        let again = client().given(past.clone()).when(ClientCommand::Disable { by: Some(OWNER), at: LATER });
        again.then_expect_events(vec![]);
        let enable = client().given(past).when(ClientCommand::Enable { by: Some(OWNER), at: LATER });
        enable.then_expect_error(ClientError::DisabledByOperator);
    }
}

#[test]
fn an_unknown_client_cannot_change() {
    let (disable, enable) = (ClientCommand::Disable { by: None, at: SOON }, ClientCommand::Enable { by: None, at: SOON });
    for command in [update(confidential()), rotate(2), revoke_secret(1), disable, enable] {
        client().given_no_previous_events().when(command).then_expect_error(ClientError::Unknown);
    }
}

#[test]
fn pkce_is_required_of_all_but_confidential_compatible_clients() {
    let requires = |metadata| registration(vec![registered(metadata)]).requires_pkce();
    assert!(requires(confidential()) && requires(public()));
    assert!(requires(metadata(json!({"policy": "compatible", "token_endpoint_auth_method": "none"}))));
    assert!(!requires(metadata(json!({"policy": "compatible"}))));
}

#[test]
fn a_client_may_use_what_it_is_registered_for() {
    let registration = registration(with_secret());
    assert!(registration.may_use(GrantType::AuthorizationCode) && !registration.may_use(GrantType::ClientCredentials));
}

#[test]
fn only_a_confidential_web_client_proves_who_it_is() {
    let proven = |metadata| registration(vec![registered(metadata)]).has_proven_identity();
    assert!(proven(confidential()));
    assert!(!proven(public()) && !proven(metadata(json!({"application_type": "native"}))));
}

#[test]
fn the_state_is_stored_and_read_alike() {
    let state: Client = fold(vec![registered(metadata(json!({"contacts": ["a@app.example"]}))), secret_added(1)]);
    let stored = serde_json::to_string(&state).expect("written");
    assert_eq!(serde_json::from_str::<Client>(&stored).expect("read"), state);
}
