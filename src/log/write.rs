//! The writer: takes all appends that wait, without a timer, and commits them in one batch. Outcomes are each command's own.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use projections::Db;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{
    Head,
    append::{Append, AppendError, Appended},
    batch::{self, Columns, Failed},
    hold,
    migrate::{self, Forms, Start},
    postgres::PostgresWriter,
    sqlite::{Batch, SqliteWriter},
    tail::Tail,
};

/// The longest that one batch may take before its connection is given up.
const PATIENCE: Duration = Duration::from_secs(8);

/// An append, and who waits for its outcome.
pub(super) struct Waiting {
    pub(super) append: Append,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
    /// Its place among those that may wait.
    pub(super) place: OwnedSemaphorePermit,
}

impl Waiting {
    fn answer(self, outcome: Result<Appended, AppendError>) {
        drop(self.place);
        drop(self.answer.send(outcome));
    }
}

/// What the writer is asked for.
pub(super) enum Job {
    Append(Waiting),
    Hold(hold::Asked),
}

/// What a store makes of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All of it is durable; the first event has the position after `base`, and all were recorded in this microsecond.
    Written { base: i64, recorded_at: i64 },
    /// Nothing was written, because these rows do not hold.
    Failed(Vec<Failed>),
    /// Nothing was written: the live projections have been switched to other generations.
    OtherGenerations,
    /// Nothing was written: the log was restored under us.
    OtherEpoch,
    /// Nothing was written: the live projections are those of another grantlog.
    OtherForms,
}

/// Why a store has no outcome.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Some of the data was refused; nothing was written.
    Data(String),
    /// Nothing was written: it took too long, or another had the lock.
    Slow(String),
    /// The connection was lost: nobody knows.
    Lost(String),
}

impl WriteError {
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
    pub(super) fn lost(cause: impl ToString) -> Self {
        Self::Lost(cause.to_string())
    }
}

enum Connection {
    Postgres(PostgresWriter),
    Sqlite(SqliteWriter),
}

/// Writes batches over a connection of its own.
pub(super) struct Writer {
    url: String,
    db: Db,
    connection: Option<Connection>,
    start: Start,
    generations: Arc<BTreeMap<String, i64>>,
    head: Arc<Head>,
    tail: Arc<Tail>,
    next_partition_check: i64,
}

impl Writer {
    pub(super) fn new(url: String, db: Db, start: Start, (head, tail): (Arc<Head>, Arc<Tail>)) -> Self {
        Self { url, db, connection: None, start, generations: Arc::default(), head, tail, next_partition_check: 0 }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        let mut waiting = VecDeque::new();
        loop {
            let first = match waiting.is_empty() {
                true => queue.recv().await,
                false => None,
            };
            if waiting.is_empty() && first.is_none() {
                return;
            }
            let mut next = first.or_else(|| queue.try_recv().ok());
            while let Some(job) = next {
                match job {
                    Job::Append(append) => waiting.push_back(append),
                    Job::Hold(asked) => self.hold(asked).await,
                }
                next = queue.try_recv().ok();
            }
            if waiting.is_empty() {
                continue;
            }
            let batch = batch::take(&mut waiting);
            metrics::histogram!("grantlog_append_batch").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let begun = Instant::now();
            self.write(batch).await;
            metrics::histogram!("grantlog_append_seconds").record(begun.elapsed());
        }
    }

    /// Writes a batch, and answers each of its commands.
    async fn write(&mut self, batch: Vec<Waiting>) {
        let mut batches = vec![batch];
        while let Some(mut commands) = batches.pop() {
            while !commands.is_empty() {
                let columns = match Columns::of(&commands) {
                    Ok(columns) => Arc::new(columns),
                    Err((owner, cause)) => {
                        commands.remove(owner).answer(Err(AppendError::Rejected(cause)));
                        continue;
                    }
                };
                let before = self.head.known();
                let attempt = tokio::time::timeout(PATIENCE, self.attempt(&columns)).await;
                match attempt.unwrap_or_else(|_| Err(WriteError::lost("no answer in time"))) {
                    Ok(Outcome::Written { base, recorded_at }) => {
                        self.tail.push(base, recorded_at, columns.events.clone());
                        self.acknowledge(commands, &columns, base).await;
                        break;
                    }
                    Ok(Outcome::Failed(failed)) => commands = answer_losers(commands, &columns, &failed),
                    Ok(Outcome::OtherGenerations) => self.generations = Arc::default(),
                    Ok(Outcome::OtherEpoch) => {
                        self.tail.clear();
                        tracing::error!(epoch = %self.start.epoch, "the log was restored under this process: it must be started anew");
                        fail_all(commands);
                        break;
                    }
                    Ok(Outcome::OtherForms) => {
                        tracing::error!("the read models are those of another grantlog: this process must give way to it");
                        fail_all(commands);
                        break;
                    }
                    Err(WriteError::Data(cause)) if commands.len() == 1 => {
                        tracing::error!(cause, "the store refused a command's data");
                        for command in std::mem::take(&mut commands) {
                            command.answer(Err(AppendError::Rejected(cause.clone())));
                        }
                    }
                    Err(WriteError::Data(_)) => {
                        let second = commands.split_off(commands.len() / 2);
                        batches.push(second);
                    }
                    Err(WriteError::Slow(cause)) => {
                        tracing::warn!(cause, "a batch took too long");
                        fail_all(commands);
                        break;
                    }
                    Err(WriteError::Lost(cause)) => {
                        tracing::warn!(cause, "the writer's connection was lost");
                        self.connection = None;
                        self.find_out(commands, before).await;
                        break;
                    }
                }
            }
        }
    }

