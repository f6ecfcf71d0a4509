//! A client that registered itself changes and takes back its registration.

use serde_json::json;

use super::*;
use crate::InvitationId;

const INVITED: ByItself = ByItself::Invited { invitation_id: InvitationId::new(Uuid::from_u128(5)) };

fn token(number: u128) -> Digest {
    Digest::of(format!("token {number}").as_bytes())
}

fn token_set(number: u128, at: Timestamp) -> ClientEvent {
    ClientEvent::RegistrationTokenSet { digest: token(number), at }
}

/// What a client that registers itself in this way has behind it.
fn registered_itself(way: ByItself, metadata: ClientMetadata) -> Vec<ClientEvent> {
    let metadata = Box::new(metadata);
    let registered =
        ClientEvent::Registered { identifier: "app".to_owned(), owner: None, metadata, by_itself: Some(way), at: NOW };
    vec![registered, token_set(1, NOW)]
}

fn update_itself(presented: u128, metadata: ClientMetadata, number: Option<u128>) -> ClientCommand {
    let secret = number.map(secret);
    ClientCommand::UpdateItself { presented: token(presented), next: token(2), metadata: Box::new(metadata), secret, at: SOON }
}

fn deregister_itself(presented: u128) -> ClientCommand {
    ClientCommand::DeregisterItself { presented: token(presented), at: SOON }
}

fn deregistered(reason: DeregistrationReason) -> ClientEvent {
    ClientEvent::Deregistered { reason, at: SOON }
}

#[test]
fn a_client_that_registers_itself_says_how_and_gets_a_token() {
    let command = ClientCommand::Register {
        identifier: "app".to_owned(),
        owner: None,
        metadata: Box::new(public()),
        secret: None,
        by_itself: Some(INVITED),
        registration_token: Some(token(1)),
        at: NOW,
    };
    client().given_no_previous_events().when(command).then_expect_events(registered_itself(INVITED, public()));
}

#[test]
fn each_change_by_itself_brings_the_next_token_also_where_nothing_else_changes() {
    let past = registered_itself(ByItself::Open, public());
    client().given(past.clone()).when(update_itself(1, public(), None)).then_expect_events(vec![token_set(2, SOON)]);
    let renamed = metadata(json!({"client_name": "Other", "token_endpoint_auth_method": "none"}));
    let updated = ClientEvent::Updated { metadata: Box::new(renamed.clone()), metadata_version: 2, at: SOON };
    client().given(past).when(update_itself(1, renamed, None)).then_expect_events(vec![updated, token_set(2, SOON)]);
}

#[test]
fn a_token_that_was_used_for_a_change_is_no_token_any_more() {
    let past = [registered_itself(ByItself::Open, public()), vec![token_set(2, SOON)]].concat();
    for command in [update_itself(1, public(), None), deregister_itself(1)] {
        client().given(past.clone()).when(command).then_expect_error(ClientError::WrongRegistrationToken);
    }
    client().given(past).when(deregister_itself(2)).then_expect_events(vec![deregistered(DeregistrationReason::ByItself)]);
}

#[test]
fn a_client_that_others_registered_has_no_token() {
    for command in [update_itself(1, confidential(), None), deregister_itself(1)] {
        client().given(with_secret()).when(command).then_expect_error(ClientError::WrongRegistrationToken);
    }
}

#[test]
fn a_client_gets_a_secret_only_where_it_needs_one_and_has_none() {
    let past = registered_itself(ByItself::Open, public());
    let events = client().given(past).when(update_itself(1, confidential(), Some(7))).inspect_result().expect("events");
    assert!(events.contains(&ClientEvent::SecretAdded { secret: secret(7), at: SOON }));
    let past = [registered_itself(ByItself::Open, confidential()), vec![secret_added(1)]].concat();
    client().given(past).when(update_itself(1, confidential(), Some(7))).then_expect_events(vec![token_set(2, SOON)]);
}

#[test]
fn only_what_anybody_could_register_goes_for_want_of_use() {
    let unused = ClientCommand::DeregisterUnused { at: SOON };
    let gone = vec![deregistered(DeregistrationReason::Unused)];
    client().given(registered_itself(ByItself::Open, public())).when(unused.clone()).then_expect_events(gone);
    client().given(registered_itself(INVITED, public())).when(unused.clone()).then_expect_events(vec![]);
    client().given(with_secret()).when(unused).then_expect_events(vec![]);
}

fn of_a_document(metadata: ClientMetadata) -> ClientEvent {
    let (identifier, metadata) = ("https://app.example/client.json".to_owned(), Box::new(metadata));
    ClientEvent::Registered { identifier, owner: None, metadata, by_itself: Some(ByItself::Document), at: NOW }
}

fn update_from_document(metadata: ClientMetadata) -> ClientCommand {
    ClientCommand::UpdateFromDocument { metadata: Box::new(metadata), at: SOON }
}

#[test]
fn a_client_is_what_its_document_says_but_for_what_operators_decide() {
    client().given(vec![of_a_document(public())]).when(update_from_document(public())).then_expect_events(vec![]);
    let decided =
        json!({"token_endpoint_auth_method": "none", "resources": ["https://api.example"], "access_token_lifetime": 60});
    let (decided, said) = (metadata(decided), json!({"token_endpoint_auth_method": "none", "client_name": "Other"}));
    let updated = |metadata: ClientMetadata, metadata_version, at| ClientEvent::Updated {
        metadata: Box::new(metadata),
        metadata_version,
        at,
    };
    let past = vec![of_a_document(public()), updated(decided.clone(), 2, NOW)];
    client().given(past.clone()).when(update_from_document(public())).then_expect_events(vec![]);
    let renamed = ClientMetadata { client_name: Some("Other".to_owned()), ..decided };
    client().given(past).when(update_from_document(metadata(said))).then_expect_events(vec![updated(renamed, 3, SOON)]);
}

#[test]
fn no_document_changes_a_client_that_is_not_of_it() {
    for past in [registered_itself(ByItself::Open, public()), with_secret()] {
        client().given(past).when(update_from_document(public())).then_expect_error(ClientError::NotOfADocument);
    }
    let past = vec![of_a_document(public())];
    client().given(past).when(ClientCommand::DeregisterUnused { at: SOON }).then_expect_events(vec![]);
}

#[test]
fn nothing_brings_a_registration_back() {
    let past = registered_itself(ByItself::Open, confidential());
    let past = [past, vec![secret_added(1), deregistered(DeregistrationReason::ByItself)]].concat();
    let state = registration(past.clone());
    assert!(!state.enabled && state.secrets.is_empty() && state.registration_token.is_none());
    let enable = ClientCommand::Enable { by: None, at: LATER };
    for command in [enable, update(public()), rotate(2), revoke_secret(1)] {
        client().given(past.clone()).when(command).then_expect_error(ClientError::Deregistered);
    }
    client().given(past.clone()).when(update_itself(1, public(), None)).then_expect_error(ClientError::WrongRegistrationToken);
    client().given(past.clone()).when(register(public(), None)).then_expect_error(ClientError::Exists);
    client().given(past).when(ClientCommand::Disable { by: None, at: LATER }).then_expect_events(vec![]);
}
