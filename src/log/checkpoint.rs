//! How far a follower of the log has come: moved in one transaction with the rows that it keeps beside the log.

use projections::{Db, Dialect, on_db};

use super::{Log, Unavailable};

/// A row that a follower keeps: a statement, and its values in their order.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

/// A value of a row.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Bytes(Vec<u8>),
}

const BEGIN: &str =
    "INSERT INTO checkpoint (follower, position) SELECT $1, position FROM log_head WHERE true ON CONFLICT DO NOTHING";
const BEGIN_AT: &str = "INSERT INTO checkpoint (follower, position) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const STANDS: &str = "SELECT position FROM checkpoint WHERE follower = $1";
const MOVE: &str = "UPDATE checkpoint SET position = $2 WHERE follower = $1";
const END: &str = "DELETE FROM checkpoint WHERE follower = $1";

impl Log {
    /// Up to which position a follower has come; from the log's present end on, where it never was.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn followed_to(&self, follower: &'static str) -> Result<i64, Unavailable> {
        on_db!(self.db(), pool => { sqlx::query(BEGIN).bind(follower).execute(pool).await?; });
        Ok(on_db!(self.db(), pool => sqlx::query_scalar(STANDS).bind(follower).fetch_one(pool).await)?)
    }

    /// Keeps rows, and that a follower has come to a position, in one transaction. `false`, and nothing is written, where it no longer stands
    /// at `from`: another node was there. Whoever no longer waits does not cut it off: a transaction on SQLite whose beginning nobody took note
    /// of would keep the file's lock.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn advance(&self, follower: &'static str, (from, to): (i64, i64), rows: Vec<Row>) -> Result<bool, Unavailable> {
        let db = self.db().clone();
        tokio::spawn(async move { advance(&db, follower, (from, to), rows).await }).await.map_err(|_| Unavailable)?
    }

    /// A follower follows no more: the archive waits for it no longer.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn stop_following(&self, follower: &'static str) -> Result<(), Unavailable> {
        on_db!(self.db(), pool => { sqlx::query(END).bind(follower).execute(pool).await?; });
        Ok(())
    }
}

async fn advance(db: &Db, follower: &str, (from, to): (i64, i64), rows: Vec<Row>) -> Result<bool, Unavailable> {
    let (begin, lock) = match db.dialect() {
        Dialect::Postgres => ("BEGIN", " FOR UPDATE"),
        Dialect::Sqlite => ("BEGIN IMMEDIATE", ""),
    };
    let stands = format!("{STANDS}{lock}");
    on_db!(db, pool => {
        let mut transaction = pool.begin_with(begin).await?;
        // One that goes after the log from its beginning takes its first step.
        if from == 0 {
            sqlx::query(BEGIN_AT).bind(follower).bind(from).execute(&mut *transaction).await?;
        }
        let position: Option<i64> = sqlx::query_scalar(&stands).bind(follower).fetch_optional(&mut *transaction).await?;
        if position != Some(from) {
            transaction.rollback().await?;
            return Ok(false);
        }
        for row in rows {
            let mut query = sqlx::query(row.sql);
            for value in row.values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Integer(integer) => query.bind(integer),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
            query.execute(&mut *transaction).await?;
        }
        sqlx::query(MOVE).bind(follower).bind(to).execute(&mut *transaction).await?;
        transaction.commit().await?;
    });
    Ok(true)
}
