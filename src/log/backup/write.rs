//! Writes a backup's records into an empty store: events at their positions, heads folded anew, live read models projected anew.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use cqrs_es::{Aggregate, DomainEvent};
use domain::{
    CommandId, Decide, Event, Timestamp,
    id::THE_ONLY,
    key_set::{KeySet, KeySetCommand, KeySetEvent},
};
use projections::{Db, Dialect, LIVE};
use uuid::Uuid;

use super::{
    record::{EpochRow, Record},
    restore::RestoreError,
    rows::{self, HeadRow},
};
use crate::log::{
    Actor, Metadata, StoredEvent,
    archive::Archive,
    connection::{Connection, on_connection},
    fold::fold_on,
    project::{self, Projector},
    read,
};

/// Writes in one transaction of its caller's.
pub(super) struct RestoreWriter {
    generations: BTreeMap<String, i64>,
    projector: Projector,
    /// Of the last event.
    position: i64,
    recorded_at: i64,
    /// The position up to which the log's partitions are there.
    partitions: i64,
}

/// Some events of one stream.
struct Part {
    version: i64,
    events: Vec<Event>,
}

impl RestoreWriter {
    /// Begins: the empty store's own epoch goes.
    pub(super) async fn new(connection: &mut Connection, db: &Db) -> Result<Self, RestoreError> {
        connection.run("DELETE FROM log_epoch").await?;
        let generations = connection.active_generations().await?;
        Ok(Self {
            generations,
            projector: Projector::new(Archive::new(db.clone(), None)),
            position: 0,
            recorded_at: 0,
            partitions: 0,
        })
    }

    /// The position of the last event.
    pub(super) const fn position(&self) -> i64 {
        self.position
    }

