//! One batch in one BEGIN IMMEDIATE transaction: the same steps as PostgreSQL's function.

use rusqlite::{OptionalExtension, Params, Transaction, params};
use uuid::Uuid;

use super::{Batch, live::LiveStatements, write_error};
use crate::log::{
    batch::{Columns, Failed},
    write::{Outcome, WriteError},
};

const HEAD: &str =
    "SELECT position, epoch, recorded_at, generations, CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM log_head";
const VERSION: &str = "SELECT version FROM stream_head WHERE aggregate_id = ?1 AND aggregate_type = ?2";
const TAKEN: &str = "SELECT 1 FROM claim WHERE name = ?1";
const USED: &str = "SELECT 1 FROM ephemeral WHERE kind = ?1 AND key = ?2 AND expires_at > ?3";
const BEGIN_STREAM: &str = "INSERT INTO stream_head (aggregate_id, aggregate_type, version, state, state_version) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (aggregate_id, aggregate_type) DO NOTHING";
const MOVE_STREAM: &str = "UPDATE stream_head SET version = ?3, state = ?4, state_version = ?5 \
     WHERE aggregate_id = ?1 AND aggregate_type = ?2 AND version = ?6";
const INSERT_EVENT: &str = "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload, metadata, command_id, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const RELEASE_NAME: &str = "DELETE FROM claim WHERE name = ?1";
const TAKE_NAME: &str =
    "INSERT INTO claim (name, stream) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET stream = excluded.stream";
const PUT_VAULT: &str = "INSERT INTO vault (kind, id, sealed) VALUES (?1, ?2, ?3) \
     ON CONFLICT (kind, id) DO UPDATE SET sealed = excluded.sealed";
const DELETE_VAULT: &str = "DELETE FROM vault WHERE kind = ?1 AND id = ?2";
const PUT_EPHEMERAL: &str = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const DELETE_EPHEMERAL: &str = "DELETE FROM ephemeral WHERE kind = ?1 AND key = ?2";
const CLAIM_EPHEMERAL: &str = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES (?1, ?2, '', ?3) \
     ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at";
const MOVE_HEAD: &str = "UPDATE log_head SET position = ?1, recorded_at = ?2";

/// Writes a batch, if somebody still waits for it once all but the commit is done. Who stopped waiting and then takes the file's lock
/// finds it written, or it never will be.
pub(super) fn append(
    transaction: Transaction<'_>,
    live: &mut LiveStatements,
    batch: &Batch,
    is_awaited: impl FnOnce() -> bool,
) -> Result<Outcome, WriteError> {
    let outcome = write(&transaction, live, batch).map_err(write_error)?;
    match outcome {
        Outcome::Written { .. } if is_awaited() => transaction.commit().map_err(write_error)?,
        Outcome::Written { .. } => return Err(WriteError::Slow("nobody waits for the batch any longer".to_owned())),
        Outcome::Failed(_) | Outcome::OtherGenerations | Outcome::OtherEpoch | Outcome::OtherForms => {
            transaction.rollback().map_err(write_error)?;
        }
    }
    Ok(outcome)
}

fn write(transaction: &Transaction<'_>, live: &mut LiveStatements, batch: &Batch) -> rusqlite::Result<Outcome> {
    let Batch { start, columns, .. } = batch;
    let (position, epoch, recorded_at, generations, now) =
        transaction.prepare_cached(HEAD)?.query_row([], |row| <(i64, String, i64, i64, i64)>::try_from(row))?;
    if epoch != start.epoch.to_string() {
        return Ok(Outcome::OtherEpoch);
    }
    if generations != start.generations {
        return Ok(Outcome::OtherGenerations);
    }
    let recorded_at = now.max(recorded_at);
    let unmet = check(transaction, columns, now / 1_000_000)?;
    let mut failed = move_streams(transaction, columns)?;
    failed.extend(unmet);
    if !failed.is_empty() {
        return Ok(Outcome::Failed(failed));
    }
    let end = insert_events(transaction, columns, position, recorded_at)?;
    write_changes(transaction, columns)?;
    live.write(transaction, position, &columns.live)?;
    transaction.prepare_cached(MOVE_HEAD)?.execute([end, recorded_at])?;
    Ok(Outcome::Written { base: position, recorded_at })
}

