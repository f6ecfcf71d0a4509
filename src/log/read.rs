//! Reading the log: by position, by stream, and the heads of streams.

use std::{collections::HashMap, str::FromStr};

use cqrs_es::{
    AggregateError, EventStore,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use domain::{Decide, StreamId, upcast};
use postgres_es::PostgresEventRepository;
use projections::{Db, Dialect, on_db};
use rusqlite::{OptionalExtension, Transaction};
use sqlite_es::SqliteEventRepository;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::{
    Head, StoredEvent, StoredHead, Unavailable,
    archive::{Archive, ArchiveError, WithArchive},
    connection::{Connection, on_connection},
};

#[derive(FromRow)]
struct HeadRow {
    aggregate_type: String,
    aggregate_id: String,
    version: i64,
    state: String,
    state_version: i32,
}

/// The heads of streams, and in the same snapshot the head of the log: whatever is decided on them saw at least that much.
pub(super) async fn heads(db: &Db, head: &Head, streams: Vec<StreamId>) -> Result<HashMap<StreamId, StoredHead>, Unavailable> {
    let (position, found) = match db {
        Db::Postgres(pool) => postgres_heads(pool, &streams).await?,
        Db::Sqlite(sqlite) => sqlite.look_up(move |snapshot| sqlite_heads(snapshot, streams)).await?,
    };
    head.note(position);
    Ok(found)
}

async fn postgres_heads(pool: &PgPool, streams: &[StreamId]) -> Result<(i64, HashMap<StreamId, StoredHead>), Unavailable> {
    // The log's own head comes back as one more row: one statement sees one snapshot.
    const HEADS: &str = "SELECT aggregate_type, aggregate_id, version, state, state_version FROM stream_head \
         WHERE aggregate_id = ANY($1) UNION ALL SELECT '', '', position, '', 0 FROM log_head";
    let ids: Vec<String> = streams.iter().map(|stream| stream.aggregate_id.to_string()).collect();
    let rows = sqlx::query_as::<_, HeadRow>(HEADS).bind(ids).fetch_all(pool).await?;
    let wanted: HashMap<(&str, Uuid), &StreamId> =
        streams.iter().map(|stream| ((stream.aggregate_type, stream.aggregate_id), stream)).collect();
    let (mut position, mut found) = (0, HashMap::with_capacity(rows.len()));
    for row in rows {
        if row.aggregate_type.is_empty() {
            position = row.version;
            continue;
        }
        let id = Uuid::from_str(&row.aggregate_id).map_err(|_| Unavailable)?;
        if let Some(stream) = wanted.get(&(row.aggregate_type.as_str(), id)) {
            let HeadRow { version, state, state_version, .. } = row;
            found.insert((*stream).clone(), StoredHead { version, state: state.into(), state_version });
        }
    }
    Ok((position, found))
}

fn sqlite_heads(snapshot: &Transaction<'_>, streams: Vec<StreamId>) -> rusqlite::Result<(i64, HashMap<StreamId, StoredHead>)> {
    let position = snapshot.prepare_cached("SELECT position FROM log_head")?.query_row([], |row| row.get(0))?;
    let mut find = snapshot.prepare_cached(
        "SELECT version, state, state_version FROM stream_head WHERE aggregate_id = ?1 AND aggregate_type = ?2",
    )?;
    let (mut found, mut buffer) = (HashMap::with_capacity(streams.len()), Uuid::encode_buffer());
    for stream in streams {
        let id = &*stream.aggregate_id.hyphenated().encode_lower(&mut buffer);
        let head = find.query_row((id, stream.aggregate_type), |row| {
            let (version, state, state_version) = (row.get(0)?, row.get_ref(1)?.as_str()?.into(), row.get(2)?);
            Ok(StoredHead { version, state, state_version })
        });
        if let Some(head) = head.optional()? {
            found.insert(stream, head);
        }
    }
    Ok((position, found))
}

/// The head's position.
pub(super) async fn head(db: &Db) -> Result<i64, Unavailable> {
    Ok(on_db!(db, pool => sqlx::query_scalar("SELECT position FROM log_head").fetch_one(pool).await)?)
}

/// Events after a position, in order.
pub(super) async fn after(archive: &Archive, db: &Db, position: i64, limit: u32) -> Result<Vec<StoredEvent>, Unavailable> {
    let events = in_table(db, position, limit).await?;
    Ok(with_archived(archive, events, position, limit).await?)
}

/// Events after a position that stand in the table, in order.
pub(super) async fn in_table(db: &Db, position: i64, limit: u32) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let sql = select_after(db.dialect());
    on_db!(db, pool => sqlx::query_as::<_, StoredEvent>(&sql).bind(position).bind(i64::from(limit)).fetch_all(pool).await)
}

/// As `after`, over a connection of one's own.
pub(super) async fn after_on(
    connection: &mut Connection,
    archive: &Archive,
    position: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let sql = select_after(connection.dialect());
    let events = on_connection!(connection, inner => {
        sqlx::query_as(&sql).bind(position).bind(i64::from(limit)).fetch_all(inner).await
    })?;
    Ok(with_archived(archive, events, position, limit).await?)
}

fn select_after(dialect: Dialect) -> String {
    format!("{} WHERE position > $1 ORDER BY position LIMIT $2", select(dialect))
}

