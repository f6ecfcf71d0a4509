//! Taking away what has ended, some rows at a time: rows of the live projections, the heads of grants whose every token is gone, and those of
//! device authorizations that have expired.
//! The events stay: what has ended can still be told and rebuilt, it only no longer stands in the way.

use domain::{Decide, Timestamp, aggregate::fold, grant::Grant};
use projections::{Db, Dialect, Table, key_list, on_db, token};
use serde_json::json;
use sqlx::Executor;
use uuid::Uuid;

use super::{Log, Unavailable, migrate, read};
use crate::ephemeral::USER_CODE;

/// A grant's head, as far as a sweep needs it.
#[derive(sqlx::FromRow)]
struct GrantHead {
    aggregate_id: String,
    version: i64,
    state: String,
    state_version: i32,
}

impl Log {
    /// Takes away rows of a live projection that ended before a moment, so many at most, and with the last token of a grant the head of
    /// its stream: whoever asks for that grant again finds none. Gives how many rows of the projection went.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn sweep(&self, table: &'static Table, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        let (generations, _) = migrate::generations(self.db()).await.map_err(|error| {
            tracing::warn!(%error, "the generations of the live projections cannot be read");
            Unavailable
        })?;
        let of_grants = std::ptr::eq(table, &raw const token::TABLE);
        let returning = if of_grants { "grant_id" } else { table.key[0] };
        let generation = generations.get(table.name).copied().ok_or(Unavailable)?;
        let delete = table.delete_ended(generation, returning);
        let begin = begin(self.db());
        on_db!(self.db(), pool => {
            let mut transaction = pool.begin_with(begin).await?;
            let delete = sqlx::query_scalar::<_, String>(&delete).bind(before.unix()).bind(i64::from(limit));
            let mut gone = delete.fetch_all(&mut *transaction).await?;
            let count = gone.len() as u64;
            if of_grants && count > 0 {
                gone.sort_unstable();
                gone.dedup();
                let select = select_heads(self.db());
                let heads = sqlx::query_as::<_, GrantHead>(&select).bind(key_list(&gone)).fetch_all(&mut *transaction).await?;
                let ended = self.ended(heads, before).await;
                transaction.execute(sqlx::query(delete_heads(self.db())).bind(ended)).await?;
            }
            transaction.commit().await?;
            Ok(count)
        })
    }

    /// Takes away the user codes of devices that nobody can let in any more, so many at most, and with each the head of its device
    /// authorization's stream. Gives how many went.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn sweep_devices(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        let codes = "DELETE FROM ephemeral WHERE (kind, key) IN (SELECT kind, key FROM ephemeral \
             WHERE kind = $1 AND expires_at < $2 ORDER BY expires_at LIMIT $3) RETURNING value";
        let heads = format!(
            "DELETE FROM stream_head WHERE aggregate_type = 'device_authorization' AND aggregate_id IN {}",
            self.db().keys(1)
        );
        let begin = begin(self.db());
        on_db!(self.db(), pool => {
            let mut transaction = pool.begin_with(begin).await?;
            let codes = sqlx::query_scalar::<_, String>(codes).bind(USER_CODE).bind(before.unix()).bind(i64::from(limit));
            let gone = codes.fetch_all(&mut *transaction).await?;
            transaction.execute(sqlx::query(&heads).bind(key_list(&gone))).await?;
            transaction.commit().await?;
            Ok(gone.len() as u64)
        })
    }

    /// Those of which nothing can act any more, each with its version, as a JSON array of arrays.
    async fn ended(&self, heads: Vec<GrantHead>, before: Timestamp) -> String {
        let mut ended = Vec::new();
        for head in heads {
            let over = self.grant(&head).await.and_then(|grant| grant.last_ends_at()).is_some_and(|end| end < before);
            if over {
                ended.push(json!([head.aggregate_id, head.version]));
            }
        }
        json!(ended).to_string()
    }

    /// A head's grant; `None`, told, where it cannot be read: such a head stays.
    async fn grant(&self, head: &GrantHead) -> Option<Grant> {
        if head.state_version == Grant::STATE_VERSION {
            let read = serde_json::from_str(&head.state);
            return read
                .inspect_err(|error| tracing::error!(grant = head.aggregate_id, %error, "a grant's state cannot be read"))
                .ok();
        }
        let id = Uuid::try_parse(&head.aggregate_id).ok()?;
        Some(fold(read::stream::<Grant>(self.archive(), self.db(), id).await.ok()?))
    }
}

/// Begins a transaction that writes.
const fn begin(db: &Db) -> &'static str {
    match db.dialect() {
        Dialect::Postgres => "BEGIN",
        Dialect::Sqlite => "BEGIN IMMEDIATE",
    }
}

fn select_heads(db: &Db) -> String {
    let keys = db.keys(1);
    format!(
        "SELECT aggregate_id, version, state, state_version FROM stream_head WHERE aggregate_type = 'grant' AND aggregate_id IN {keys}"
    )
}

/// One that has changed since it was read stays.
const fn delete_heads(db: &Db) -> &'static str {
    match db.dialect() {
        Dialect::Postgres => {
            "DELETE FROM stream_head WHERE aggregate_type = 'grant' AND (aggregate_id, version) IN \
             (SELECT r ->> 0, (r ->> 1)::BIGINT FROM json_array_elements($1::JSON) AS r)"
        }
        Dialect::Sqlite => {
            "DELETE FROM stream_head WHERE aggregate_type = 'grant' AND (aggregate_id, version) IN \
             (SELECT json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]') FROM json_each($1) AS r)"
        }
    }
}