/// The guards, names and single uses that do not hold.
fn check(transaction: &Transaction<'_>, columns: &Columns, now: i64) -> rusqlite::Result<Vec<Failed>> {
    let (mut failed, mut buffer) = (Vec::new(), Uuid::encode_buffer());
    let mut version = transaction.prepare_cached(VERSION)?;
    for (place, (stream, expected)) in columns.guards.iter().enumerate() {
        let id = stream.aggregate_id.hyphenated().encode_lower(&mut buffer);
        let found = version.query_row((&*id, stream.aggregate_type), |row| row.get::<_, i64>(0)).optional()?;
        if found.unwrap_or(0) != *expected {
            failed.push(Failed::Guard(place));
        }
    }
    let mut taken = transaction.prepare_cached(TAKEN)?;
    for (place, (name, _)) in columns.takes.iter().enumerate() {
        if taken.exists([name])? {
            failed.push(Failed::Claim(place));
        }
    }
    let mut used = transaction.prepare_cached(USED)?;
    for (place, (kind, key, _)) in columns.ephemeral_claims.iter().enumerate() {
        if used.exists(params![kind, key, now])? {
            failed.push(Failed::Ephemeral(place));
        }
    }
    Ok(failed)
}

/// Gives each stream its new head, and tells those that do not hold as many events as expected.
fn move_streams(transaction: &Transaction<'_>, columns: &Columns) -> rusqlite::Result<Vec<Failed>> {
    let mut begin = transaction.prepare_cached(BEGIN_STREAM)?;
    let mut go_on = transaction.prepare_cached(MOVE_STREAM)?;
    let (mut failed, mut buffer) = (Vec::new(), Uuid::encode_buffer());
    for (place, row) in columns.streams.iter().enumerate() {
        let id = &*row.stream.aggregate_id.hyphenated().encode_lower(&mut buffer);
        let moved = if row.expected == 0 {
            begin.execute(params![id, row.stream.aggregate_type, row.version, row.state, row.state_version])?
        } else {
            go_on.execute(params![id, row.stream.aggregate_type, row.version, row.state, row.state_version, row.expected])?
        };
        if moved == 0 {
            failed.push(Failed::Stream(place));
        }
    }
    Ok(failed)
}

/// Inserts the events after a position, and gives the last one's.
fn insert_events(transaction: &Transaction<'_>, columns: &Columns, base: i64, recorded_at: i64) -> rusqlite::Result<i64> {
    let mut insert = transaction.prepare_cached(INSERT_EVENT)?;
    let (mut position, mut buffer) = (base, Uuid::encode_buffer());
    for event in columns.events.iter() {
        position += 1;
        insert.execute(params![
            position,
            event.stream.aggregate_type,
            &*event.stream.aggregate_id.hyphenated().encode_lower(&mut buffer),
            event.sequence,
            event.event_type,
            event.event_version,
            event.payload,
            event.metadata,
            event.command_id,
            recorded_at,
        ])?;
    }
    Ok(position)
}

fn write_changes(transaction: &Transaction<'_>, columns: &Columns) -> rusqlite::Result<()> {
    each(transaction, RELEASE_NAME, columns.releases.iter().map(|name| [name]))?;
    each(transaction, TAKE_NAME, columns.takes.iter().map(|(name, stream)| (name, stream.to_string())))?;
    each(transaction, PUT_VAULT, columns.vault_puts.iter().map(|(kind, id, sealed)| (kind, id, sealed)))?;
    each(transaction, DELETE_VAULT, columns.vault_deletes.iter().map(|(kind, id)| (kind, id)))?;
    let puts = columns.ephemeral_puts.iter().map(|(kind, key, value, expires_at)| (kind, key, value, expires_at));
    each(transaction, PUT_EPHEMERAL, puts)?;
    each(transaction, DELETE_EPHEMERAL, columns.ephemeral_deletes.iter().map(|(kind, key)| (kind, key)))?;
    each(transaction, CLAIM_EPHEMERAL, columns.ephemeral_claims.iter().map(|(kind, key, expires_at)| (kind, key, expires_at)))
}

/// Runs a statement for each row.
fn each<P: Params>(transaction: &Transaction<'_>, sql: &str, mut rows: impl Iterator<Item = P>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(sql)?;
    rows.try_for_each(|row| statement.execute(row).map(drop))
}
