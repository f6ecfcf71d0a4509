//! The append-only log: what is true. One writer a process commits whole batches at gapless positions, in commit order.

mod append;
pub mod archive;
pub mod backup;
mod batch;
mod checkpoint;
pub mod coalesce;
mod connection;
mod cosigned;
pub mod digest;
mod envelope;
mod epochs;
mod fold;
mod follow;
mod head;
mod hold;
mod lease;
mod mails;
mod migrate;
mod notices;
mod postgres;
mod project;
mod read;
pub mod rebuild;
pub mod sample;
mod settings;
mod sqlite;
mod stored;
mod sweep;
mod tail;
mod tiles;
mod turn;
mod watch;
pub mod whole_file;
mod write;

use std::{fmt, sync::Arc, time::Duration};

pub use append::{
    Actor, Append, AppendError, Appended, ClaimChange, EphemeralChange, Guard, Metadata, NewEvent, StreamAppend, VaultChange,
};
use archive::Archive;
pub use checkpoint::Row;
use coalesce::Coalescer;
use domain::StreamId;
pub use envelope::NotAnEvent;
pub use epochs::Epochs;
pub use fold::FoldError;
pub use follow::Follower;
use head::Head;
pub use hold::Hold;
pub use lease::Lease;
pub use mails::{PendingMail, QueuedMail};
pub use migrate::MigrateError;
pub use notices::PendingNotice;
pub use project::ProjectError;
use projections::Db;
pub use settings::LogSettings;
pub use stored::{StoredEvent, StoredHead};
use tail::Tail;
pub use tiles::{Sealed, TILE_BYTES, Tile};
use tokio::sync::{Semaphore, mpsc};
pub use turn::{Turn, TurnOf};
use uuid::Uuid;

/// The longest that an append waits for its outcome.
const APPEND: Duration = Duration::from_secs(10);
/// The longest that a look-up takes. The store's own limits are shorter; this one holds where the store is silent.
const LOOK_UP: Duration = Duration::from_secs(5);

/// The store does not answer, or not in time, or is too busy. The caller may come back; of an append it is not known whether it was
/// written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer")]
pub struct Unavailable;

impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "the store does not answer");
        Self
    }
}

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    db: Db,
    archive: Archive,
    epoch: Uuid,
    queue: mpsc::UnboundedSender<write::Job>,
    /// One for each append that waits or is being written.
    places: Arc<Semaphore>,
    places_in_all: usize,
    heads: Coalescer<StreamId, StoredHead>,
    head: Arc<Head>,
    tail: Arc<Tail>,
}

impl Log {
    /// Opens a migrated store, and starts the writer and what watches for the appends of others.
    ///
    /// # Errors
    /// That the store does not answer, or has not been migrated, or was taken over by a later grantlog.
    pub async fn open(settings: &LogSettings) -> Result<Self, MigrateError> {
        let log = Self::open_in_any_form(settings).await?;
        migrate::check_forms(log.db()).await?;
        Ok(log)
    }

