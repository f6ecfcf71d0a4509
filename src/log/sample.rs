//! A sample of the log: some streams, picked by chance, are folded anew from their events and compared with what stands for them: the state
//! in their head, and their rows in the live read models.

use cqrs_es::Aggregate;
use domain::{
    Decide, Event, Timestamp, audit::Audit, catalogue::Catalogue, client::Client, consent::Consent,
    device_authorization::DeviceAuthorization, grant::Grant, invitation::Invitation, key_set::KeySet, session::Session,
    user::User,
};
use projections::{
    LIVE,
    compare::{Compared, DifferingRow},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    FoldError, Log, ProjectError, StoredEvent, Unavailable,
    connection::{Connection, on_connection},
    fold::fold_on,
    project::{self, Projector},
    rebuild::Difference,
};

/// Events of a stream that are read at once.
const PAGE: u32 = 1_000;
/// Rows of one projection that are named at most when they differ.
const NAMED: i64 = 10;
/// Rows that expire within so many seconds are not compared: other nodes' clocks, by which they are swept, may be ahead.
const CLOCKS_DIFFER: u32 = 60;

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// How many streams were folded.
    pub streams: u64,
    /// What is not as the log says.
    pub differences: Vec<Differs>,
}

/// Something that is not as the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    Row(Difference),
    /// The head of a stream, named as `type-id`.
    Head {
        stream: String,
        what: HeadDiffers,
    },
}

/// How a stream's head differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadDiffers {
    /// The stream can still go on, and has no head.
    Missing,
    /// It counts another number of events.
    Version { head: i64, log: i64 },
    /// Its state is not what the events make.
    State,
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row(difference) => difference.fmt(f),
            Self::Head { stream, what: HeadDiffers::Missing } => write!(f, "{stream}: it has no head"),
            Self::Head { stream, what: HeadDiffers::Version { head, log } } => {
                write!(f, "{stream}: its head counts {head} events, the log has {log}")
            }
            Self::Head { stream, what: HeadDiffers::State } => write!(f, "{stream}: its state is not what its events make"),
        }
    }
}

/// Why a sample could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Event(#[from] ProjectError),
    #[error("the stream {stream}: {cause}")]
    Stream { stream: String, cause: FoldError },
}

#[derive(sqlx::FromRow)]
struct Head {
    version: i64,
    state: String,
    state_version: i32,
}

impl Log {
    /// Folds some streams anew and compares them. A stream is picked by an event of its own: those with more events are picked more often.
    ///
    /// # Errors
    /// That the store does not answer, or an event cannot be read.
    pub async fn sample(&self, streams: u32, now: Timestamp) -> Result<Sampled, SampleError> {
        let mut sampled = Sampled::default();
        let mut connection = Connection::open_by_index(self.db()).await?;
        for _ in 0..streams {
            connection.begin_snapshot().await?;
            let compared = self.compare_one(&mut connection, now, &mut sampled).await;
            connection.rollback().await?;
            compared?;
        }
        Ok(sampled)
    }

    async fn compare_one(&self, connection: &mut Connection, now: Timestamp, sampled: &mut Sampled) -> Result<(), SampleError> {
        let sql = "SELECT position FROM log_head";
        let position: i64 = on_connection!(&mut *connection, inner => sqlx::query_scalar(sql).fetch_one(inner).await)?;
        if position == 0 {
            return Ok(());
        }
        let Some(picked) = self.read(fastrand::i64(0..position), 1).await?.pop() else { return Ok(()) };
        let events = self.events_of(&picked, position).await?;
        let decoded = events.iter().map(project::decode).collect::<Result<Vec<_>, _>>()?;
        let changes = Projector::new(self.archive().clone()).changes(connection, &decoded).await?;
        let (generations, horizon) = (connection.active_generations().await?, now.plus(CLOCKS_DIFFER).unix());
        for table in LIVE {
            let (Some(live), Some(rows)) = (generations.get(table.name), changes.rows_json(table)) else { continue };
            let sql = table.differences(connection.dialect(), *live, *live, Compared::Rows);
            let rows: Vec<DifferingRow> = on_connection!(&mut *connection, inner => {
                sqlx::query_as(&sql).bind(position).bind(horizon).bind(rows).bind(NAMED).fetch_all(inner).await
            })?;
            sampled.differences.extend(rows.into_iter().map(|row| Differs::Row(Difference::of(table, row))));
        }
        let stream = format!("{}-{}", picked.aggregate_type, picked.aggregate_id);
        if let Some(what) = self.compare_head(connection, &picked, events.len(), now).await? {
            sampled.differences.push(Differs::Head { stream, what });
        }
        sampled.streams += 1;
        Ok(())
    }

