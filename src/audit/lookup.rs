//! One grant out of the log: its own events, and those of what it stands on.

use domain::{Decide, Event, GrantId, StreamId, event::AGGREGATE_TYPES, grant::Grant, id::THE_ONLY, key_set::KeySet};
use uuid::Uuid;

use crate::log::{Log, StoredEvent};

use super::{AuditError, Facts, Folding, GrantRecord, Place, fold::Step, replay::actor};

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
        Ok(Self { place: Place::of(stored), stream, event, by: actor(stored) })
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

/// A grant with all that it stands on.
#[derive(Debug)]
pub struct GrantFile {
    pub record: GrantRecord,
    /// What happened to it and to what it stands on, in order.
    pub events: Vec<Told>,
}

/// Everything of a grant; `None` where there is none of this id.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn grant(log: &Log, id: GrantId) -> Result<Option<GrantFile>, AuditError> {
    let mut events = history(log, &[Grant::stream(id.uuid()).aggregate_type], id.uuid()).await?;
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
    let others: Vec<&str> = AGGREGATE_TYPES.into_iter().filter(|name| *name != KeySet::stream(THE_ONLY).aggregate_type).collect();
    for stream in folding.stands_on().collect::<Vec<_>>() {
        events.extend(history(log, &others, stream).await?);
    }
    let keys = KeySet::stream(THE_ONLY);
    events.extend(history(log, &[keys.aggregate_type], keys.aggregate_id).await?);
    events.sort_by_key(|told| told.place.position);
    let mut facts = Facts::default();
    for told in &events {
        facts.note(&told.event, told.stream.aggregate_id, told.place, &told.by);
    }
    Ok(Some(GrantFile { record: folding.record(&facts), events }))
}
