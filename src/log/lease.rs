//! Being the one node that does something: PostgreSQL's lock for a session, which ends with its connection. A file has one server.

use std::time::Duration;

use projections::Db;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};

use super::{LOOK_UP, Log};

/// How often the lock is tried, and how often its connection is looked after.
const EVERY: Duration = Duration::from_secs(2);
/// Of two numbers, so that it meets none of the locks of one; the first says that it is a lease of ours.
const TRY: &str = "SELECT pg_try_advisory_lock(7236180, hashtext($1))";
/// The server notices soon where this node is gone without a word.
const SESSION: &str = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

/// The right to do something, as long as it is not lost. Dropping it gives it back.
#[derive(Debug)]
pub struct Lease(Option<PgConnection>);

impl Log {
    /// Waits until this node has the lease of this name.
    pub async fn lease(&self, name: &'static str) -> Lease {
        let Db::Postgres(pool) = self.db() else { return Lease(None) };
        let mut connection = None;
        loop {
            match tokio::time::timeout(LOOK_UP, attempt(pool, connection, name)).await {
                Ok(Ok((held, true))) => return Lease(Some(held)),
                Ok(Ok((free, false))) => connection = Some(free),
                Ok(Err(error)) => {
                    tracing::debug!(%error, name, "the lease cannot be asked for");
                    connection = None;
                }
                Err(_) => connection = None,
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

impl Lease {
    /// Waits until it is lost: another node may have it then.
    pub async fn lost(&mut self) {
        let Some(connection) = &mut self.0 else { return std::future::pending().await };
        loop {
            tokio::time::sleep(EVERY).await;
            if !matches!(tokio::time::timeout(LOOK_UP, connection.ping()).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

async fn attempt(
    pool: &PgPool,
    connection: Option<PgConnection>,
    name: &'static str,
) -> Result<(PgConnection, bool), sqlx::Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => {
            let mut connection = pool.connect_options().connect().await?;
            connection.execute(SESSION).await?;
            connection
        }
    };
    let held = sqlx::query_scalar(TRY).bind(name).fetch_one(&mut connection).await?;
    Ok((connection, held))
}
