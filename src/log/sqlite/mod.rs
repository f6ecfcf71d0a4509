//! Appending to SQLite: a thread of its own writes the batches, over a connection of its own, by statements that stay prepared. The command
//! line may append beside the server: positions are read inside the transaction.

mod append;
mod live;
mod session;

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    batch::Columns,
    migrate::Start,
    write::{Outcome, WriteError},
};
use live::LiveStatements;
pub(super) use session::{READERS, pool_options};

/// After so long a lock is asked for anew.
const SHORTLY: Duration = Duration::from_millis(2);
const FIND_COMMAND: &str = "SELECT max(position) FROM events WHERE position > ?1 AND command_id = ?2";

/// A batch, and what it was made for.
pub(super) struct Batch {
    pub(super) start: Start,
    /// The active generation of each live projection.
    pub(super) generations: Arc<BTreeMap<String, i64>>,
    pub(super) columns: Arc<Columns>,
}

/// Writes batches in a thread of its own, which ends after the batch under way when this is dropped.
pub(super) struct SqliteWriter {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Write {
        batch: Batch,
        outcome: oneshot::Sender<Result<Outcome, WriteError>>,
    },
    /// Takes the file's lock, and keeps it until the next job.
    Hold {
        held: oneshot::Sender<Result<(), WriteError>>,
    },
    /// Gives the lock back without having written.
    Release,
}

impl SqliteWriter {
    /// Starts the thread, and opens the file there.
    pub(super) async fn connect(url: &str) -> Result<Self, WriteError> {
        let (jobs, waiting) = mpsc::channel();
        let (opened, answer) = oneshot::channel();
        let url = url.to_owned();
        spawn(move || match session::open_writer(&url) {
            Ok(connection) => {
                drop(opened.send(Ok(())));
                write_batches(&connection, &waiting);
            }
            Err(error) => drop(opened.send(Err(WriteError::lost(error)))),
        })?;
        answer.await.unwrap_or_else(|_| Err(ended()))?;
        Ok(Self { jobs })
    }

    /// Writes a batch. Dropped before it has the outcome, it leaves a batch that is either being committed, under the file's lock, or
    /// never will be.
    pub(super) async fn append(&self, batch: Batch) -> Result<Outcome, WriteError> {
        let (outcome, answer) = oneshot::channel();
        self.jobs.send(Job::Write { batch, outcome }).map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Takes the file's lock, until the next append or its release.
    pub(super) async fn hold(&self) -> Result<(), WriteError> {
        let (held, answer) = oneshot::channel();
        self.jobs.send(Job::Hold { held }).map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Gives the lock back, if it is held.
    pub(super) fn release(&self) -> Result<(), WriteError> {
        self.jobs.send(Job::Release).map_err(|_| ended())
    }

    /// Which of these commands are in the log after a position. Whoever might still write one has finished: the lock is ours.
    pub(super) async fn find_commands(url: &str, after: i64, ids: Vec<String>) -> Result<BTreeMap<String, i64>, WriteError> {
        let (found, answer) = oneshot::channel();
        let url = url.to_owned();
        spawn(move || drop(found.send(find_commands(&url, after, ids).map_err(WriteError::lost))))?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Starts a thread that nothing waits for: a file system that hangs holds up neither the server nor its end.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), WriteError> {
    let thread = thread::Builder::new().name("grantlog-writer".to_owned()).spawn(work);
    thread.map(drop).map_err(WriteError::lost)
}

fn ended() -> WriteError {
    WriteError::lost("the writer's thread has ended")
}

fn write_batches(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    let mut live = None;
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Write { batch, outcome } => write(|| begin(connection), &mut live, batch, outcome),
            Job::Hold { held } => match begin_patiently(connection) {
                Ok(transaction) => {
                    if held.send(Ok(())).is_ok()
                        && let Ok(Job::Write { batch, outcome }) = jobs.recv()
                    {
                        write(|| Ok(transaction), &mut live, batch, outcome);
                    }
                }
                Err(error) => drop(held.send(Err(error))),
            },
            Job::Release => {}
        }
    }
}

/// Writes a batch in a transaction, and tells what came of it.
fn write<'a>(
    begin: impl FnOnce() -> Result<Transaction<'a>, WriteError>,
    live: &mut Option<LiveStatements>,
    batch: Batch,
    outcome: oneshot::Sender<Result<Outcome, WriteError>>,
) {
    let switches = batch.start.generations;
    let live = match live.take().filter(|live| live.are_of(switches)) {
        Some(kept) => live.insert(kept),
        None => live.insert(LiveStatements::of(switches, &batch.generations)),
    };
    let written = begin().and_then(|transaction| append::append(transaction, live, &batch, || !outcome.is_closed()));
    // Before the answer: so that the batch is freed where it was made.
    drop(batch);
    drop(outcome.send(written));
}

