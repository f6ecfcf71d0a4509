//! A stream as the framework loads it: what is archived of it, and then what its own repository finds in the table.

use cqrs_es::{
    Aggregate,
    persist::{PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot},
};
use serde_json::Value;
use uuid::Uuid;

use super::Archive;
use crate::log::StoredEvent;

/// One stream's events, wherever they stand. Nothing is written through it.
pub(in crate::log) struct WithArchive<R> {
    pub(in crate::log) archive: Archive,
    pub(in crate::log) id: Uuid,
    pub(in crate::log) table: R,
}

impl<R: PersistedEventRepository> PersistedEventRepository for WithArchive<R> {
    async fn get_events<A: Aggregate>(&self, aggregate_id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let in_table = self.table.get_events::<A>(aggregate_id).await?;
        if in_table.first().is_some_and(|first| first.sequence == 1) {
            return Ok(in_table);
        }
        let archived = self.archive.of_stream(self.id, 0, u32::MAX, |event| event.aggregate_type == A::TYPE).await;
        let archived = archived.map_err(|error| PersistenceError::ConnectionError(Box::new(error)))?;
        let mut events = archived.into_iter().map(serialized).collect::<Result<Vec<_>, _>>()?;
        let last = events.last().map_or(0, |last| last.sequence);
        events.extend(in_table.into_iter().filter(|event| event.sequence > last));
        Ok(events)
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let events = self.get_events::<A>(id).await?;
        Ok(events.into_iter().filter(|event| event.sequence > last_sequence).collect())
    }

    async fn get_snapshot<A: Aggregate>(&self, aggregate_id: &str) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        self.table.get_snapshot::<A>(aggregate_id).await
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        self.table.persist::<A>(events, snapshot_update).await
    }

    async fn stream_events<A: Aggregate>(&self, aggregate_id: &str) -> Result<ReplayStream, PersistenceError> {
        self.table.stream_events::<A>(aggregate_id).await
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        self.table.stream_all_events::<A>().await
    }
}

fn serialized(event: StoredEvent) -> Result<SerializedEvent, PersistenceError> {
    let json = |text: &str| serde_json::from_str::<Value>(text);
    Ok(SerializedEvent {
        sequence: usize::try_from(event.sequence).unwrap_or_default(),
        payload: json(&event.payload)?,
        metadata: json(&event.metadata)?,
        aggregate_id: event.aggregate_id,
        aggregate_type: event.aggregate_type,
        event_type: event.event_type,
        event_version: event.event_version,
    })
}
