//! From stored events to the row changes of the live projections, outside of the append that made them: for a rebuild and a restore.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use cqrs_es::Aggregate;
use domain::{
    Event, StreamId,
    grant::{Grant, Terms},
};
use projections::{Changes, Recorded, key_list, project};
use quick_cache::unsync::Cache;
use uuid::Uuid;

use super::{
    StoredEvent,
    archive::Archive,
    connection::{Connection, on_connection},
    read,
};

/// Grants whose terms are remembered, at about 1 kB each. Those of another are read again from its first event.
const REMEMBERED: usize = 65_536;

/// Why an event has no row changes.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error("the event at position {position} cannot be projected: {cause}")]
    Event { position: i64, cause: String },
}

/// Projects stored events, in the order of their positions.
pub(super) struct Projector {
    archive: Archive,
    terms: Cache<Uuid, Arc<Terms>>,
}

/// A stored event, read.
pub(super) struct Decoded {
    pub(super) position: i64,
    pub(super) stream: StreamId,
    pub(super) event: Event,
}

impl Projector {
    pub(super) fn new(archive: Archive) -> Self {
        Self { archive, terms: Cache::new(REMEMBERED) }
    }

    /// What the events change. Each grant's first event is among them, in the store, or in its archive.
    ///
    /// # Errors
    /// That the store does not answer, or the event that cannot be projected.
    pub(super) async fn changes(&mut self, connection: &mut Connection, events: &[Decoded]) -> Result<Changes, ProjectError> {
        let terms = self.terms_of(connection, events).await?;
        let mut changes = Changes::default();
        for Decoded { position, stream, event } in events {
            let terms = terms.get(&stream.aggregate_id).map(Arc::as_ref);
            project(&Recorded { position: *position, stream, event, terms }, &mut changes)
                .map_err(|error| ProjectError::Event { position: *position, cause: error.to_string() })?;
        }
        Ok(changes)
    }

    /// The terms of the grants that issue something in these events.
    async fn terms_of(
        &mut self,
        connection: &mut Connection,
        events: &[Decoded],
    ) -> Result<HashMap<Uuid, Arc<Terms>>, ProjectError> {
        let (mut known, mut unknown) = (HashMap::new(), HashSet::new());
        for Decoded { stream, event, .. } in events {
            let Event::Grant(event) = event else { continue };
            let id = stream.aggregate_id;
            if let Some(terms) = event.terms_set().map(Arc::new) {
                self.terms.insert(id, terms.clone());
                known.insert(id, terms);
            } else if event.stands_on_terms() && !known.contains_key(&id) {
                match self.terms.get(&id) {
                    Some(terms) => drop(known.insert(id, terms.clone())),
                    None => drop(unknown.insert(id.to_string())),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(known);
        }
        let unknown: Vec<String> = unknown.into_iter().collect();
        for first in self.first_events(connection, &unknown).await? {
            let Decoded { stream, event, .. } = decode(&first)?;
            let Event::Grant(event) = event else { continue };
            let mut grant = Grant::default();
            grant.apply(event);
            if let Some(terms) = grant.terms().cloned().map(Arc::new) {
                self.terms.insert(stream.aggregate_id, terms.clone());
                known.insert(stream.aggregate_id, terms);
            }
        }
        Ok(known)
    }

    /// The first event of each of these grants.
    async fn first_events(&self, connection: &mut Connection, ids: &[String]) -> Result<Vec<StoredEvent>, sqlx::Error> {
        let dialect = connection.dialect();
        let sql = format!(
            "{} WHERE aggregate_type = 'grant' AND sequence = 1 AND aggregate_id IN {}",
            read::select(dialect),
            dialect.keys(1)
        );
        let list = key_list(ids);
        let mut found: Vec<StoredEvent> =
            on_connection!(connection, inner => sqlx::query_as(&sql).bind(list).fetch_all(inner).await)?;
        let missing: Vec<&String> = ids.iter().filter(|id| found.iter().all(|event| event.aggregate_id != **id)).collect();
        for id in missing {
            let Ok(id) = Uuid::try_parse(id) else { continue };
            let is_first = |event: &StoredEvent| event.aggregate_type == "grant" && event.sequence == 1;
            found.extend(self.archive.of_stream(id, 0, 1, is_first).await?);
        }
        Ok(found)
    }
}

/// Reads a stored event.
///
/// # Errors
/// That it cannot be read.
pub(super) fn decode(stored: &StoredEvent) -> Result<Decoded, ProjectError> {
    let refused = |cause: String| ProjectError::Event { position: stored.position, cause };
    let event = stored.event().map_err(|error| refused(error.to_string()))?;
    let stream = stored.stream(&event).map_err(|error| refused(error.to_string()))?;
    Ok(Decoded { position: stored.position, stream, event })
}
