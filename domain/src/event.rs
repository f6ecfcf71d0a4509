//! Every event of every aggregate, as the log and the projections meet them.

use crate::{
    catalogue::CatalogueEvent, client::ClientEvent, consent::ConsentEvent, grant::GrantEvent, key_set::KeySetEvent,
    session::SessionEvent, user::UserEvent,
};

/// Any event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Client(ClientEvent),
    User(UserEvent),
    Session(SessionEvent),
    Consent(ConsentEvent),
    Grant(GrantEvent),
    KeySet(KeySetEvent),
    Catalogue(CatalogueEvent),
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
    KeySet(KeySetEvent), Catalogue(CatalogueEvent),
}
