//! The events that the sentences are made of.

use std::collections::BTreeSet;

use domain::{
    ClientId, Digest, Event, Sealed, StreamId, Timestamp,
    claim::AskedClaims,
    client::{ClientEvent, ClientMetadata},
    consent::{ConsentEvent, ConsentTerms, GivenBy},
    grant::{AccessToken, Approved, GrantEvent, RefreshToken, Terms},
    sealed::BlindIndex,
    session::{SessionEvent, SignIn},
    user::UserEvent,
};

pub(crate) const AT: Timestamp = Timestamp::from_unix(100);
pub(crate) const LATER: Timestamp = Timestamp::from_unix(200);
pub(crate) const APP: u32 = 2;
pub(crate) const ALICE: u32 = 3;
pub(crate) const SESSION: u32 = 4;
pub(crate) const CONSENT: u32 = 5;
pub(crate) const GRANT: u32 = 6;

/// The nth id, in its text form.
pub(crate) fn id(n: u32) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

pub(crate) fn on(aggregate_type: &'static str, n: u32, event: impl Into<Event>) -> (StreamId, Event) {
    (StreamId { aggregate_type, aggregate_id: id(n).parse::<ClientId>().unwrap().uuid() }, event.into())
}

pub(crate) fn registered(n: u32, owner: Option<u32>) -> (StreamId, Event) {
    let metadata = Box::new(ClientMetadata { client_name: Some(format!("App {n}")), ..ClientMetadata::default() });
    let owner = owner.map(|n| id(n).parse().unwrap());
    on("client", n, ClientEvent::Registered { identifier: format!("app-{n}"), owner, metadata, by_itself: None, at: AT })
}

pub(crate) fn created(n: u32, name: &str) -> (StreamId, Event) {
    let event = UserEvent::Created {
        sign_in_name: BlindIndex::new(name.to_owned()),
        profile: Sealed::new(format!("sealed {n}")),
        verified_email: None,
        administrator: true,
        has_password: true,
        at: AT,
    };
    on("user", n, event)
}

pub(crate) fn started(n: u32) -> (StreamId, Event) {
    let sign_in = SignIn {
        user_id: id(ALICE).parse().unwrap(),
        cookie: Digest::of(b"cookie"),
        auth_time: AT,
        amr: vec!["pwd".to_owned()],
        acr: None,
        expires_at: Timestamp::from_unix(1000),
    };
    on("session", n, SessionEvent::Started { sign_in, browser: None, at: AT })
}

pub(crate) fn given(scope: &str, at: Timestamp) -> (StreamId, Event) {
    let terms = ConsentTerms {
        user_id: id(ALICE).parse().unwrap(),
        client_id: id(APP).parse().unwrap(),
        scope: scope.parse().unwrap(),
        resources: Vec::new(),
        client_version: 1,
        catalogue_version: 1,
        given_by: GivenBy::User,
        claims: BTreeSet::new(),
    };
    on("consent", CONSENT, ConsentEvent::Given { terms, at })
}

pub(crate) fn terms() -> Terms {
    Terms {
        client_id: id(APP).parse().unwrap(),
        user_id: Some(id(ALICE).parse().unwrap()),
        session_id: Some(id(SESSION).parse().unwrap()),
        consent_id: Some(id(CONSENT).parse().unwrap()),
        scope: "read".parse().unwrap(),
        resources: Vec::new(),
        nonce: None,
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        claims: AskedClaims::default(),
        ends_at: Timestamp::from_unix(1000),
    }
}

pub(crate) fn approved() -> (StreamId, Event) {
    let terms = terms();
    let approved = Approved {
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
        auth_time: AT,
        acr: None,
        amr: Vec::new(),
        claims: AskedClaims::default(),
        device_authorization_id: None,
        code: Digest::of(b"code"),
        code_expires_at: Timestamp::from_unix(160),
        ends_at: terms.ends_at,
        policy: "default".to_owned(),
        pos: 0,
        at: AT,
    };
    on("grant", GRANT, GrantEvent::Approved(Box::new(approved)))
}

pub(crate) fn access(secret: &str, pos: i64) -> AccessToken {
    AccessToken {
        id: id(9).parse().unwrap(),
        digest: Digest::of(secret.as_bytes()),
        scope: "read".parse().unwrap(),
        audience: vec!["https://api.example".to_owned()],
        expires_at: Timestamp::from_unix(500),
        kid: Some("key".to_owned()),
        pos,
        confirmation: None,
        id_token: None,
    }
}

pub(crate) fn refresh(secret: &str, generation: u32, pos: i64) -> RefreshToken {
    RefreshToken {
        digest: Digest::of(secret.as_bytes()),
        generation,
        expires_at: Timestamp::from_unix(900),
        pos,
        confirmation: None,
    }
}

pub(crate) fn issued(secret: &str, pos: i64) -> (StreamId, Event) {
    on("grant", GRANT, GrantEvent::TokensIssued { access: access(secret, pos), refresh: None, at: AT })
}
