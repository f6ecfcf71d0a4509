//! A SQLite file: a pool of connections, and beside it a thread for the look-ups that many share. Through the pool each row goes from a
//! thread to another and wakes it, which costs more than to find it.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction};
use sqlx::SqlitePool;
use tokio::sync::oneshot;

/// How long a look-up waits for a lock: none is held against readers for longer than it takes to recover a file.
const BUSY: Duration = Duration::from_secs(5);

/// The connections to a file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    look_ups: mpsc::Sender<LookUp>,
}

type LookUp = Box<dyn FnOnce(&mut Reader) + Send>;

impl SqliteStore {
    /// Starts the thread beside a pool. It ends with the last clone.
    ///
    /// # Errors
    /// That there is no thread to be had.
    pub fn new(pool: SqlitePool) -> Result<Self, sqlx::Error> {
        let mut reader = Reader { path: pool.connect_options().get_filename().to_owned(), connection: None };
        let (look_ups, waiting) = mpsc::channel::<LookUp>();
        let read = move || waiting.into_iter().for_each(|look_up| look_up(&mut reader));
        thread::Builder::new().name("grantlog-reader".to_owned()).spawn(read)?;
        Ok(Self { pool, look_ups })
    }

    /// The pool, for all but the look-ups that many share.
    #[must_use]
    pub const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Looks up what many wait for together, in one snapshot.
    ///
    /// # Errors
    /// What the store says, or that the pool was closed.
    pub async fn look_up<T, L>(&self, look: L) -> Result<T, sqlx::Error>
    where
        T: Send + 'static,
        L: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        let (answer, found) = oneshot::channel();
        let look_up = move |reader: &mut Reader| {
            if !answer.is_closed() {
                drop(answer.send(reader.look_up(look)));
            }
        };
        self.look_ups.send(Box::new(look_up)).map_err(|_| sqlx::Error::WorkerCrashed)?;
        let found = found.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        found.map_err(|error| sqlx::Error::AnyDriverError(error.into()))
    }
}

/// What the thread reads from. Opened when it is needed, and anew after an error.
struct Reader {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Reader {
    fn look_up<T>(&mut self, look: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open(&self.path)?,
        };
        let snapshot = connection.transaction()?;
        let found = look(&snapshot)?;
        snapshot.finish()?;
        self.connection = Some(connection);
        Ok(found)
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

    use super::SqliteStore;

    async fn look(store: &SqliteStore, sql: &'static str) -> Result<i64, sqlx::Error> {
        store.look_up(move |snapshot| snapshot.prepare_cached(sql)?.query_row([], |row| row.get(0))).await
    }

    #[tokio::test]
    async fn a_look_up_sees_what_is_committed_and_an_error_is_that_look_ups_alone() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("store.db"));
        let store = SqliteStore::new(SqlitePool::connect_lazy_with(options.create_if_missing(true))).unwrap();
        assert!(look(&store, "SELECT 1").await.is_err(), "there is no file yet");
        sqlx::raw_sql("CREATE TABLE lamp (n); INSERT INTO lamp VALUES (1)").execute(store.pool()).await.unwrap();
        assert_eq!(look(&store, "SELECT count(*) FROM lamp").await.unwrap(), 1);
        sqlx::query("INSERT INTO lamp VALUES (2)").execute(store.pool()).await.unwrap();
        assert!(look(&store, "SELECT colour FROM lamp").await.is_err());
        assert_eq!(look(&store, "SELECT count(*) FROM lamp").await.unwrap(), 2);
        assert!(look(&store, "DELETE FROM lamp RETURNING 1").await.is_err(), "it only reads");
        store.pool().close().await;
        assert!(matches!(look(&store, "SELECT 1").await, Err(sqlx::Error::PoolClosed)));
    }
}
