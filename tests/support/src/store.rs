//! A migrated store of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use grantlog::log::{Log, LogSettings};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A store that nobody else uses. A database on PostgreSQL goes with the test's private server, a file with its folder.
pub struct Store {
    pub kind: Kind,
    pub settings: LogSettings,
    folder: TempDir,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Names the PostgreSQL server, by the URL of a superuser.
const SERVER: &str = "GRANTLOG_TEST_POSTGRES";
/// Read connections of a test's store: many stores share a server.
const CONNECTIONS: u32 = 3;

impl Store {
    /// A new, migrated store.
    pub async fn new(kind: Kind) -> Self {
        let store = Self::unmigrated(kind).await;
        Log::migrate(&store.settings).await.expect("the store can be migrated");
        store
    }

    /// A new store with nothing in it.
    pub async fn unmigrated(kind: Kind) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("grantlog.db").display()),
            Kind::Postgres => postgres_database().await,
        };
        Self { kind, settings: LogSettings { url, connections: CONNECTIONS, queue: 4096, archive: None }, folder }
    }

    /// Opens the log: a node of its own each time.
    pub async fn open(&self) -> Log {
        Log::open(&self.settings).await.expect("the store can be opened")
    }

    /// A folder of the test's own.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

async fn postgres_database() -> String {
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is the URL of a PostgreSQL superuser, such as postgres://postgres@127.0.0.1:5432/postgres")
    });
    // By a number of its own too: another process may have had the same id.
    let (process, number) = (std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    let name = format!("grantlog_{process}_{number}_{:08x}", fastrand::u32(..));
    let mut admin = PgConnection::connect(&server).await.expect("the PostgreSQL server answers");
    sqlx::query(&format!("CREATE DATABASE {name}")).execute(&mut admin).await.expect("a database can be made");
    let (address, _) = server.rsplit_once('/').expect("the URL names a database");
    format!("{address}/{name}")
}