    /// As [`Log::open`], also where the read models are those of another grantlog: to read the log, or to take them back. Nothing can be
    /// appended there.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub async fn open_in_any_form(settings: &LogSettings) -> Result<Self, MigrateError> {
        let db = migrate::connect(settings).await?;
        let start = migrate::current_head(&db).await?;
        let head = Arc::new(Head::at(start.position));
        let (queue, waiting) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(settings.queue));
        let heads_db = (db.clone(), head.clone());
        let heads = Coalescer::new("head", move |streams: Vec<StreamId>| {
            let (db, head) = heads_db.clone();
            async move { read::heads(&db, &head, streams).await }
        });
        let tail = Arc::new(Tail::default());
        let writer = write::Writer::new(settings.url.clone(), db.clone(), start, (head.clone(), tail.clone()));
        tokio::spawn(writer.run(waiting));
        tokio::spawn(watch::follow(settings.url.clone(), db.clone(), head.clone()));
        let archive = Archive::new(db.clone(), settings.archive.clone());
        let (epoch, places_in_all) = (start.epoch, settings.queue);
        Ok(Self(Arc::new(Inner { db, archive, epoch, queue, places, places_in_all, heads, head, tail })))
    }

    /// Brings a store's tables to this program's form, and makes the tables of the live projections: those that an earlier grantlog had
    /// otherwise, or not at all, are built from the log while its nodes serve. One node does it, others wait.
    ///
    /// # Errors
    /// That the store does not answer, or is newer than the program.
    pub async fn migrate(settings: &LogSettings) -> Result<(), MigrateError> {
        migrate::migrate(settings, 100, &mut |_| {}).await
    }

    /// As [`Log::migrate`], for so large a share of the time, in percent (1 to 100): the rest is left to the nodes that serve.
    ///
    /// # Errors
    /// As [`Log::migrate`].
    pub async fn migrate_at(
        settings: &LogSettings,
        duty: u8,
        progress: &mut (dyn FnMut(rebuild::Progress) + Send),
    ) -> Result<(), MigrateError> {
        migrate::migrate(settings, duty, progress).await
    }

    /// Writes an append: all of it or nothing. Answers when it is durable. One that nobody waits for any longer is not begun.
    ///
    /// # Errors
    /// What it lost against, or that the store does not answer, or not in time, or that too many wait.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.send(append, |waiting| self.0.queue.send(write::Job::Append(waiting)).is_ok()).await
    }

    /// Hands an append to the writer, and waits for what comes of it.
    async fn send(&self, append: Append, hand_over: impl FnOnce(write::Waiting) -> bool) -> Result<Appended, AppendError> {
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| AppendError::Unavailable)?;
        let (answer, outcome) = tokio::sync::oneshot::channel();
        if !hand_over(write::Waiting { append, answer, place }) {
            return Err(AppendError::Unavailable);
        }
        match tokio::time::timeout(APPEND, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(AppendError::Unavailable),
        }
    }

    /// The heads of streams, in the order asked; `None` for a stream that is not there.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn load(&self, streams: &[StreamId]) -> Result<Vec<Option<StoredHead>>, Unavailable> {
        let look_ups = streams.iter().map(|stream| self.0.heads.get(stream.clone()));
        futures_util::future::try_join_all(look_ups).await
    }

    /// Events after a position, in order.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn read(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>, Unavailable> {
        read::after(self.archive(), self.db(), after, limit).await
    }

    /// As [`Log::read`], but those that this process wrote last are given as it wrote them, without a look into the store.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn read_as_written(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>, Unavailable> {
        match self.0.tail.after(after, limit) {
            Some(events) => Ok(events),
            None => self.read(after, limit).await,
        }
    }

    /// Events of these types after a position and up to another, in order; where this process wrote all that stand there, as it wrote them.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn read_types(&self, types: &[String], after: i64, to: i64, limit: u32) -> Result<Vec<StoredEvent>, Unavailable> {
        match self.0.tail.of_types(types, (after, to), limit) {
            Some(events) => Ok(events),
            None => read::of_types(self.archive(), self.db(), types, (after, to), limit).await,
        }
    }

    /// The events at these positions, in order.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn read_at(&self, positions: &[i64]) -> Result<Vec<StoredEvent>, Unavailable> {
        read::at(self.archive(), self.db(), positions).await
    }

    /// Follows the log after a position, in batches of so many events at most.
    #[must_use]
    pub fn follow(&self, after: i64, limit: u32) -> Follower {
        Follower::new(self.clone(), after, limit)
    }

    /// The events of a stream after a position, in order, as they are stored. An id alone may name streams of several types.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn history(&self, types: &[&str], id: Uuid, after: i64, limit: u32) -> Result<Vec<StoredEvent>, Unavailable> {
        read::history(self.archive(), self.db(), (types, id), after, limit).await
    }

    /// A stream's events, loaded by postgres-es or sqlite-es, to fold it anew.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer or an event cannot be read.
    pub async fn read_stream<A: domain::Decide>(&self, id: Uuid) -> Result<Vec<A::Event>, Unavailable> {
        read::stream::<A>(self.archive(), self.db(), id).await
    }

    /// The id of this log's epoch: a restored log begins another.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.0.epoch
    }

    /// All epochs that it has had.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn epochs(&self) -> Result<Epochs, Unavailable> {
        epochs::epochs(&self.0.db).await
    }

    /// Appends that wait or are being written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.places_in_all - self.0.places.available_permits()
    }

    /// The pool that the live read models are read through.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Where the oldest events stand.
    pub(in crate::log) fn archive(&self) -> &Archive {
        &self.0.archive
    }

    /// Whether the read models are of this program's form. Where a later grantlog has taken the store over, this one appends no more.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn is_ours(&self) -> Result<bool, Unavailable> {
        match migrate::forms(self.db()).await? {
            migrate::Forms::Ours => Ok(true),
            migrate::Forms::Earlier(_) | migrate::Forms::Later(_) => Ok(false),
        }
    }

    /// Asks the store for its clock, in microseconds since the Unix epoch.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer.
    pub async fn store_clock(&self) -> Result<i64, Unavailable> {
        read::store_clock(&self.0.db).await
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log(epoch {}, head {})", self.0.epoch, self.known_head())
    }
}
