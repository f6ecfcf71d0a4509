//! A store of its own for each sentence, and a second way in, to look at its rows and to hold its locks.

use std::sync::atomic::{AtomicU32, Ordering};

use grantlog::log::{Log, LogSettings};
use projections::{Db, on_db};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

pub(crate) struct Store {
    pub(crate) settings: LogSettings,
    _folder: Option<TempDir>,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Store {
    /// A migrated file.
    pub(crate) async fn sqlite() -> Self {
        Self::empty_sqlite().migrated().await
    }

    /// A migrated database on the server that `GRANTLOG_TEST_POSTGRES` names.
    pub(crate) async fn postgres() -> Self {
        Self::empty_postgres().await.migrated().await
    }

    pub(crate) fn empty_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("grantlog.db").display());
        Self { settings: LogSettings { url, connections: 4, queue: 4096 }, _folder: Some(folder) }
    }

    pub(crate) async fn empty_postgres() -> Self {
        let server: PgConnectOptions = server().parse().unwrap();
        let name = format!("log_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect_with(&server).await.unwrap();
        sqlx::query(&format!("CREATE DATABASE {name}")).execute(&mut admin).await.unwrap();
        let url = format!("postgres://{}@{}:{}/{name}", server.get_username(), server.get_host(), server.get_port());
        Self { settings: LogSettings { url, connections: 4, queue: 4096 }, _folder: None }
    }

    async fn migrated(self) -> Self {
        Log::migrate(&self.settings).await.unwrap();
        self
    }

    /// A node: one process has one.
    pub(crate) async fn node(&self) -> Log {
        Log::open(&self.settings).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.settings.url.starts_with("postgres:")
    }

    /// The host and port of the PostgreSQL server.
    pub(crate) fn address(&self) -> String {
        let options: PgConnectOptions = self.settings.url.parse().unwrap();
        format!("{}:{}", options.get_host(), options.get_port())
    }

    /// The settings of a node that reaches PostgreSQL by another address.
    pub(crate) fn by_way_of(&self, address: &str) -> LogSettings {
        LogSettings { url: self.settings.url.replace(&self.address(), address), ..self.settings.clone() }
    }
}

fn server() -> String {
    std::env::var("GRANTLOG_TEST_POSTGRES").expect(
        "GRANTLOG_TEST_POSTGRES is the URL of a PostgreSQL superuser, such as postgres://postgres@127.0.0.1:5432/postgres",
    )
}

/// How many times a sentence about chance is tried: a sample, or with `GRANTLOG_TEST_SOAK` the whole.
pub(crate) fn rounds(sample: usize, whole: usize) -> usize {
    if std::env::var_os("GRANTLOG_TEST_SOAK").is_some() { whole } else { sample }
}

/// A number out of the store.
pub(crate) async fn number(log: &Log, sql: &str) -> i64 {
    on_db!(log.db(), pool => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap())
}

/// A text out of the store, where there is one.
pub(crate) async fn text(log: &Log, sql: &str) -> Option<String> {
    on_db!(log.db(), pool => sqlx::query_scalar(sql).fetch_optional(pool).await.unwrap())
}

pub(crate) async fn run(log: &Log, sql: &str) {
    on_db!(log.db(), pool => { sqlx::raw_sql(sql).execute(pool).await.unwrap(); });
}

/// What every append needs, held as another node would hold it.
pub(crate) enum Lock {
    Head(sqlx::Transaction<'static, sqlx::Postgres>),
    File(sqlx::Transaction<'static, sqlx::Sqlite>),
}

impl Lock {
    pub(crate) async fn take(log: &Log) -> Self {
        match log.db() {
            Db::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query("SELECT * FROM log_head FOR UPDATE").execute(&mut *transaction).await.unwrap();
                Self::Head(transaction)
            }
            Db::Sqlite(pool) => Self::File(pool.begin_with("BEGIN IMMEDIATE").await.unwrap()),
        }
    }

    pub(crate) async fn release(self) {
        match self {
            Self::Head(transaction) => transaction.rollback().await.unwrap(),
            Self::File(transaction) => transaction.rollback().await.unwrap(),
        }
    }
}