/// Begins a transaction that has the file's lock. It is taken back where it is dropped.
fn begin(connection: &Connection) -> Result<Transaction<'_>, WriteError> {
    if !connection.is_autocommit() {
        return Err(WriteError::lost("the transaction before this one could not be taken back"));
    }
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(write_error)
}

/// Begins one beside a busy writer of another process. SQLite's own waiting sleeps ever longer, and would find the lock taken again and
/// again.
fn begin_patiently(connection: &Connection) -> Result<Transaction<'_>, WriteError> {
    let asked = Instant::now();
    connection.busy_timeout(SHORTLY).map_err(write_error)?;
    let begun = loop {
        match begin(connection) {
            Err(WriteError::Slow(_)) if asked.elapsed() < session::BUSY => {}
            outcome => break outcome,
        }
    };
    connection.busy_timeout(session::BUSY).map_err(write_error)?;
    begun
}

fn find_commands(url: &str, after: i64, ids: Vec<String>) -> rusqlite::Result<BTreeMap<String, i64>> {
    let mut connection = session::open_writer(url)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut find = transaction.prepare(FIND_COMMAND)?;
    let mut found = BTreeMap::new();
    for id in ids {
        if let Some(position) = find.query_row((after, &id), |row| row.get::<_, Option<i64>>(0))? {
            found.insert(id, position);
        }
    }
    Ok(found)
}

/// What an error says of the batch, by SQLite's primary result code.
fn write_error(error: rusqlite::Error) -> WriteError {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    /// SQLITE_NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB: the store's trouble, not the data's.
    const TROUBLE: [i32; 8] = [7, 8, 9, 10, 11, 13, 14, 26];
    match error.sqlite_error().map(|error| error.extended_code & 0xff) {
        Some(BUSY | LOCKED) => WriteError::Slow(error.to_string()),
        Some(code) if !TROUBLE.contains(&code) => WriteError::Data(error.to_string()),
        Some(_) | None => WriteError::lost(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, sync::Arc, task::Context};

    use projections::Db;

    use super::{Batch, Columns, Outcome, SqliteWriter, session::open_writer};
    use crate::log::{Log, LogSettings, batch::EventRow, migrate};

    fn event(command_id: &str) -> Arc<Columns> {
        let event = EventRow {
            stream: domain::StreamId { aggregate_type: "client", aggregate_id: uuid::Uuid::now_v7() },
            sequence: 1,
            event_type: "client.registered".to_owned(),
            event_version: "1".to_owned(),
            payload: "{}".to_owned(),
            metadata: "{}".to_owned(),
            command_id: command_id.to_owned(),
        };
        Arc::new(Columns { events: Arc::new(vec![event]), ..Columns::default() })
    }

    #[tokio::test]
    async fn a_batch_that_nobody_waits_for_any_longer_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/store.db", folder.path().to_str().unwrap());
        let settings = LogSettings { url: url.clone(), connections: 2, queue: 1, archive: None };
        Log::migrate(&settings).await.unwrap();
        let db: Db = migrate::connect(&settings).await.unwrap();
        let (generations, start) = migrate::generations(&db).await.unwrap();
        let generations = Arc::new(generations);
        let batch = |command_id| Batch { start, generations: generations.clone(), columns: event(command_id) };

        let another = open_writer(&url).unwrap();
        another.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writer = SqliteWriter::connect(&url).await.unwrap();
        {
            let mut given_up = pin!(writer.append(batch("given up")));
            assert!(given_up.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        }
        another.execute_batch("ROLLBACK").unwrap();

        let ids = vec!["given up".to_owned(), "awaited".to_owned()];
        assert!(SqliteWriter::find_commands(&url, 0, ids.clone()).await.unwrap().is_empty());
        assert!(matches!(writer.append(batch("awaited")).await, Ok(Outcome::Written { base: 0, .. })));
        let found = SqliteWriter::find_commands(&url, 0, ids).await.unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("awaited".to_owned(), 1)]);
    }
}
