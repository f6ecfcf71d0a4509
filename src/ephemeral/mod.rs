//! What must expire, and is never rebuilt from the log: counters of failures, what may be used once, sealed answers for a retry.

use domain::Timestamp;
use projections::{Db, on_db};

use crate::log::Unavailable;

/// The kind of rows by which a device authorization is found by its user code: under a MAC of the code its id, as long as it can be decided.
/// With such a row the head of its stream goes.
pub const USER_CODE: &str = "user_code";

/// A value that has not expired.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn get(db: &Db, kind: &str, key: &str, now: Timestamp) -> Result<Option<String>, Unavailable> {
    let sql = "SELECT value FROM ephemeral WHERE kind = $1 AND key = $2 AND expires_at > $3";
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(kind).bind(key).bind(now.unix()).fetch_optional(pool).await)?)
}

/// Takes a value that has not expired: whoever comes second finds nothing.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn take(db: &Db, kind: &str, key: &str, now: Timestamp) -> Result<Option<String>, Unavailable> {
    let sql = "DELETE FROM ephemeral WHERE kind = $1 AND key = $2 AND expires_at > $3 RETURNING value";
    Ok(on_db!(db, pool => sqlx::query_scalar(sql).bind(kind).bind(key).bind(now.unix()).fetch_optional(pool).await)?)
}

/// Keeps a value until it expires.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn put(db: &Db, kind: &str, key: &str, value: &str, expires_at: Timestamp) -> Result<(), Unavailable> {
    let sql = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at";
    on_db!(db, pool => sqlx::query(sql).bind(kind).bind(key).bind(value).bind(expires_at.unix()).execute(pool).await.map(drop))?;
    Ok(())
}

/// Claims a key until it expires; `false` where somebody has it already: of many who try at once, one gets it.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn claim(db: &Db, kind: &str, key: &str, expires_at: Timestamp) -> Result<bool, Unavailable> {
    let sql = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES ($1, $2, '', $3) ON CONFLICT (kind, key) DO NOTHING";
    let claimed = on_db!(db, pool => {
        sqlx::query(sql).bind(kind).bind(key).bind(expires_at.unix()).execute(pool).await.map(|done| done.rows_affected())
    });
    Ok(claimed? == 1)
}

/// A row that must not be there yet.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub kind: &'static str,
    pub key: &'a str,
    /// Empty for a claim.
    pub value: &'a str,
    pub expires_at: Timestamp,
}

/// Adds all of the rows in one transaction, or none: then it gives the first that is there already.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn add<'a>(db: &Db, rows: &'a [New<'a>]) -> Result<Option<&'a New<'a>>, Unavailable> {
    let sql = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, key) DO NOTHING";
    on_db!(db, pool => {
        let mut transaction = pool.begin().await?;
        for row in rows {
            let added = sqlx::query(sql).bind(row.kind).bind(row.key).bind(row.value).bind(row.expires_at.unix());
            if added.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Ok(Some(row));
            }
        }
        transaction.commit().await?;
    });
    Ok(None)
}

/// Counts one more, and gives the count: exact under parallel tries. A counter that has expired begins anew and lives until
/// `expires_at`; one that counts keeps its end.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn count_up(db: &Db, kind: &str, key: &str, expires_at: Timestamp, now: Timestamp) -> Result<i64, Unavailable> {
    let sql = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES ($1, $2, '1', $3) ON CONFLICT (kind, key) DO UPDATE SET \
         value = CASE WHEN ephemeral.expires_at > $4 THEN CAST(CAST(ephemeral.value AS BIGINT) + 1 AS TEXT) ELSE '1' END, \
         expires_at = CASE WHEN ephemeral.expires_at > $4 THEN ephemeral.expires_at ELSE EXCLUDED.expires_at END RETURNING value";
    let count: String = on_db!(db, pool => {
        sqlx::query_scalar(sql).bind(kind).bind(key).bind(expires_at.unix()).bind(now.unix()).fetch_one(pool).await
    })?;
    count.parse().map_err(|_| Unavailable)
}

/// How often somebody may come: so many seconds apart, and so many more each time that they come too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub interval: u32,
    pub step: u32,
    /// For how long it is remembered when they came last.
    pub memory: u32,
}

/// Takes note that somebody comes, and says whether it is too early after the last time: exact under parallel visits. Whoever comes too
/// early waits longer from then on.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn is_too_early(db: &Db, kind: &str, key: &str, pace: Pace, now: Timestamp) -> Result<bool, Unavailable> {
    // The value counts by twos how often it was too early, and is odd where it was the last time. The row ends so long after the last visit that
    // its end tells when that was.
    let sql = "INSERT INTO ephemeral (kind, key, value, expires_at) VALUES ($1, $2, '0', $3) ON CONFLICT (kind, key) DO UPDATE SET \
         value = CASE WHEN EXCLUDED.expires_at < ephemeral.expires_at + $4 + $5 * (CAST(ephemeral.value AS BIGINT) / 2) \
            THEN CAST(CAST(ephemeral.value AS BIGINT) / 2 * 2 + 3 AS TEXT) \
            ELSE CAST(CAST(ephemeral.value AS BIGINT) / 2 * 2 AS TEXT) END, \
         expires_at = EXCLUDED.expires_at RETURNING value";
    let Pace { interval, step, memory } = pace;
    let value: String = on_db!(db, pool => {
        let query = sqlx::query_scalar(sql).bind(kind).bind(key).bind(now.plus(memory).unix());
        query.bind(i64::from(interval)).bind(i64::from(step)).fetch_one(pool).await
    })?;
    Ok(value.parse::<i64>().map_err(|_| Unavailable)? % 2 == 1)
}

/// Takes one back from a counter.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn count_down(db: &Db, kind: &str, key: &str) -> Result<(), Unavailable> {
    let sql = "UPDATE ephemeral SET value = CAST(CAST(value AS BIGINT) - 1 AS TEXT) \
         WHERE kind = $1 AND key = $2 AND CAST(value AS BIGINT) > 0";
    on_db!(db, pool => sqlx::query(sql).bind(kind).bind(key).execute(pool).await.map(drop))?;
    Ok(())
}

/// Takes a value away.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn forget(db: &Db, kind: &str, key: &str) -> Result<(), Unavailable> {
    let sql = "DELETE FROM ephemeral WHERE kind = $1 AND key = $2";
    on_db!(db, pool => sqlx::query(sql).bind(kind).bind(key).execute(pool).await.map(drop))?;
    Ok(())
}

/// Takes away what has expired before a moment, so many rows at most, those that expired first; gives how many went.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn sweep(db: &Db, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
    let sql = "DELETE FROM ephemeral WHERE (kind, key) IN \
         (SELECT kind, key FROM ephemeral WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    let gone = on_db!(db, pool => {
        sqlx::query(sql).bind(before.unix()).bind(i64::from(limit)).execute(pool).await.map(|done| done.rows_affected())
    });
    Ok(gone?)
}
