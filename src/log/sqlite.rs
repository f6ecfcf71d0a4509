//! Appending to SQLite: the same steps as PostgreSQL's function, in one BEGIN IMMEDIATE transaction over a connection of its own.
//! The command line may append beside the server: positions are read inside the transaction.

use std::collections::BTreeMap;

use projections::LIVE;
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    batch::{Columns, Failed},
    migrate::{Start, sqlite_options},
    write::{Outcome, WriteError},
};

const HEAD: &str =
    "SELECT position, epoch, recorded_at, generations, CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now FROM log_head";
const CHANGED_STREAMS: &str = "SELECT r.key FROM json_each($1) r LEFT JOIN stream_head h \
     ON h.aggregate_type = json_extract(r.value, '$[0]') AND h.aggregate_id = json_extract(r.value, '$[1]') \
     WHERE COALESCE(h.version, 0) <> json_extract(r.value, '$[2]')";
const TAKEN_NAMES: &str = "SELECT r.key FROM json_each($1) r JOIN claim c ON c.name = json_extract(r.value, '$[0]')";
const USED: &str = "SELECT r.key FROM json_each($1) r JOIN ephemeral e \
     ON e.kind = json_extract(r.value, '$[0]') AND e.key = json_extract(r.value, '$[1]') WHERE e.expires_at > $2";
const INSERT_EVENTS: &str = "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload, metadata, command_id, recorded_at) SELECT $1 + r.key + 1, json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]'), \
     json_extract(r.value, '$[2]'), json_extract(r.value, '$[3]'), json_extract(r.value, '$[4]'), json_extract(r.value, '$[5]'), \
     json_extract(r.value, '$[6]'), json_extract(r.value, '$[7]'), $2 FROM json_each($3) r";
const UPSERT_HEADS: &str = "INSERT INTO stream_head (aggregate_type, aggregate_id, version, state, state_version) \
     SELECT json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]'), json_extract(r.value, '$[2]'), json_extract(r.value, '$[3]'), \
     json_extract(r.value, '$[4]') FROM json_each($1) r WHERE true ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET \
     version = excluded.version, state = excluded.state, state_version = excluded.state_version";
const RELEASE_NAMES: &str = "DELETE FROM claim WHERE name IN (SELECT value FROM json_each($1))";
const TAKE_NAMES: &str = "INSERT INTO claim (name, stream) SELECT json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]') \
     FROM json_each($1) r WHERE true ON CONFLICT (name) DO UPDATE SET stream = excluded.stream";
const PUT_VAULT: &str = "INSERT INTO vault (kind, id, sealed) SELECT json_extract(r.value, '$.kind'), json_extract(r.value, '$.id'), \
     json_extract(r.value, '$.sealed') FROM json_each($1, '$.puts') r WHERE true \
     ON CONFLICT (kind, id) DO UPDATE SET sealed = excluded.sealed";
const DELETE_VAULT: &str = "DELETE FROM vault WHERE (kind, id) IN (SELECT json_extract(r.value, '$.kind'), \
     json_extract(r.value, '$.id') FROM json_each($1, '$.deletes') r)";
const PUT_EPHEMERAL: &str = "INSERT INTO ephemeral (kind, key, value, expires_at) SELECT json_extract(r.value, '$.kind'), \
     json_extract(r.value, '$.key'), json_extract(r.value, '$.value'), json_extract(r.value, '$.expires_at') \
     FROM json_each($1, '$.puts') r WHERE true \
     ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const DELETE_EPHEMERAL: &str = "DELETE FROM ephemeral WHERE (kind, key) IN (SELECT json_extract(r.value, '$.kind'), \
     json_extract(r.value, '$.key') FROM json_each($1, '$.deletes') r)";
const CLAIM_EPHEMERAL: &str = "INSERT INTO ephemeral (kind, key, value, expires_at) SELECT json_extract(r.value, '$[0]'), \
     json_extract(r.value, '$[1]'), '', json_extract(r.value, '$[2]') FROM json_each($1) r WHERE true \
     ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at";