/// What the table gave after a position, or the archive where the next event stands there: positions have no gap.
async fn with_archived(
    archive: &Archive,
    events: Vec<StoredEvent>,
    position: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, ArchiveError> {
    if events.first().is_some_and(|first| first.position == position + 1) {
        return Ok(events);
    }
    let archived = archive.after(position, limit).await?;
    Ok(if archived.is_empty() { events } else { archived })
}

/// The first of the events from the archive and from the table, which was read before it: what went from there meanwhile is in the archive.
fn merged(mut archived: Vec<StoredEvent>, in_table: Vec<StoredEvent>, limit: u32) -> Vec<StoredEvent> {
    archived.extend(in_table);
    archived.sort_by_key(|event| event.position);
    archived.dedup_by_key(|event| event.position);
    archived.truncate(limit as usize);
    archived
}

/// Events of these types after a position and up to another, in order.
pub(super) async fn of_types(
    archive: &Archive,
    db: &Db,
    types: &[String],
    (after, to): (i64, i64),
    limit: u32,
) -> Result<Vec<StoredEvent>, Unavailable> {
    let sql = format!(
        "{} WHERE position > $1 AND position <= $2 AND event_type IN {} ORDER BY position LIMIT $4",
        select(db.dialect()),
        db.keys(3)
    );
    let list = projections::key_list(types);
    let events = on_db!(db, pool => {
        let query = sqlx::query_as::<_, StoredEvent>(&sql).bind(after).bind(to).bind(list).bind(i64::from(limit));
        query.fetch_all(pool).await
    })?;
    let archived = archive.matching((after, to), limit, |event| types.contains(&event.event_type)).await?;
    Ok(merged(archived, events, limit))
}

/// The events at these positions, in order.
pub(super) async fn at(archive: &Archive, db: &Db, positions: &[i64]) -> Result<Vec<StoredEvent>, Unavailable> {
    let keys = match db.dialect() {
        Dialect::Postgres => "(SELECT json_array_elements_text($1::json)::bigint)",
        Dialect::Sqlite => "(SELECT value FROM json_each($1))",
    };
    let sql = format!("{} WHERE position IN {keys} ORDER BY position", select(db.dialect()));
    let bound = serde_json::json!(positions).to_string();
    let mut events = on_db!(db, pool => sqlx::query_as::<_, StoredEvent>(&sql).bind(bound).fetch_all(pool).await)?;
    for position in
        positions.iter().filter(|position| events.iter().all(|event| event.position != **position)).copied().collect::<Vec<_>>()
    {
        events.extend(archive.after(position - 1, 1).await?);
    }
    events.sort_by_key(|event| event.position);
    Ok(events)
}

/// Events of the streams of these types with an id, after a position, in order.
pub(super) async fn history(
    archive: &Archive,
    db: &Db,
    (types, id): (&[&str], Uuid),
    position: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, Unavailable> {
    let list: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
    let sql = format!(
        "{} WHERE aggregate_type IN {} AND aggregate_id = $2 AND position > $3 ORDER BY position LIMIT $4",
        select(db.dialect()),
        db.keys(1)
    );
    let (list, text) = (projections::key_list(&list), id.to_string());
    let events = on_db!(db, pool => {
        sqlx::query_as::<_, StoredEvent>(&sql).bind(list).bind(text).bind(position).bind(i64::from(limit)).fetch_all(pool).await
    })?;
    let archived = archive.of_stream(id, position, limit, |event| types.contains(&event.aggregate_type.as_str())).await?;
    Ok(merged(archived, events, limit))
}

/// Selects events as they are stored, to be restricted.
pub(super) fn select(dialect: Dialect) -> String {
    let cast = match dialect {
        Dialect::Postgres => "::text",
        Dialect::Sqlite => "",
    };
    format!(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload{cast} AS payload, \
         metadata{cast} AS metadata, command_id, recorded_at FROM events"
    )
}

/// A stream's events, through the framework's own stores.
pub(super) async fn stream<A: Decide>(archive: &Archive, db: &Db, id: Uuid) -> Result<Vec<A::Event>, Unavailable> {
    let archive = archive.clone();
    let loaded = match db {
        Db::Postgres(pool) => load::<A, _>(WithArchive { archive, id, table: PostgresEventRepository::new(pool.clone()) }).await,
        Db::Sqlite(sqlite) => {
            load::<A, _>(WithArchive { archive, id, table: SqliteEventRepository::new(sqlite.pool().clone()) }).await
        }
    };
    let id = id.to_string();
    loaded.map_err(|error| {
        tracing::error!(stream = %id, %error, "a stream cannot be loaded");
        Unavailable
    })
}

async fn load<A, R>(repository: WithArchive<R>) -> Result<Vec<A::Event>, AggregateError<A::Error>>
where
    A: Decide,
    R: PersistedEventRepository,
{
    let id = repository.id.to_string();
    let store = PersistedEventStore::<WithArchive<R>, A>::new_event_store(repository).with_upcasters(upcast::upcasters());
    Ok(store.load_events(&id).await?.into_iter().map(|event| event.payload).collect())
}

/// The store's clock in microseconds since the Unix epoch.
pub(super) async fn store_clock(db: &Db) -> Result<i64, Unavailable> {
    let sql = select_clock(db.dialect());
    Ok(on_db!(db, pool => sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await)?)
}

/// Selects the store's clock.
pub(super) const fn select_clock(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint",
        Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}