    /// Writes a page of records.
    pub(super) async fn write(&mut self, connection: &mut Connection, page: Vec<Record>) -> Result<(), RestoreError> {
        let (mut epochs, mut vault, mut claims, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for record in page {
            match record {
                Record::Epoch(row) => epochs.push(row),
                Record::Vault(row) => vault.push(row),
                Record::Claim(row) => claims.push(row),
                Record::Event(event) => events.push(event),
                Record::Header(_) | Record::Digest(_) | Record::End(_) => {}
            }
        }
        rows::EPOCHS.insert(connection, &epochs).await?;
        rows::VAULT.insert(connection, &vault).await?;
        rows::CLAIMS.insert(connection, &claims).await?;
        self.write_events(connection, &events).await
    }

    async fn write_events(&mut self, connection: &mut Connection, events: &[StoredEvent]) -> Result<(), RestoreError> {
        let Some(last) = events.last() else { return Ok(()) };
        for (place, event) in (1..).zip(events) {
            if event.position != self.position + place {
                return Err(RestoreError::NotTheNext(event.position));
            }
        }
        (self.position, self.recorded_at) = (last.position, last.recorded_at.max(self.recorded_at));
        self.make_partitions(connection).await?;
        rows::EVENTS.insert(connection, events).await?;
        let decoded = events.iter().map(project::decode).collect::<Result<Vec<_>, _>>()?;
        let changes = self.projector.changes(connection, &decoded).await?;
        for table in LIVE {
            let generation = self.generations.get(table.name).copied().unwrap_or(1);
            connection.write(table, generation, &changes).await?;
        }
        let mut parts: BTreeMap<(&str, &str), Part> = BTreeMap::new();
        for (stored, decoded) in events.iter().zip(decoded) {
            let next = stored.sequence;
            match parts.entry((&stored.aggregate_type, &stored.aggregate_id)) {
                Entry::Vacant(entry) => drop(entry.insert(Part { version: next, events: vec![decoded.event] })),
                Entry::Occupied(mut entry) if next == entry.get().version + 1 => {
                    entry.get_mut().version = next;
                    entry.get_mut().events.push(decoded.event);
                }
                Entry::Occupied(_) => return Err(RestoreError::NotTheNext(stored.position)),
            }
        }
        self.write_heads(connection, parts).await
    }

    /// Folds the streams' heads on by these events.
    async fn write_heads(&self, connection: &mut Connection, parts: BTreeMap<(&str, &str), Part>) -> Result<(), RestoreError> {
        let ids: Vec<String> = parts.keys().map(|(_, id)| (*id).to_owned()).collect();
        let before = rows::heads(connection, &ids).await?;
        let before: HashMap<(&str, &str), &HeadRow> =
            before.iter().map(|row| ((row.aggregate_type.as_str(), row.aggregate_id.as_str()), row)).collect();
        let mut heads = Vec::with_capacity(parts.len());
        for (stream, part) in parts {
            let before = before.get(&stream);
            let version = before.map_or(0, |head| head.version) + i64::try_from(part.events.len()).expect("a page is small");
            if version != part.version {
                return Err(RestoreError::NotTheNext(self.position));
            }
            let folded = fold_on(before.map(|head| head.state.as_str()), part.events)
                .map_err(|cause| RestoreError::Stream { stream: format!("{}-{}", stream.0, stream.1), cause })?;
            heads.push(HeadRow {
                aggregate_type: stream.0.to_owned(),
                aggregate_id: stream.1.to_owned(),
                version,
                state: folded.state,
                state_version: folded.state_version,
            });
        }
        Ok(rows::HEADS.insert(connection, &heads).await?)
    }

    async fn make_partitions(&mut self, connection: &mut Connection) -> Result<(), RestoreError> {
        match connection.dialect() {
            Dialect::Sqlite => {}
            Dialect::Postgres => {
                while self.partitions <= self.position {
                    let sql = "SELECT make_event_partitions($1)";
                    self.partitions = on_connection!(&mut *connection, inner => {
                        sqlx::query_scalar(sql).bind(self.partitions).fetch_one(inner).await
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Ends the restoring: a new epoch begins with an event that cuts off all that was issued before, and the head stands there.
    pub(super) async fn begin_epoch(
        &mut self,
        connection: &mut Connection,
        epoch: Uuid,
        at: Timestamp,
    ) -> Result<(), RestoreError> {
        let head = rows::heads(connection, &[THE_ONLY.to_string()]).await?;
        let version = head.iter().find(|row| row.aggregate_type == KeySet::TYPE).map_or(0, |row| row.version);
        // What the keys are does not matter to it.
        let decided = KeySet::default().decide(KeySetCommand::BeginEpoch { epoch: epoch.to_string(), at })?;
        let sql = read::select_clock(connection.dialect());
        let clock: i64 = on_connection!(&mut *connection, inner => sqlx::query_scalar(sql).fetch_one(inner).await)?;
        let (recorded_at, from_position) = (clock.max(self.recorded_at), self.position + 1);
        let stored = |(place, event): (i64, KeySetEvent)| StoredEvent {
            position: self.position + place,
            aggregate_type: KeySet::TYPE.to_owned(),
            aggregate_id: THE_ONLY.to_string(),
            sequence: version + place,
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_string(&event).expect("an event has a JSON form"),
            metadata: Metadata { actor: Actor::Operator, traceparent: None }.to_json(),
            command_id: CommandId::new(Uuid::now_v7()).to_string(),
            recorded_at,
        };
        let events: Vec<StoredEvent> = (1..).zip(decided).map(stored).collect();
        self.write_events(connection, &events).await?;
        rows::EPOCHS.insert(connection, &[EpochRow { epoch: epoch.to_string(), from_position }]).await?;
        self.end(connection, &epoch.to_string()).await
    }

    /// The head stands at the last event, in an epoch.
    pub(super) async fn end(&self, connection: &mut Connection, epoch: &str) -> Result<(), RestoreError> {
        let sql = "UPDATE log_head SET position = $1, epoch = $2, recorded_at = $3";
        let (position, recorded_at) = (self.position, self.recorded_at);
        on_connection!(connection, inner => {
            sqlx::query(sql).bind(position).bind(epoch).bind(recorded_at).execute(inner).await
        }.map(drop))?;
        Ok(())
    }
}
