//! The replay: the whole log, read once by position while it is folded, and then every grant in the order of the ids.

use std::collections::{BTreeMap, HashSet};

use domain::Event;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::log::{Log, StoredEvent, Unavailable};

use super::{
    AuditError, Fact, Facts, Folding, GrantRecord, Place,
    fact::{About, IssuerFacts},
    spill::{Buckets, FactStore},
    step::Step,
};

/// How much a replay keeps in memory.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events read at a time.
    pub page: u32,
    /// Grants of a bucket: so many are folded at a time.
    pub grants: usize,
    /// Bytes of steps that wait to be written.
    pub waiting: usize,
    /// Facts about clients, users, sessions and consents.
    pub facts: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { page: 4_096, grants: 16_384, waiting: 16 << 20, facts: 200_000 }
    }
}

/// Pages that are read ahead while one is folded.
const AHEAD: usize = 2;

/// Folds a log, event by event.
pub struct Replay {
    buckets: Buckets,
    facts: FactStore,
    issuer: IssuerFacts,
}

/// A log that was read: its grants can be told.
pub struct Replayed {
    replay: Replay,
    next: usize,
}

impl Replay {
    /// Begins a replay.
    ///
    /// # Errors
    /// That there is no place for its files.
    pub fn new(bounds: Bounds) -> Result<Self, AuditError> {
        let buckets = Buckets::new(bounds.grants, bounds.waiting)?;
        Ok(Self { buckets, facts: FactStore::new(bounds.facts)?, issuer: IssuerFacts::default() })
    }

    /// Reads a log from its beginning to a position. `progress` is told the position that it has come to.
    ///
    /// # Errors
    /// That the store does not answer, an event cannot be read, or a file cannot be written.
    pub async fn read(
        log: &Log,
        until: i64,
        bounds: Bounds,
        progress: &mut (dyn FnMut(i64) + Send),
    ) -> Result<Replayed, AuditError> {
        let mut replay = Self::new(bounds)?;
        let mut pages = read_ahead(log.clone(), (0, until), bounds.page);
        while let Some(page) = pages.recv().await {
            for stored in &page? {
                replay.take(stored)?;
                progress(stored.position);
            }
        }
        Ok(Replayed { replay, next: 0 })
    }

    fn take(&mut self, stored: &StoredEvent) -> Result<(), AuditError> {
        let unreadable = |cause: String| AuditError::Event { position: stored.position, cause };
        let event = stored.event().map_err(|error| unreadable(error.to_string()))?;
        let stream = stored.stream(&event).map_err(|error| unreadable(error.to_string()))?.aggregate_id;
        let place = Place::of(stored);
        if let Event::Grant(event) = &event {
            let step = Step::of(event, stream, place, || stored.actor());
            return Ok(self.buckets.add(&step)?);
        }
        match Fact::of(&event, stream, place, || stored.actor()) {
            Some((About::Stream(stream), fact)) => self.facts.add(stream, fact)?,
            Some((About::Key(kid), fact)) => self.issuer.note_key(kid, fact),
            Some((About::Issuer, fact)) => self.issuer.note(fact),
            None => {}
        }
        Ok(())
    }
}

/// Reads the events after a position and up to another, some pages ahead of whoever takes them.
pub(super) fn read_ahead(
    log: Log,
    (mut after, until): (i64, i64),
    page: u32,
) -> mpsc::Receiver<Result<Vec<StoredEvent>, Unavailable>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while after < until {
            let left = u32::try_from(until - after).unwrap_or(u32::MAX);
            let events = log.read(after, left.min(page)).await;
            let last = events.as_ref().ok().and_then(|events| events.last()).map(|last| last.position);
            if sender.send(events).await.is_err() {
                return;
            }
            let Some(last) = last else { return };
            after = last;
        }
    });
    receiver
}

impl Replayed {
    /// The next grants, in the order of their ids; `None` after the last.
    ///
    /// # Errors
    /// That a file cannot be read, or the log does not hold a grant's beginning.
    pub fn next_grants(&mut self) -> Result<Option<Vec<GrantRecord>>, AuditError> {
        let Replay { buckets, facts, issuer } = &mut self.replay;
        if self.next == buckets.count() {
            return Ok(None);
        }
        let mut grants: BTreeMap<Uuid, Folding> = BTreeMap::new();
        let mut steps = buckets.read(self.next)?;
        self.next += 1;
        while let Some(step) = steps.next()? {
            match grants.get_mut(&step.grant) {
                Some(grant) => grant.take(step),
                None => {
                    let (id, position) = (step.grant, step.position);
                    let cause = || AuditError::Event { position, cause: format!("the beginning of the grant {id} is missing") };
                    grants.insert(id, Folding::begin(step).ok_or_else(cause)?);
                }
            }
        }
        let streams: HashSet<Uuid> = grants.values().flat_map(|grant| grant.grounds().streams()).collect();
        let facts = Facts { of_streams: facts.of(&streams)?, of_issuer: issuer.clone() };
        Ok(Some(grants.into_values().map(|grant| grant.record(&facts)).collect()))
    }
}
