//! The rows of clients that are still to be told that a sign-in has ended.

use domain::Timestamp;
use projections::on_db;
use serde::Serialize;
use sqlx::FromRow;

use super::{
    Log, Unavailable,
    checkpoint::{Row, Value},
};

/// A client that is still to be told of the end of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct PendingNotice {
    pub session_id: String,
    /// The client's stream.
    pub client_id: String,
    pub user_id: String,
    /// When the sign-in ended, in seconds since the Unix epoch.
    pub ended_at: i64,
    /// How often it was tried.
    pub tries: i64,
    /// It is not tried before.
    pub due_at: i64,
    /// Why it was not told the last time.
    pub problem: Option<String>,
}

const ADD: &str = "INSERT INTO logout_notice (session_id, client_id, user_id, ended_at, tries, due_at, problem) \
     VALUES ($1, $2, $3, $4, 0, $4, NULL) ON CONFLICT DO NOTHING";
const SELECT: &str = "SELECT session_id, client_id, user_id, ended_at, tries, due_at, problem FROM logout_notice";
const CLIENTS: &str = "SELECT DISTINCT client_id FROM logout_notice WHERE due_at <= $1 ORDER BY client_id";
const NEXT: &str = "SELECT MIN(due_at) FROM logout_notice WHERE due_at > $1";
const PUT_OFF: &str =
    "UPDATE logout_notice SET tries = tries + 1, due_at = $3, problem = $4 WHERE session_id = $1 AND client_id = $2";
const PUT_OFF_ALL: &str =
    "UPDATE logout_notice SET tries = tries + 1, due_at = $3, problem = $4 WHERE client_id = $1 AND due_at <= $2";
const FORGET: &str = "DELETE FROM logout_notice WHERE session_id = $1 AND client_id = $2";
const COUNT: &str = "SELECT COUNT(*) FROM logout_notice";

impl PendingNotice {
    /// The row by which it is to be told.
    #[must_use]
    pub fn row(self) -> Row {
        let Self { session_id, client_id, user_id, ended_at, .. } = self;
        let values = vec![Value::Text(session_id), Value::Text(client_id), Value::Text(user_id), Value::Integer(ended_at)];
        Row { sql: ADD, values }
    }
}

impl Log {
    /// The clients that are to be told something now, by the ids of their streams.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn clients_to_notify(&self, now: Timestamp) -> Result<Vec<String>, Unavailable> {
        Ok(on_db!(self.db(), pool => sqlx::query_scalar(CLIENTS).bind(now.unix()).fetch_all(pool).await)?)
    }

    /// What one client is to be told now, those that are due longest first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn due_notices(&self, client_id: &str, now: Timestamp, limit: u32) -> Result<Vec<PendingNotice>, Unavailable> {
        let sql = format!("{SELECT} WHERE client_id = $1 AND due_at <= $2 ORDER BY due_at, session_id LIMIT $3");
        let (now, limit) = (now.unix(), i64::from(limit));
        Ok(on_db!(self.db(), pool => sqlx::query_as(&sql).bind(client_id).bind(now).bind(limit).fetch_all(pool).await)?)
    }

    /// When the next one is due that is not due yet.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn next_notice_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Unavailable> {
        let next: Option<i64> = on_db!(self.db(), pool => sqlx::query_scalar(NEXT).bind(now.unix()).fetch_one(pool).await)?;
        Ok(next.map(Timestamp::from_unix))
    }

    /// Those that are not told yet, so many at most, the earliest ends first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn pending_notices(&self, limit: u32) -> Result<Vec<PendingNotice>, Unavailable> {
        let sql = format!("{SELECT} ORDER BY ended_at, session_id, client_id LIMIT $1");
        Ok(on_db!(self.db(), pool => sqlx::query_as(&sql).bind(i64::from(limit)).fetch_all(pool).await)?)
    }

    /// How many are not told yet.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn count_notices(&self) -> Result<i64, Unavailable> {
        Ok(on_db!(self.db(), pool => sqlx::query_scalar(COUNT).fetch_one(pool).await)?)
    }

    /// One was tried in vain: it is due again later.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn put_off_notice(&self, notice: &PendingNotice, due_at: Timestamp, problem: &str) -> Result<(), Unavailable> {
        let (session, client) = (&notice.session_id, &notice.client_id);
        on_db!(self.db(), pool => {
            sqlx::query(PUT_OFF).bind(session).bind(client).bind(due_at.unix()).bind(problem).execute(pool).await?;
        });
        Ok(())
    }

    /// A client was tried in vain, and does not answer at all: whatever it was to be told by a moment is due again later.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn put_off_notices_of(
        &self,
        client_id: &str,
        by: Timestamp,
        (due_at, problem): (Timestamp, &str),
    ) -> Result<(), Unavailable> {
        let (by, due_at) = (by.unix(), due_at.unix());
        on_db!(self.db(), pool => {
            sqlx::query(PUT_OFF_ALL).bind(client_id).bind(by).bind(due_at).bind(problem).execute(pool).await?;
        });
        Ok(())
    }

    /// What came of it is in the log.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn forget_notice(&self, notice: &PendingNotice) -> Result<(), Unavailable> {
        let (session, client) = (&notice.session_id, &notice.client_id);
        on_db!(self.db(), pool => { sqlx::query(FORGET).bind(session).bind(client).execute(pool).await?; });
        Ok(())
    }
}