const MOVE_HEAD: &str = "UPDATE log_head SET position = $1, recorded_at = $2";

/// What the writer keeps in memory: 16 MiB, for the pages of the indexes that are written all over.
const CACHE: &str = "-16384";

/// Writes batches over its own connection.
pub(super) struct SqliteWriter {
    connection: SqliteConnection,
}

impl SqliteWriter {
    pub(super) async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        let options = sqlite_options(url)?.pragma("cache_size", CACHE);
        Ok(Self { connection: SqliteConnection::connect_with(&options).await? })
    }

    pub(super) async fn append(
        &mut self,
        start: &Start,
        generations: &BTreeMap<String, i64>,
        columns: &Columns,
    ) -> Result<Outcome, WriteError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(write_error)?;
        let outcome = write(&mut transaction, start, generations, columns).await.map_err(write_error)?;
        match outcome {
            Outcome::Written { .. } => transaction.commit().await.map_err(write_error)?,
            Outcome::Failed(_) | Outcome::OtherGenerations | Outcome::OtherEpoch => {
                transaction.rollback().await.map_err(write_error)?;
            }
        }
        Ok(outcome)
    }

    /// Which of these commands are in the log after a position. Whoever might still write one has finished: the lock is ours.
    pub(super) async fn find_commands(url: &str, after: i64, ids: &[String]) -> Result<BTreeMap<String, i64>, sqlx::Error> {
        let mut writer = Self::connect(url).await?;
        let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT command_id, max(position) FROM events WHERE position > $1 \
             AND command_id IN (SELECT value FROM json_each($2)) GROUP BY command_id",
        )
        .bind(after)
        .bind(json!(ids).to_string())
        .fetch_all(&mut *transaction)
        .await?;
        transaction.rollback().await?;
        Ok(rows.into_iter().collect())
    }
}

async fn write(
    connection: &mut SqliteConnection,
    start: &Start,
    generations: &BTreeMap<String, i64>,
    columns: &Columns,
) -> Result<Outcome, sqlx::Error> {
    let head = sqlx::query(HEAD).fetch_one(&mut *connection).await?;
    if head.try_get::<String, _>("epoch")? != start.epoch.to_string() {
        return Ok(Outcome::OtherEpoch);
    }
    if head.try_get::<i64, _>("generations")? != start.generations {
        return Ok(Outcome::OtherGenerations);
    }
    let now: i64 = head.try_get("now")?;
    let recorded_at = now.max(head.try_get("recorded_at")?);
    let base: i64 = head.try_get("position")?;
    let failed = check(connection, columns, now / 1_000_000).await?;
    if !failed.is_empty() {
        return Ok(Outcome::Failed(failed));
    }
    sqlx::query(INSERT_EVENTS).bind(base).bind(recorded_at).bind(columns.events_json()).execute(&mut *connection).await?;
    sqlx::query(UPSERT_HEADS).bind(columns.heads_json()).execute(&mut *connection).await?;
    write_changes(connection, columns).await?;
    for table in LIVE {
        let generation = generations.get(table.name).copied().unwrap_or(1);
        table.write_sqlite(connection, generation, base, &columns.live).await?;
    }
    let end = base + i64::try_from(columns.events.len()).expect("a batch is small");
    sqlx::query(MOVE_HEAD).bind(end).bind(recorded_at).execute(&mut *connection).await?;
    Ok(Outcome::Written { base })
}

