//! The store of each sentence, and a second way in: to look at its rows, to hold its locks, to come by another way.

use grantlog::log::{Log, LogSettings};
use projections::{Db, on_db};
use sqlx::postgres::PgConnectOptions;
pub(crate) use support::{Kind, Store};

/// The host and port of the PostgreSQL server.
pub(crate) fn address(store: &Store) -> String {
    let options: PgConnectOptions = store.settings.url.parse().unwrap();
    format!("{}:{}", options.get_host(), options.get_port())
}

/// The settings of a node that reaches PostgreSQL by another address.
pub(crate) fn by_way_of(store: &Store, other: &str) -> LogSettings {
    LogSettings { url: store.settings.url.replace(&address(store), other), ..store.settings.clone() }
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
            Db::Sqlite(sqlite) => Self::File(sqlite.pool().begin_with("BEGIN IMMEDIATE").await.unwrap()),
        }
    }

    pub(crate) async fn release(self) {
        match self {
            Self::Head(transaction) => transaction.rollback().await.unwrap(),
            Self::File(transaction) => transaction.rollback().await.unwrap(),
        }
    }
}