    /// The events of a stream up to a position.
    async fn events_of(&self, picked: &StoredEvent, until: i64) -> Result<Vec<StoredEvent>, SampleError> {
        let (id, mut events, mut after) = (uuid_of(picked)?, Vec::new(), 0);
        while after < until {
            let page = self.history(&[&picked.aggregate_type], id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            events.extend(page.into_iter().filter(|event| event.position <= until));
        }
        Ok(events)
    }

    async fn compare_head(
        &self,
        connection: &mut Connection,
        picked: &StoredEvent,
        events: usize,
        now: Timestamp,
    ) -> Result<Option<HeadDiffers>, SampleError> {
        let sql = "SELECT version, state, state_version FROM stream_head WHERE aggregate_id = $1 AND aggregate_type = $2";
        let head: Option<Head> = on_connection!(connection, inner => {
            sqlx::query_as(sql).bind(&picked.aggregate_id).bind(&picked.aggregate_type).fetch_optional(inner).await
        })?;
        let loaded = self.load_first(picked, events).await?;
        let Some(head) = head else {
            return Ok(if is_over(&loaded, now) { None } else { Some(HeadDiffers::Missing) });
        };
        let log = i64::try_from(events).unwrap_or(i64::MAX);
        if head.version != log {
            return Ok(Some(HeadDiffers::Version { head: head.version, log }));
        }
        let stream = || format!("{}-{}", picked.aggregate_type, picked.aggregate_id);
        let folded = fold_on(None, loaded).map_err(|cause| SampleError::Stream { stream: stream(), cause })?;
        // A state of another version is folded anew by whoever needs it.
        let differs = head.state_version == folded.state_version && !same_json(&head.state, &folded.state);
        Ok(differs.then_some(HeadDiffers::State))
    }

    /// The first events of a stream, loaded by the framework.
    async fn load_first(&self, picked: &StoredEvent, count: usize) -> Result<Vec<Event>, SampleError> {
        let id = uuid_of(picked)?;
        let mut events = match picked.aggregate_type.as_str() {
            Client::TYPE => self.load_as::<Client>(id).await?,
            User::TYPE => self.load_as::<User>(id).await?,
            Session::TYPE => self.load_as::<Session>(id).await?,
            Consent::TYPE => self.load_as::<Consent>(id).await?,
            Grant::TYPE => self.load_as::<Grant>(id).await?,
            KeySet::TYPE => self.load_as::<KeySet>(id).await?,
            Catalogue::TYPE => self.load_as::<Catalogue>(id).await?,
            Audit::TYPE => self.load_as::<Audit>(id).await?,
            Invitation::TYPE => self.load_as::<Invitation>(id).await?,
            DeviceAuthorization::TYPE => self.load_as::<DeviceAuthorization>(id).await?,
            other => return Err(unreadable(picked, format!("there is no aggregate {other}"))),
        };
        events.truncate(count);
        Ok(events)
    }

    async fn load_as<A: Decide<Event: Into<Event>>>(&self, id: Uuid) -> Result<Vec<Event>, Unavailable> {
        Ok(self.read_stream::<A>(id).await?.into_iter().map(Into::into).collect())
    }
}

fn uuid_of(stored: &StoredEvent) -> Result<Uuid, SampleError> {
    Uuid::try_parse(&stored.aggregate_id).map_err(|error| unreadable(stored, error.to_string()))
}

fn unreadable(stored: &StoredEvent, cause: String) -> SampleError {
    ProjectError::Event { position: stored.position, cause }.into()
}

/// Whether nothing can act on these events' grant, or device authorization, any more: its head is swept. The heads of all else stay.
fn is_over(events: &[Event], now: Timestamp) -> bool {
    let (mut grant, mut device) = (Grant::default(), DeviceAuthorization::default());
    for event in events {
        match event {
            Event::Grant(event) => grant.apply(event.clone()),
            Event::DeviceAuthorization(event) => device.apply(event.clone()),
            Event::Client(_)
            | Event::User(_)
            | Event::Session(_)
            | Event::Consent(_)
            | Event::KeySet(_)
            | Event::Catalogue(_)
            | Event::Audit(_)
            | Event::Invitation(_) => {}
        }
    }
    grant.last_ends_at().or(device.last_ends_at()).is_some_and(|end| end < now)
}

/// Whether two texts are the same JSON: the order of members says nothing.
fn same_json(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    read(one).is_some_and(|one| Some(one) == read(other))
}
