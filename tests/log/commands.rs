//! The commands that the sentences are made of.

use cqrs_es::DomainEvent;
use domain::{
    ClientId, CommandId, Decide, Digest, Event, StreamId, Timestamp, TokenId,
    aggregate::fold,
    claim::AskedClaims,
    client::{Client, ClientEvent, ClientMetadata},
    grant::{AccessToken, Approved, ClientAuthentication, Grant, GrantEvent, RefreshToken},
};
use grantlog::log::{Actor, Append, Guard, Metadata, NewEvent, StreamAppend};
use uuid::Uuid;

pub(crate) const AT: Timestamp = Timestamp::from_unix(1_000);
pub(crate) const BY: ClientAuthentication = ClientAuthentication::ClientSecretBasic;

/// A command that writes nothing yet.
pub(crate) fn command() -> Append {
    Append {
        command_id: CommandId::new(Uuid::now_v7()),
        metadata: Metadata { actor: Actor::Operator, traceparent: None },
        streams: Vec::new(),
        guards: Vec::new(),
        claims: Vec::new(),
        vault: Vec::new(),
        ephemeral: Vec::new(),
    }
}

/// A command with events of one stream.
pub(crate) fn with(stream: StreamAppend) -> Append {
    Append { streams: vec![stream], ..command() }
}

/// Events after those that a stream holds.
pub(crate) fn events<A>(id: Uuid, before: &[A::Event], new: &[A::Event]) -> StreamAppend
where
    A: Decide,
    Event: From<A::Event>,
{
    let state: A = fold(before.iter().chain(new).cloned());
    let stored = new.iter().map(|event| NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_string(event).unwrap(),
        event: event.clone().into(),
    });
    StreamAppend {
        stream: A::stream(id),
        expected: i64::try_from(before.len()).unwrap(),
        events: stored.collect(),
        state: serde_json::to_string(&state).unwrap(),
        state_version: A::STATE_VERSION,
        terms: (&state as &dyn std::any::Any).downcast_ref::<Grant>().and_then(|grant| grant.terms().cloned()),
    }
}

pub(crate) fn client(id: Uuid) -> StreamId {
    Client::stream(id)
}

pub(crate) fn guard(id: Uuid, version: i64) -> Guard {
    Guard { stream: client(id), version }
}

/// A client's registration.
pub(crate) fn registered(name: &str) -> ClientEvent {
    let metadata = Box::new(ClientMetadata { client_name: Some(name.to_owned()), ..ClientMetadata::default() });
    ClientEvent::Registered { identifier: name.to_owned(), owner: None, metadata, by_itself: None, at: AT }
}

pub(crate) fn register(id: Uuid) -> Append {
    with(events::<Client>(id, &[], &[registered(&id.to_string())]))
}

/// One more event of a client that holds so many already.
pub(crate) fn disable(id: Uuid, version: i64) -> Append {
    let mut stream = events::<Client>(id, &[registered("app")], &[ClientEvent::Disabled { by: None, at: AT }]);
    stream.expected = version;
    with(stream)
}

/// A token that a client gets for itself: one event of a new stream.
pub(crate) fn issue(client_id: Uuid) -> Append {
    let event = GrantEvent::ClientCredentialsIssued {
        client_id: ClientId::new(client_id),
        access: access(&Uuid::now_v7().to_string()),
        authentication: BY,
        at: AT,
    };
    with(events::<Grant>(Uuid::now_v7(), &[], &[event]))
}

/// The same, standing on the client as it was at a version.
pub(crate) fn issue_guarded(client_id: Uuid, version: i64) -> Append {
    Append { guards: vec![guard(client_id, version)], ..issue(client_id) }
}

pub(crate) fn access(secret: &str) -> AccessToken {
    AccessToken {
        id: TokenId::new(Uuid::now_v7()),
        digest: Digest::of(secret.as_bytes()),
        scope: "read".parse().unwrap(),
        audience: vec!["https://api.example".to_owned()],
        expires_at: Timestamp::from_unix(4_000),
        kid: None,
        pos: 0,
        confirmation: None,
        id_token: None,
    }
}

/// An approval, its code redeemed, and so many rotations.
pub(crate) fn family(rotations: u32) -> Vec<GrantEvent> {
    let issued = GrantEvent::TokensIssued { access: access("access"), refresh: Some(refresh(1)), at: AT };
    let redeemed = GrantEvent::CodeRedeemed { code: Digest::of(b"code"), authentication: BY, at: AT };
    let mut events = vec![GrantEvent::Approved(Box::new(approved())), redeemed, issued];
    events.extend((1..=rotations).map(rotated));
    events
}

/// The rotation that a family's nth refresh token makes.
pub(crate) fn rotated(generation: u32) -> GrantEvent {
    GrantEvent::Refreshed {
        predecessor: refresh(generation).digest,
        access: access(&format!("access {generation}")),
        refresh: refresh(generation + 1),
        authentication: BY,
        at: AT,
    }
}

fn refresh(generation: u32) -> RefreshToken {
    let digest = Digest::of(format!("refresh {generation}").as_bytes());
    RefreshToken { digest, generation, expires_at: Timestamp::from_unix(9_000), pos: 0, confirmation: None }
}

fn approved() -> Approved {
    Approved {
        client_id: ClientId::new(Uuid::from_u128(1)),
        user_id: "00000000-0000-7000-8000-000000000002".parse().unwrap(),
        session_id: "00000000-0000-7000-8000-000000000003".parse().unwrap(),
        session_ends_at: None,
        consent_id: "00000000-0000-7000-8000-000000000004".parse().unwrap(),
        scope: "read".parse().unwrap(),
        resources: Vec::new(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        confirmation: None,
        auth_time: AT,
        acr: None,
        amr: Vec::new(),
        claims: AskedClaims::default(),
        device_authorization_id: None,
        code: Digest::of(b"code"),
        code_expires_at: Timestamp::from_unix(1_060),
        ends_at: Timestamp::from_unix(10_000),
        policy: "default".to_owned(),
        pos: 0,
        at: AT,
    }
}