    /// Takes the head lock for somebody, and writes what they send while it is held.
    async fn hold(&mut self, asked: hold::Asked) {
        let held = tokio::time::timeout(PATIENCE, self.take_lock()).await;
        match held.unwrap_or_else(|_| Err(WriteError::lost("no answer in time"))) {
            Ok(()) => {
                let (writer, append) = oneshot::channel();
                if asked.send(writer).is_ok()
                    && let Ok(Ok(waiting)) = tokio::time::timeout(hold::LONGEST, append).await
                {
                    self.write(vec![waiting]).await;
                }
            }
            Err(WriteError::Slow(cause) | WriteError::Data(cause)) => tracing::warn!(cause, "the head lock was not to be had"),
            Err(WriteError::Lost(cause)) => {
                tracing::warn!(cause, "the writer's connection was lost");
                self.connection = None;
            }
        }
        self.release().await;
    }

    async fn take_lock(&mut self) -> Result<(), WriteError> {
        match self.connected().await? {
            Connection::Postgres(writer) => writer.hold().await,
            Connection::Sqlite(writer) => writer.hold().await,
        }
    }

    /// Gives the head lock back, if it is held still.
    async fn release(&mut self) {
        let released = match &mut self.connection {
            Some(Connection::Postgres(writer)) => {
                tokio::time::timeout(PATIENCE, writer.release()).await.is_ok_and(|done| done.is_ok())
            }
            Some(Connection::Sqlite(writer)) => writer.release().is_ok(),
            None => true,
        };
        if !released {
            self.connection = None;
        }
    }

    async fn attempt(&mut self, columns: &Arc<Columns>) -> Result<Outcome, WriteError> {
        if self.generations.is_empty() {
            let (generations, start) = migrate::generations(&self.db).await.map_err(WriteError::lost)?;
            match migrate::forms(&self.db).await.map_err(WriteError::lost)? {
                Forms::Ours => {}
                Forms::Earlier(_) | Forms::Later(_) => return Ok(Outcome::OtherForms),
            }
            self.generations = Arc::new(generations);
            self.start.generations = start.generations;
        }
        let (start, generations) = (self.start, self.generations.clone());
        match self.connected().await? {
            Connection::Postgres(writer) => writer.append(&start, columns).await,
            Connection::Sqlite(writer) => writer.append(Batch { start, generations, columns: columns.clone() }).await,
        }
    }

    async fn connected(&mut self) -> Result<&mut Connection, WriteError> {
        if self.connection.is_none() {
            self.connection = Some(self.connect().await?);
        }
        Ok(self.connection.as_mut().expect("it was just made"))
    }

    async fn connect(&self) -> Result<Connection, WriteError> {
        match &self.db {
            Db::Postgres(_) => PostgresWriter::connect(&self.url).await.map(Connection::Postgres).map_err(WriteError::lost),
            Db::Sqlite(_) => SqliteWriter::connect(&self.url).await.map(Connection::Sqlite),
        }
    }

    async fn acknowledge(&mut self, commands: Vec<Waiting>, columns: &Columns, base: i64) {
        let end = base + i64::try_from(columns.events.len()).expect("a batch is small");
        self.head.note(end);
        for (command, last) in commands.into_iter().zip(&columns.last_event) {
            command.answer(Ok(Appended { position: base + last }));
        }
        if end >= self.next_partition_check
            && let Some(Connection::Postgres(writer)) = &mut self.connection
        {
            match writer.make_partitions(end).await {
                Ok(next) => self.next_partition_check = next,
                Err(error) => tracing::error!(%error, "the log's next partition could not be made"),
            }
        }
    }

    /// The connection was lost at an unknown moment: what is in the log after the head of before is acknowledged. Of the rest nothing
    /// is claimed: the store may be silent, and a process of it may still write what it was sent.
    async fn find_out(&mut self, commands: Vec<Waiting>, before: i64) {
        let ids: Vec<String> = commands.iter().map(|command| command.append.command_id.to_string()).collect();
        let looked = tokio::time::timeout(PATIENCE, async {
            match &self.db {
                Db::Postgres(_) => PostgresWriter::find_commands(&self.url, before, &ids).await.map_err(WriteError::lost),
                Db::Sqlite(_) => SqliteWriter::find_commands(&self.url, before, ids.clone()).await,
            }
        });
        let found = looked.await.unwrap_or_else(|_| Err(WriteError::lost("no answer in time"))).unwrap_or_else(|error| {
            tracing::warn!(?error, commands = ids.len(), "what became of a batch is not known");
            BTreeMap::new()
        });
        for command in commands {
            let position = found.get(&command.append.command_id.to_string()).copied();
            if let Some(position) = position {
                self.head.note(position);
            }
            command.answer(position.map(|position| Appended { position }).ok_or(AppendError::Unavailable));
        }
    }
}

fn fail_all(commands: Vec<Waiting>) {
    for command in commands {
        command.answer(Err(AppendError::Unavailable));
    }
}

/// Tells those that lost, and gives back the others.
fn answer_losers(commands: Vec<Waiting>, columns: &Columns, failed: &[Failed]) -> Vec<Waiting> {
    let mut lost: BTreeMap<usize, AppendError> = BTreeMap::new();
    for (owner, error) in failed.iter().flat_map(|failed| columns.losers(*failed)) {
        lost.entry(owner).or_insert(error);
    }
    let mut others = Vec::new();
    for (owner, command) in commands.into_iter().enumerate() {
        match lost.remove(&owner) {
            Some(error) => command.answer(Err(error)),
            None => others.push(command),
        }
    }
    others
}
