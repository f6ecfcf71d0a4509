//! One grant out of the log: its own events, and those of what it stands on.

use cqrs_es::Aggregate;
use domain::{
    ClientId, DeviceAuthorizationId, Event, GrantId, StreamId,
    audit::{Question, Read},
    client::{Client, ClientEvent},
    consent::Consent,
    device_authorization::DeviceAuthorization,
    grant::{Grant, GrantEvent},
    id::THE_ONLY,
    key_set::{KeySet, KeySetEvent},
    session::Session,
    user::User,
};
use uuid::Uuid;

use crate::log::{Log, StoredEvent};

use super::{AuditError, Facts, Folding, GrantRecord, Place, Token, family::family, step::Step};

/// Events of a stream read at a time.
const PAGE: u32 = 1_000;

/// An event out of the log, read.
#[derive(Clone, Debug)]
pub struct Told {
    pub place: Place,
    pub stream: StreamId,
    pub event: Event,
    /// `system`, `operator`, or `user:`, `client:`, `administrator:` and an id.
    pub by: String,
}

impl Told {
    /// Reads a stored event.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn of(stored: &StoredEvent) -> Result<Self, AuditError> {
        let unreadable = |cause: String| AuditError::Event { position: stored.position, cause };
        let event = stored.event().map_err(|error| unreadable(error.to_string()))?;
        let stream = stored.stream(&event).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { place: Place::of(stored), stream, event, by: stored.actor() })
    }
}

/// All that happened in the streams of these types with an id, in order.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn history(log: &Log, types: &[&str], id: Uuid) -> Result<Vec<Told>, AuditError> {
    let (mut told, mut after) = (Vec::new(), 0);
    loop {
        let page = log.history(types, id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(told) };
        after = last.position;
        for stored in &page {
            told.push(Told::of(stored)?);
        }
    }
}

/// A grant with all that belongs to it.
#[derive(Debug)]
pub struct GrantFile {
    pub record: GrantRecord,
    /// What happened to it and to what it stands on, as far as that concerns it, in order.
    pub events: Vec<Told>,
    /// Its codes and tokens, in the order in which they were issued.
    pub tokens: Vec<Token>,
}

impl GrantFile {
    /// What is remembered of whoever is told it.
    #[must_use]
    pub fn read(&self, question: Question) -> Read {
        let GrantRecord { grant_id, user_id, client, .. } = &self.record;
        Read { grant_id: Some(*grant_id), user_id: *user_id, client_id: client.id, ..Read::of(question) }
    }
}

/// Everything of a grant; `None` where there is none of this id.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn grant(log: &Log, id: GrantId) -> Result<Option<GrantFile>, AuditError> {
    let mut events = history(log, &[Grant::TYPE], id.uuid()).await?;
    let mut folding: Option<Folding> = None;
    for told in &events {
        let Event::Grant(event) = &told.event else { continue };
        let step = Step::of(event, id.uuid(), told.place, || told.by.clone());
        match &mut folding {
            Some(folding) => folding.take(step),
            None => folding = Folding::begin(step),
        }
    }
    let Some(folding) = folding else { return Ok(None) };
    let mut others = around(log, &folding, &events).await?;
    if let Some(device) = device(&events) {
        others.extend(history(log, &[DeviceAuthorization::TYPE], device.uuid()).await?);
    }
    let mut facts = Facts::default();
    for told in &others {
        facts.note(&told.event, told.stream.aggregate_id, told.place, &told.by);
    }
    let tokens = family(&events, folding.grounds(), &facts);
    let record = folding.record(&facts);
    events.extend(concerning(others, &record, &tokens));
    events.sort_by_key(|told| told.place.position);
    Ok(Some(GrantFile { record, events, tokens }))
}

/// By which a device asked for what a grant's own events say.
fn device(events: &[Told]) -> Option<DeviceAuthorizationId> {
    events.iter().find_map(|told| {
        let Event::Grant(GrantEvent::Approved(approved)) = &told.event else { return None };
        approved.device_authorization_id
    })
}

/// All that happened to what a grant stands on, to the sign-in in which it was approved, and to whom its tokens were exchanged for, in order.
async fn around(log: &Log, folding: &Folding, own: &[Told]) -> Result<Vec<Told>, AuditError> {
    let hands = own.iter().flat_map(|told| match &told.event {
        Event::Grant(GrantEvent::TokenExchanged(exchanged)) => [&[exchanged.client_id], exchanged.through.as_slice()].concat(),
        _ => Vec::new(),
    });
    let mut streams: Vec<Uuid> = folding.grounds().streams().chain(folding.session()).collect();
    streams.extend(hands.map(ClientId::uuid));
    streams.sort_unstable();
    streams.dedup();
    let mut events = history(log, &[KeySet::TYPE], THE_ONLY).await?;
    for stream in streams {
        events.extend(history(log, &[Client::TYPE, User::TYPE, Session::TYPE, Consent::TYPE], stream).await?);
    }
    events.sort_by_key(|told| told.place.position);
    Ok(events)
}

/// Those of the events that concern the grant: what it was approved to, what signed its tokens, and what ended any of that.
fn concerning(events: Vec<Told>, record: &GrantRecord, tokens: &[Token]) -> Vec<Told> {
    let begun = record.begun.position;
    let described = |event: &ClientEvent| matches!(event, ClientEvent::Registered { .. } | ClientEvent::Updated { .. });
    let its_client = |told: &&Told| record.client.id.is_some_and(|id| told.stream.aggregate_id == id.uuid());
    let of_version = events
        .iter()
        .filter(its_client)
        .rfind(|told| told.place.position < begun && matches!(&told.event, Event::Client(event) if described(event)));
    let of_version = of_version.map(|told| told.place.position);
    let signed = |kid: &str| tokens.iter().any(|token| token.kid.as_deref() == Some(kid));
    let concerns = |told: &Told| {
        let ends_it = told.place.position > begun && told.event.cutoff().is_some();
        match &told.event {
            Event::Grant(_) | Event::Session(_) | Event::Consent(_) | Event::DeviceAuthorization(_) => true,
            Event::Client(_) => ends_it || Some(told.place.position) == of_version,
            Event::User(_) => ends_it,
            Event::KeySet(event) => match event {
                KeySetEvent::Added { key, .. } => signed(&key.kid),
                KeySetEvent::Activated { kid, .. } | KeySetEvent::Retired { kid, .. } => signed(kid),
                KeySetEvent::EpochBegun { .. } => ends_it,
            },
            Event::Catalogue(_) | Event::Audit(_) | Event::Invitation(_) => false,
        }
    };
    events.into_iter().filter(concerns).collect()
}
