//! Appending to PostgreSQL: one function call, autocommit, whose first statement takes the head lock. The lock is never held while a
//! client thinks.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde::Deserialize;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row, postgres::PgConnectOptions};

use super::{
    batch::{Columns, Failed},
    migrate::Start,
    write::{Outcome, WriteError},
};

/// A connection that does not come about in this time does not.
const CONNECT: Duration = Duration::from_secs(3);
/// The writer's session: nothing waits for ever, and every look-up is by index whatever the planner believes of a table that was
/// empty when the function's plan was made. That plan is kept: a batch of another size needs no other, and planning anew took a quarter
/// of a batch's time.
const SESSION: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'; \
     SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
     SET plan_cache_mode = 'force_generic_plan'";
const LOCK_HEAD: &str = "SELECT position FROM log_head FOR UPDATE";
const APPEND: &str = "SELECT outcome, base, at, failed FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
     $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)";

/// Writes batches over its own connection.
pub(super) struct PostgresWriter {
    connection: PgConnection,
    /// Whether a transaction that holds the head lock is under way.
    holds: bool,
}

impl PostgresWriter {
    pub(super) async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?.application_name("grantlog writer");
        let connecting = options.connect();
        let mut connection = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut)))??;
        connection.execute(SESSION).await?;
        Ok(Self { connection, holds: false })
    }

    /// Takes the head lock, until the next append or its release.
    pub(super) async fn hold(&mut self) -> Result<(), WriteError> {
        self.holds = true;
        self.connection.execute("BEGIN").await.map_err(write_error)?;
        self.connection.execute(LOCK_HEAD).await.map(drop).map_err(write_error)
    }

    /// Gives the head lock back, if it is held.
    pub(super) async fn release(&mut self) -> Result<(), WriteError> {
        if std::mem::take(&mut self.holds) {
            self.connection.execute("ROLLBACK").await.map_err(write_error)?;
        }
        Ok(())
    }

    /// Writes a batch. Where the head lock is held, that ends with it.
    pub(super) async fn append(&mut self, start: &Start, columns: &Columns) -> Result<Outcome, WriteError> {
        let outcome = self.call(start, columns).await?;
        if self.holds && matches!(outcome, Outcome::Written { .. }) {
            self.connection.execute("COMMIT").await.map_err(write_error)?;
            self.holds = false;
        }
        self.release().await?;
        Ok(outcome)
    }

    async fn call(&mut self, start: &Start, columns: &Columns) -> Result<Outcome, WriteError> {
        let (streams, events) = (&columns.streams, &columns.events);
        let live = columns.live.live_columns();
        let row = sqlx::query(APPEND)
            .bind(start.epoch.to_string())
            .bind(start.generations)
            .bind(streams.iter().map(|row| row.stream.aggregate_type).collect::<Vec<_>>())
            .bind(streams.iter().map(|row| row.stream.aggregate_id.to_string()).collect::<Vec<_>>())
            .bind(streams.iter().map(|row| row.expected).collect::<Vec<_>>())
            .bind(streams.iter().map(|row| row.version).collect::<Vec<_>>())
            .bind(streams.iter().map(|row| row.state.as_str()).collect::<Vec<_>>())
            .bind(streams.iter().map(|row| row.state_version).collect::<Vec<_>>())
            .bind(columns.guards.iter().map(|(stream, _)| stream.aggregate_type).collect::<Vec<_>>())
            .bind(columns.guards.iter().map(|(stream, _)| stream.aggregate_id.to_string()).collect::<Vec<_>>())
            .bind(columns.guards.iter().map(|(_, version)| *version).collect::<Vec<_>>())
            .bind(columns.takes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
            .bind(columns.takes.iter().map(|(_, stream)| stream.to_string()).collect::<Vec<_>>())
            .bind(columns.releases.iter().map(String::as_str).collect::<Vec<_>>())
            .bind(columns.ephemeral_claims.iter().map(|(kind, _, _)| *kind).collect::<Vec<_>>())
            .bind(columns.ephemeral_claims.iter().map(|(_, key, _)| key.as_str()).collect::<Vec<_>>())
            .bind(columns.ephemeral_claims.iter().map(|(_, _, expires_at)| *expires_at).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.stream.aggregate_type).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.stream.aggregate_id.to_string()).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.sequence).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.event_type.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.event_version.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.payload.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.metadata.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|row| row.command_id.as_str()).collect::<Vec<_>>())
            .bind(columns.vault_json())
            .bind(columns.ephemeral_json())
            .bind(live.puts)
            .bind(live.sets)
            .fetch_one(&mut self.connection)
            .await
            .map_err(write_error)?;
        let outcome: String = row.try_get("outcome").map_err(write_error)?;
        Ok(match outcome.as_str() {
            "written" => Outcome::Written {
                base: row.try_get("base").map_err(write_error)?,
                recorded_at: row.try_get("at").map_err(write_error)?,
            },
            "generations" => Outcome::OtherGenerations,
            "epoch" => Outcome::OtherEpoch,
            _ => Outcome::Failed(read_failed(&row.try_get::<String, _>("failed").map_err(write_error)?)?),
        })
    }

    /// Makes the partitions that the log will soon need; gives the position at which to ask again.
    pub(super) async fn make_partitions(&mut self, head: i64) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT make_event_partitions($1)").bind(head).fetch_one(&mut self.connection).await
    }

    /// Which of these commands are in the log after a position. Whoever might still write one has finished: the head lock is ours.
    pub(super) async fn find_commands(url: &str, after: i64, ids: &[String]) -> Result<BTreeMap<String, i64>, sqlx::Error> {
        let mut writer = Self::connect(url).await?;
        let mut transaction = writer.connection.begin().await?;
        transaction.execute(LOCK_HEAD).await?;
        let rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT command_id, max(position) FROM events WHERE position > $1 AND command_id = ANY($2) GROUP BY command_id",
        )
        .bind(after)
        .bind(ids)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(rows.into_iter().collect())
    }
}

