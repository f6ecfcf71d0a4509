//! A connection of one's own to either store, for work in long or many transactions. Dropped in the middle of one, it takes the
//! transaction back.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use projections::{Changes, Db, Dialect, Table};
use sqlx::{ConnectOptions, Executor, PgConnection, SqliteConnection};

/// Long work is not cut off, whatever the role's settings say; locks are not waited for without end.
const POSTGRES_SESSION: &str = "SET statement_timeout = 0; SET lock_timeout = '5s'; SET application_name = 'grantlog keeper'";
/// Look-ups go by index, whatever the planner believes of tables that were empty a moment ago, and by a plan that is kept: for a list of
/// keys it would be made anew each time, which takes longer than the look-up.
pub(super) const POSTGRES_BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
     SET jit = off; SET plan_cache_mode = 'force_generic_plan'";

/// Selects the active generation of each live projection.
pub(super) const ACTIVE_GENERATIONS: &str = "SELECT name, generation FROM projection WHERE state = 'active'";

/// SQLite's own waiting for its one lock sleeps ever longer, and would find it taken again and again beside a busy writer; a large
/// cache spares the pages of an index that is written all over.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 2; PRAGMA cache_size = -65536";
/// A page that is written again and again goes from the log of writes (WAL) into the file once in 64 MiB of them.
const SQLITE_LAZILY: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384";
/// How long SQLite's lock is tried for.
const SQLITE_PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(super) enum Connection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs one body over either connection: `on_connection!(connection, inner => sqlx::query(SQL).execute(inner).await)`.
macro_rules! on_connection {
    ($connection:expr, $inner:ident => $body:expr) => {
        match $connection {
            $crate::log::connection::Connection::Postgres(inner) => {
                let $inner = &mut *inner;
                $body
            }
            $crate::log::connection::Connection::Sqlite(inner) => {
                let $inner = &mut *inner;
                $body
            }
        }
    };
}
pub(super) use on_connection;

impl Connection {
    /// Opens one beside a pool, with the pool's own options.
    pub(super) async fn open(db: &Db) -> Result<Self, sqlx::Error> {
        let mut connection = match db {
            Db::Postgres(pool) => Self::Postgres(pool.connect_options().connect().await?),
            Db::Sqlite(sqlite) => Self::Sqlite(sqlite.pool().connect_options().connect().await?),
        };
        let session = match connection.dialect() {
            Dialect::Postgres => POSTGRES_SESSION,
            Dialect::Sqlite => SQLITE_SESSION,
        };
        connection.run(session).await?;
        Ok(connection)
    }

    /// Opens one that looks rows up by their keys, a batch at a time.
    pub(super) async fn open_by_index(db: &Db) -> Result<Self, sqlx::Error> {
        let mut connection = Self::open(db).await?;
        if matches!(connection, Self::Postgres(_)) {
            connection.run(POSTGRES_BY_INDEX).await?;
        }
        Ok(connection)
    }

    pub(super) const fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs statements that take and give nothing. In a box: or the compiler does not see that what waits for it may go to another thread.
    pub(super) fn run<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        match self {
            Self::Postgres(connection) => Box::pin(async move { connection.execute(sql).await.map(drop) }),
            Self::Sqlite(connection) => Box::pin(async move { connection.execute(sql).await.map(drop) }),
        }
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        match self.dialect() {
            Dialect::Postgres => self.run("BEGIN").await,
            Dialect::Sqlite => {
                let begun = Instant::now();
                loop {
                    match self.run("BEGIN IMMEDIATE").await {
                        Err(error) if is_locked(&error) && begun.elapsed() < SQLITE_PATIENCE => tokio::task::yield_now().await,
                        outcome => return outcome,
                    }
                }
            }
        }
    }

    /// Whether commits need not wait for the disk: right where a lost one is done again.
    pub(super) async fn lazily(&mut self, lazily: bool) -> Result<(), sqlx::Error> {
        self.run(match (self.dialect(), lazily) {
            (Dialect::Postgres, true) => "SET synchronous_commit = off",
            (Dialect::Postgres, false) => "SET synchronous_commit = on",
            (Dialect::Sqlite, true) => SQLITE_LAZILY,
            (Dialect::Sqlite, false) => "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000",
        })
        .await
    }

    /// Begins a transaction that reads one moment's state.
    pub(super) async fn begin_snapshot(&mut self) -> Result<(), sqlx::Error> {
        match self.dialect() {
            Dialect::Postgres => self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
            Dialect::Sqlite => self.run("BEGIN").await,
        }
    }

    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await
    }

    pub(super) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.run("ROLLBACK").await
    }

    /// Takes the head lock, for as long as the transaction lasts, and gives the head's position.
    pub(super) async fn lock_head(&mut self) -> Result<i64, sqlx::Error> {
        let sql = match self.dialect() {
            Dialect::Postgres => "SELECT position FROM log_head FOR UPDATE",
            // The transaction has the only lock already.
            Dialect::Sqlite => "SELECT position FROM log_head",
        };
        on_connection!(self, inner => sqlx::query_scalar(sql).fetch_one(inner).await)
    }

    /// The active generation of each live projection.
    pub(super) async fn active_generations(&mut self) -> Result<BTreeMap<String, i64>, sqlx::Error> {
        let rows: Vec<(String, i64)> = on_connection!(self, inner => sqlx::query_as(ACTIVE_GENERATIONS).fetch_all(inner).await)?;
        Ok(rows.into_iter().collect())
    }

    /// Writes what events change in a generation of a projection's table.
    pub(super) async fn write(&mut self, table: &Table, generation: i64, changes: &Changes) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => table.write_postgres(connection, generation, 0, changes).await,
            Self::Sqlite(connection) => table.write_sqlite(connection, generation, 0, changes).await,
        }
    }
}

/// Whether somebody else has a lock that is needed.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else { return false };
    match code.as_ref() {
        // PostgreSQL: lock_not_available, deadlock_detected.
        "55P03" | "40P01" => true,
        sqlite => sqlite.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, BUSY | LOCKED)),
    }
}
