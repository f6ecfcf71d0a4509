//! Every event of every aggregate, as the log and the projections meet them.

use cqrs_es::{Aggregate, DomainEvent};
use serde::Serialize;

use crate::{
    audit::{Audit, AuditEvent},
    catalogue::{Catalogue, CatalogueEvent},
    client::{Client, ClientEvent},
    consent::{Consent, ConsentEvent},
    device_authorization::{DeviceAuthorization, DeviceAuthorizationEvent},
    grant::{Grant, GrantEvent},
    invitation::{Invitation, InvitationEvent},
    key_set::{KeySet, KeySetEvent},
    session::{Session, SessionEvent},
    user::{User, UserEvent},
};

/// The types of all aggregates, as in `StreamId`.
pub const AGGREGATE_TYPES: [&str; 10] = [
    Client::TYPE,
    User::TYPE,
    Session::TYPE,
    Consent::TYPE,
    Grant::TYPE,
    KeySet::TYPE,
    Catalogue::TYPE,
    Audit::TYPE,
    Invitation::TYPE,
    DeviceAuthorization::TYPE,
];

/// Any event. It is written as it is stored; `upcast::decode` reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    Client(ClientEvent),
    User(UserEvent),
    Session(SessionEvent),
    Consent(ConsentEvent),
    Grant(GrantEvent),
    KeySet(KeySetEvent),
    Catalogue(CatalogueEvent),
    Audit(AuditEvent),
    Invitation(InvitationEvent),
    DeviceAuthorization(DeviceAuthorizationEvent),
}

macro_rules! from_aggregate {
    ($($variant:ident($event:ty)),+ $(,)?) => {$(
        impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        }
    )+};
}

from_aggregate! {
    Client(ClientEvent), User(UserEvent), Session(SessionEvent), Consent(ConsentEvent), Grant(GrantEvent),
    KeySet(KeySetEvent), Catalogue(CatalogueEvent), Audit(AuditEvent), Invitation(InvitationEvent),
    DeviceAuthorization(DeviceAuthorizationEvent),
}

macro_rules! of_the_event {
    ($event:expr, $inner:ident => $answer:expr) => {
        match $event {
            Event::Client($inner) => $answer,
            Event::User($inner) => $answer,
            Event::Session($inner) => $answer,
            Event::Consent($inner) => $answer,
            Event::Grant($inner) => $answer,
            Event::KeySet($inner) => $answer,
            Event::Catalogue($inner) => $answer,
            Event::Audit($inner) => $answer,
            Event::Invitation($inner) => $answer,
            Event::DeviceAuthorization($inner) => $answer,
        }
    };
}

impl Event {
    /// As it is stored, for example `grant.refreshed`.
    #[must_use]
    pub fn event_type(&self) -> String {
        of_the_event!(self, event => event.event_type())
    }

    /// The version of its stored form.
    #[must_use]
    pub fn event_version(&self) -> String {
        of_the_event!(self, event => event.event_version())
    }

    /// The type of the aggregate that it happened to, as in `StreamId`.
    #[must_use]
    pub const fn aggregate_type(&self) -> &'static str {
        match self {
            Self::Client(_) => Client::TYPE,
            Self::User(_) => User::TYPE,
            Self::Session(_) => Session::TYPE,
            Self::Consent(_) => Consent::TYPE,
            Self::Grant(_) => Grant::TYPE,
            Self::KeySet(_) => KeySet::TYPE,
            Self::Catalogue(_) => Catalogue::TYPE,
            Self::Audit(_) => Audit::TYPE,
            Self::Invitation(_) => Invitation::TYPE,
            Self::DeviceAuthorization(_) => DeviceAuthorization::TYPE,
        }
    }
}