impl Columns {
    /// The vault's changes for the stores' JSON functions; `None` when there are none.
    pub(super) fn vault_json(&self) -> Option<String> {
        if self.vault_puts.is_empty() && self.vault_deletes.is_empty() {
            return None;
        }
        let puts: Vec<_> =
            self.vault_puts.iter().map(|(kind, id, sealed)| json!({"kind": kind, "id": id, "sealed": sealed})).collect();
        let deletes: Vec<_> = self.vault_deletes.iter().map(|(kind, id)| json!({"kind": kind, "id": id})).collect();
        Some(json!({"puts": puts, "deletes": deletes}).to_string())
    }

    /// The ephemeral rows' changes for the stores' JSON functions; `None` when there are none.
    pub(super) fn ephemeral_json(&self) -> Option<String> {
        if self.ephemeral_puts.is_empty() && self.ephemeral_deletes.is_empty() {
            return None;
        }
        let put = |(kind, key, value, expires_at): &(&str, String, String, i64)| json!({"kind": kind, "key": key, "value": value, "expires_at": expires_at});
        let puts: Vec<_> = self.ephemeral_puts.iter().map(put).collect();
        let deletes: Vec<_> = self.ephemeral_deletes.iter().map(|(kind, key)| json!({"kind": kind, "key": key})).collect();
        Some(json!({"puts": puts, "deletes": deletes}).to_string())
    }
}

/// The rows that did not hold, by list, counted from 1.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FailedPlaces {
    streams: Vec<usize>,
    guards: Vec<usize>,
    claims: Vec<usize>,
    ephemeral: Vec<usize>,
}

/// The rows that did not hold, from the function's JSON.
fn read_failed(json: &str) -> Result<Vec<Failed>, WriteError> {
    let places: FailedPlaces = serde_json::from_str(json).map_err(|error| WriteError::Lost(error.to_string()))?;
    let streams = places.streams.into_iter().map(|place| Failed::Stream(place - 1));
    let guards = places.guards.into_iter().map(|place| Failed::Guard(place - 1));
    let claims = places.claims.into_iter().map(|place| Failed::Claim(place - 1));
    let ephemeral = places.ephemeral.into_iter().map(|place| Failed::Ephemeral(place - 1));
    Ok(streams.chain(guards).chain(claims).chain(ephemeral).collect())
}

/// What an error says of the batch, by its SQLSTATE.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn write_error(error: sqlx::Error) -> WriteError {
    let Some(database) = error.as_database_error() else {
        return WriteError::Lost(error.to_string());
    };
    let code = database.code().unwrap_or_default();
    match code.get(..2).unwrap_or_default() {
        // Data exceptions, violated constraints, a row named twice, a key too long for its index.
        "21" | "22" | "23" | "54" => WriteError::Data(error.to_string()),
        // Cancelled by a timeout; shut down or crashed is 57P01..57P03.
        "57" if code == "57014" => WriteError::Slow(error.to_string()),
        // Serialization failures and deadlocks, locks not available, insufficient resources.
        "40" | "55" | "53" => WriteError::Slow(error.to_string()),
        _ => WriteError::Lost(error.to_string()),
    }
}
