//! A store of its own for each sentence, with the live projections' first generation in it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::{Digest, Event, StreamId};
use projections::{
    Changes, Db, Dialect, LIVE, Recorded, SqliteStore, Table, on_db,
    token::{self, TokenRow, Wanted},
};
use sqlx::{Connection, PgConnection, PgPool, SqlitePool, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::events::terms;

pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) head: i64,
    _folder: Option<TempDir>,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Store {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("store.db")).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        Self::with(Db::Sqlite(SqliteStore::new(pool).unwrap()), Some(folder)).await
    }

    /// A database of its own, on the server that `GRANTLOG_TEST_POSTGRES` names.
    pub(crate) async fn postgres() -> Self {
        let url = std::env::var("GRANTLOG_TEST_POSTGRES").expect(
            "GRANTLOG_TEST_POSTGRES is the URL of a PostgreSQL superuser, such as postgres://postgres@127.0.0.1:5432/postgres",
        );
        // By a moment too: another process may have had the same id.
        let (process, number) = (std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let name = format!("projections_{process}_{number}_{moment}");
        let mut admin = PgConnection::connect(&url).await.unwrap();
        sqlx::query(&format!("CREATE DATABASE {name}")).execute(&mut admin).await.unwrap();
        let options = url.parse::<PgConnectOptions>().unwrap().database(&name);
        Self::with(Db::Postgres(PgPool::connect_with(options).await.unwrap()), None).await
    }

    async fn with(db: Db, folder: Option<TempDir>) -> Self {
        let store = Self { db, head: 0, _folder: folder };
        let heads = match store.db.dialect() {
            Dialect::Postgres => include_str!("../../../migrations/postgres/20261124000002_heads.sql"),
            Dialect::Sqlite => include_str!("../../../migrations/sqlite/20261124000002_heads.sql"),
        };
        store.run(&[heads.to_owned()]).await;
        for table in LIVE {
            store.run(&table.create_generation(store.db.dialect(), 1)).await;
            store.run(&table.create_view(store.db.dialect(), 1)).await;
        }
        store
    }

    pub(crate) async fn run(&self, statements: &[String]) {
        for statement in statements {
            on_db!(&self.db, pool => { sqlx::raw_sql(statement).execute(pool).await.unwrap(); });
        }
    }

    /// Writes one batch, as the log does.
    pub(crate) async fn write(&mut self, events: &[(StreamId, Event)]) {
        let changes = projected(events);
        for table in LIVE {
            self.write_changes(table, 1, &changes).await;
        }
        self.head += i64::try_from(events.len()).unwrap();
    }

    pub(crate) async fn write_changes(&self, table: &Table, generation: i64, changes: &Changes) {
        match &self.db {
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await.unwrap();
                table.write_postgres(&mut connection, generation, self.head, changes).await.unwrap();
            }
            Db::Sqlite(sqlite) => {
                let mut connection = sqlite.pool().acquire().await.unwrap();
                table.write_sqlite(&mut connection, generation, self.head, changes).await.unwrap();
            }
        }
    }

    pub(crate) async fn token(&self, secret: &str) -> TokenRow {
        let digest = Digest::of(secret.as_bytes()).as_str().to_owned();
        let wanted = ["unknown".to_owned(), digest].map(|digest| Wanted { digest, caller: None });
        token::find(&self.db, &wanted).await.unwrap().remove(0).token
    }
}

pub(crate) fn projected(events: &[(StreamId, Event)]) -> Changes {
    let mut changes = Changes::default();
    let terms = terms();
    for (position, (stream, event)) in (1..).zip(events) {
        projections::project(&Recorded { position, stream, event, terms: Some(&terms) }, &mut changes).unwrap();
    }
    changes
}