/// The rows that do not hold. What a batch has none of is not asked.
async fn check(connection: &mut SqliteConnection, columns: &Columns, now: i64) -> Result<Vec<Failed>, sqlx::Error> {
    let mut failed = Vec::new();
    let place = |row: SqliteRow| row.try_get::<i64, _>(0).map(|key| usize::try_from(key).unwrap_or_default());
    for row in sqlx::query(CHANGED_STREAMS).bind(columns.expected_json()).fetch_all(&mut *connection).await? {
        failed.push(Failed::Stream(place(row)?));
    }
    if !columns.guards.is_empty() {
        let guards = rows(columns.guards.iter().map(|(stream, version)| (stream.aggregate_type, stream.aggregate_id, version)));
        for row in sqlx::query(CHANGED_STREAMS).bind(guards).fetch_all(&mut *connection).await? {
            failed.push(Failed::Guard(place(row)?));
        }
    }
    if !columns.takes.is_empty() {
        for row in sqlx::query(TAKEN_NAMES).bind(columns.takes_json()).fetch_all(&mut *connection).await? {
            failed.push(Failed::Claim(place(row)?));
        }
    }
    if !columns.ephemeral_claims.is_empty() {
        for row in sqlx::query(USED).bind(columns.ephemeral_claims_json()).bind(now).fetch_all(&mut *connection).await? {
            failed.push(Failed::Ephemeral(place(row)?));
        }
    }
    Ok(failed)
}

async fn write_changes(connection: &mut SqliteConnection, columns: &Columns) -> Result<(), sqlx::Error> {
    if !columns.releases.is_empty() {
        sqlx::query(RELEASE_NAMES).bind(json!(columns.releases).to_string()).execute(&mut *connection).await?;
    }
    if !columns.takes.is_empty() {
        sqlx::query(TAKE_NAMES).bind(columns.takes_json()).execute(&mut *connection).await?;
    }
    if let Some(changes) = columns.vault_json() {
        sqlx::query(PUT_VAULT).bind(&changes).execute(&mut *connection).await?;
        sqlx::query(DELETE_VAULT).bind(&changes).execute(&mut *connection).await?;
    }
    if let Some(changes) = columns.ephemeral_json() {
        sqlx::query(PUT_EPHEMERAL).bind(&changes).execute(&mut *connection).await?;
        sqlx::query(DELETE_EPHEMERAL).bind(&changes).execute(&mut *connection).await?;
    }
    if !columns.ephemeral_claims.is_empty() {
        sqlx::query(CLAIM_EPHEMERAL).bind(columns.ephemeral_claims_json()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Rows as SQLite takes them: a JSON array of arrays.
fn rows(rows: impl Iterator<Item = impl Serialize>) -> String {
    serde_json::to_string(&rows.collect::<Vec<_>>()).expect("texts and numbers have a JSON form")
}

impl Columns {
    fn expected_json(&self) -> String {
        rows(self.streams.iter().map(|row| (row.stream.aggregate_type, row.stream.aggregate_id, row.expected)))
    }

    fn heads_json(&self) -> String {
        let heads = self
            .streams
            .iter()
            .map(|row| (row.stream.aggregate_type, row.stream.aggregate_id, row.version, row.state.as_str(), row.state_version));
        rows(heads)
    }

    fn events_json(&self) -> String {
        let events = self.events.iter().map(|row| {
            let (stream, event_type) = (&row.stream, row.event_type.as_str());
            let (version, payload, metadata) = (row.event_version.as_str(), row.payload.as_str(), row.metadata.as_str());
            let command_id = row.command_id.as_str();
            (stream.aggregate_type, stream.aggregate_id, row.sequence, event_type, version, payload, metadata, command_id)
        });
        rows(events)
    }

    fn takes_json(&self) -> String {
        rows(self.takes.iter().map(|(name, stream)| (name, stream.to_string())))
    }

    fn ephemeral_claims_json(&self) -> String {
        rows(self.ephemeral_claims.iter())
    }
}

/// What an error says of the batch, by SQLite's primary result code.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn write_error(error: sqlx::Error) -> WriteError {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    /// SQLITE_NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB: the store's trouble, not the data's.
    const TROUBLE: [i32; 8] = [7, 8, 9, 10, 11, 13, 14, 26];
    let code = error.as_database_error().and_then(|database| database.code()?.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => WriteError::Slow(error.to_string()),
        Some(code) if !TROUBLE.contains(&code) => WriteError::Data(error.to_string()),
        Some(_) | None => WriteError::Lost(error.to_string()),
    }
}
