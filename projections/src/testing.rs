//! What the tests of the rules share: events of one stream in, row changes out.

use domain::{
    Digest, Event, StreamId, Timestamp,
    claim::AskedClaims,
    grant::{AccessToken, Approved, GrantEvent, RefreshToken, Terms},
    id::ClientId,
};
use serde_json::{Map, Value};

use crate::{Changes, Recorded, Table, changes::Row};

/// The nth id, in its text form.
pub(crate) fn id(n: u32) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

pub(crate) fn stream(aggregate_type: &'static str, n: u32) -> StreamId {
    StreamId { aggregate_type, aggregate_id: id(n).parse::<ClientId>().unwrap().uuid() }
}

/// The changes of a batch with these events of one stream.
pub(crate) fn project<E: Into<Event> + Clone>(stream: &StreamId, events: &[E]) -> Changes {
    project_with(stream, events, None)
}

/// The changes of a batch with these events of the grant that `approved` began.
pub(crate) fn project_grant(events: &[GrantEvent]) -> Changes {
    project_with(&stream("grant", 1), events, Some(&terms()))
}

fn project_with<E: Into<Event> + Clone>(stream: &StreamId, events: &[E], terms: Option<&Terms>) -> Changes {
    let mut changes = Changes::default();
    for (position, event) in (1..).zip(events) {
        let event = event.clone().into();
        crate::project(&Recorded { position, stream, event: &event, terms }, &mut changes).unwrap();
    }
    changes
}

/// A row as a JSON object.
pub(crate) fn object(row: &Row) -> Value {
    row.columns().map(|(name, value)| (name.to_owned(), value.clone())).collect::<Map<_, _>>().into()
}

/// The whole rows of a table.
pub(crate) fn puts(changes: &Changes, table: &Table) -> Vec<Value> {
    changes.puts(table).map(object).collect()
}

/// The columns to set in a table.
pub(crate) fn sets(changes: &Changes, table: &Table) -> Vec<Value> {
    changes.sets(table).map(object).collect()
}

/// The whole row with this key.
pub(crate) fn put_of(changes: &Changes, table: &Table, key: &Value) -> Value {
    puts(changes, table).into_iter().find(|row| row[table.key[0]] == *key).unwrap()
}

pub(crate) fn approved() -> GrantEvent {
    let terms = terms();
    GrantEvent::Approved(Box::new(Approved {
        client_id: terms.client_id,
        user_id: terms.user_id.unwrap(),
        session_id: terms.session_id.unwrap(),
        session_ends_at: None,
        consent_id: terms.consent_id.unwrap(),
        scope: terms.scope,
        resources: terms.resources,
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        confirmation: None,
        auth_time: Timestamp::from_unix(90),
        acr: None,
        amr: Vec::new(),
        claims: AskedClaims::default(),
        device_authorization_id: None,
        code: Digest::of(b"code"),
        code_expires_at: Timestamp::from_unix(160),
        ends_at: terms.ends_at,
        policy: "default".to_owned(),
        pos: 7,
        at: Timestamp::from_unix(100),
    }))
}

fn terms() -> Terms {
    Terms {
        client_id: id(2).parse().unwrap(),
        user_id: Some(id(3).parse().unwrap()),
        session_id: Some(id(4).parse().unwrap()),
        consent_id: Some(id(5).parse().unwrap()),
        scope: "read write".parse().unwrap(),
        resources: vec!["https://api.example".to_owned()],
        nonce: None,
        auth_time: Some(Timestamp::from_unix(90)),
        acr: Some("urn:grantlog:acr:2fa".to_owned()),
        amr: Vec::new(),
        claims: AskedClaims::default(),
        ends_at: Timestamp::from_unix(1000),
    }
}

pub(crate) fn access(secret: &str, scope: &str) -> AccessToken {
    AccessToken {
        id: id(9).parse().unwrap(),
        digest: Digest::of(secret.as_bytes()),
        scope: scope.parse().unwrap(),
        audience: Vec::new(),
        expires_at: Timestamp::from_unix(500),
        kid: Some("key".to_owned()),
        pos: 8,
        confirmation: None,
        id_token: None,
    }
}

pub(crate) fn refresh(secret: &str, generation: u32) -> RefreshToken {
    RefreshToken {
        digest: Digest::of(secret.as_bytes()),
        generation,
        expires_at: Timestamp::from_unix(900),
        pos: 8,
        confirmation: None,
    }
}
