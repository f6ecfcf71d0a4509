//! What a grant's record needs to know beside the grant's own events: what became of its client, user, session and consent, of the
//! keys and of the issuer.

use std::collections::HashMap;

use domain::{
    Event, Timestamp,
    client::{ClientEvent, ClientMetadata},
    cutoff::{Cause, Subject},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{End, Place};

/// Something that happened to what grants stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub position: i64,
    pub at: Timestamp,
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A client said this of itself from then on. Its `client_id` is told once.
    Described { identifier: Option<String>, name: Option<String>, version: u32 },
    /// All that was issued before is dead.
    Ended { cause: Cause, by: String },
}

/// The facts that are known, in the order of their positions.
#[derive(Debug, Default)]
pub struct Facts {
    /// By the id of a client, user, session or consent.
    pub of_streams: HashMap<Uuid, Vec<Fact>>,
    pub of_issuer: IssuerFacts,
}

/// What happened to the issuer itself: little, however long the log is.
#[derive(Clone, Debug, Default)]
pub struct IssuerFacts {
    pub keys_retired: Vec<(String, Fact)>,
    pub restored: Vec<Fact>,
}

/// Whom a fact is about.
pub(super) enum About {
    Stream(Uuid),
    Key(String),
    Issuer,
}

impl Fact {
    /// The fact in an event of `stream`, if grants need it. `actor` is asked for who did it where that matters.
    pub(super) fn of(event: &Event, stream: Uuid, place: Place, actor: impl FnOnce() -> String) -> Option<(About, Self)> {
        let Place { position, at } = place;
        if let Event::Client(event) = event
            && let Some(what) = described(event)
        {
            return Some((About::Stream(stream), Self { position, at, what }));
        }
        let cutoff = event.cutoff()?;
        let about = match cutoff.subject {
            Subject::Client | Subject::User | Subject::Session | Subject::Consent => About::Stream(stream),
            Subject::Key(kid) => About::Key(kid.to_owned()),
            Subject::Issuer => About::Issuer,
            Subject::Grant { .. } => return None,
        };
        Some((about, Self { position, at, what: What::Ended { cause: cutoff.cause, by: actor() } }))
    }
}

impl Fact {
    fn end(&self) -> Option<End> {
        match &self.what {
            What::Described { .. } => None,
            What::Ended { cause, by } => {
                Some(End { place: Place { position: self.position, at: self.at }, cause: *cause, by: by.clone() })
            }
        }
    }
}

fn described(event: &ClientEvent) -> Option<What> {
    let (identifier, metadata, version): (_, &ClientMetadata, _) = match event {
        ClientEvent::Registered { identifier, metadata, .. } => (Some(identifier.clone()), metadata, 1),
        ClientEvent::Updated { metadata, metadata_version, .. } => (None, metadata, *metadata_version),
        ClientEvent::SecretAdded { .. }
        | ClientEvent::SecretExpirySet { .. }
        | ClientEvent::Disabled { .. }
        | ClientEvent::Enabled { .. }
        | ClientEvent::RegistrationTokenSet { .. }
        | ClientEvent::Deregistered { .. } => return None,
    };
    Some(What::Described { identifier, name: metadata.client_name.clone(), version })
}

impl IssuerFacts {
    pub(super) fn note_key(&mut self, kid: String, fact: Fact) {
        self.keys_retired.push((kid, fact));
    }

    pub(super) fn note(&mut self, fact: Fact) {
        self.restored.push(fact);
    }
}

impl Facts {
    /// What is known of a stream.
    pub(super) fn of(&self, stream: Uuid) -> &[Fact] {
        self.of_streams.get(&stream).map(Vec::as_slice).unwrap_or_default()
    }

    /// What first ended, after `pos`, all that stands on these streams and was signed by this key.
    pub(super) fn end(&self, streams: impl Iterator<Item = Uuid>, kid: Option<&str>, pos: i64) -> Option<End> {
        let of_key = self.of_issuer.keys_retired.iter().filter(|(retired, _)| Some(retired.as_str()) == kid);
        let wide = self.of_issuer.restored.iter().chain(of_key.map(|(_, fact)| fact));
        let ends = streams.flat_map(|stream| self.of(stream)).chain(wide).filter_map(Fact::end);
        ends.filter(|end| end.place.position > pos).min_by_key(|end| end.place.position)
    }

    /// Takes note of an event, if grants need it.
    pub fn note(&mut self, event: &Event, stream: Uuid, place: Place, actor: &str) {
        let Some((about, fact)) = Fact::of(event, stream, place, || actor.to_owned()) else { return };
        match about {
            About::Stream(stream) => self.of_streams.entry(stream).or_default().push(fact),
            About::Key(kid) => self.of_issuer.note_key(kid, fact),
            About::Issuer => self.of_issuer.note(fact),
        }
    }
}
