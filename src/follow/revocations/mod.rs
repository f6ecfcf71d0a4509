//! The revocations for those who ask over HTTP: the recent ones in memory, as this node follows the log; earlier ones out of the log; and the
//! snapshot of all that still matters. What it says of a position is that no revocation up to there is missing.

mod entry;
mod recent;
mod snapshot;
mod source;

use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

pub use entry::{Concerns, Entry};
use recent::Recent;
pub use snapshot::Snapshot;
use source::Source;
use tokio::sync::{Mutex, OnceCell, watch};

use crate::{
    clock::Clock,
    config::Settings,
    log::{Log, Unavailable},
};

/// Entries of a page at most.
pub const PAGE: u32 = 1_000;
/// After each look at the log, so that a busy one is not asked at every batch.
const REST: Duration = Duration::from_millis(2);
/// After the store did not answer.
const REST_AFTER_ERROR: Duration = Duration::from_millis(500);
/// A snapshot is renewed after so many seconds: whoever gets an earlier one goes on from its position all the same.
const KEPT: i64 = 5;
/// A wait for the head is bounded, so that a feed that nobody holds any more is noticed.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Some of the revocations after a position.
#[derive(Clone, Debug)]
pub struct Page {
    pub entries: Vec<Arc<Entry>>,
    /// With them, whoever knew all up to where they asked from knows all up to here.
    pub position: i64,
    /// Whether there are more already.
    pub more: bool,
}

/// The revocations of one issuer. Cheap to clone; it begins to follow the log at the first question.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    source: Source,
    recent: RwLock<Recent>,
    begun: OnceCell<()>,
    /// Held while the log is looked at.
    looking: Mutex<()>,
    /// The position of the last revocation that is known.
    last: watch::Sender<i64>,
    closed: watch::Sender<bool>,
    snapshot: Mutex<Option<Arc<Snapshot>>>,
}

impl Feed {
    /// Takes the issuer's log, settings and clock.
    #[must_use]
    pub fn new(log: Log, settings: Arc<Settings>, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            source: Source::new(log, settings, clock),
            recent: RwLock::new(Recent::default()),
            begun: OnceCell::new(),
            looking: Mutex::new(()),
            last: watch::Sender::new(0),
            closed: watch::Sender::new(false),
            snapshot: Mutex::new(None),
        }))
    }

    /// The revocations after a position: all that this node knows to be in the log.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn after(&self, position: i64) -> Result<Page, Unavailable> {
        self.begin().await?;
        self.0.look().await?;
        if let Some(page) = self.0.recent().after(position, PAGE) {
            return Ok(page);
        }
        let head = self.0.recent().position();
        let read = self.0.source.read(position, head, PAGE).await?;
        Ok(Page { more: read.position < head, entries: read.entries, position: read.position })
    }

    /// Waits until there is a revocation after a position, but not longer than this, nor when the server stops.
    pub async fn wait(&self, position: i64, longest: Duration) {
        let (mut last, mut closed) = (self.0.last.subscribe(), self.0.closed.subscribe());
        tokio::select! {
            _ = tokio::time::timeout(longest, last.wait_for(|last| *last > position)) => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    /// Whether the server stops: nobody waits any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.0.closed.borrow()
    }

    /// Lets nobody wait any more.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
    }

    /// All revocations that still matter, and the position that they are complete to.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Unavailable> {
        let (source, now) = (&self.0.source, self.0.source.now());
        let mut kept = self.0.snapshot.lock().await;
        if let Some(snapshot) = &*kept
            && (0..KEPT).contains(&now.seconds_since(snapshot.made))
        {
            return Ok(snapshot.clone());
        }
        self.begin().await?;
        self.0.look().await?;
        // Asked first: what comes meanwhile is in the set as well, and comes again after this position.
        let position = self.0.recent().position();
        let snapshot = match &*kept {
            Some(earlier) if earlier.is_near(position) => source.renew(earlier, position).await?,
            Some(_) | None => source.snapshot(position).await?,
        };
        Ok(kept.insert(Arc::new(snapshot)).clone())
    }

    async fn begin(&self) -> Result<(), Unavailable> {
        let begin = async {
            let position = self.0.source.log().head().await?;
            self.0.source.begin().await?;
            *self.0.recent_mut() = Recent::from(position);
            tokio::spawn(follow(Arc::downgrade(&self.0)));
            Ok(())
        };
        self.0.begun.get_or_try_init(|| begin).await.map(|_| ())
    }
}

impl Inner {
    fn recent(&self) -> std::sync::RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_mut(&self) -> std::sync::RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what came since.
    async fn look(&self) -> Result<(), Unavailable> {
        let head = self.source.log().known_head();
        if self.recent().position() >= head {
            return Ok(());
        }
        let _looking = self.looking.lock().await;
        loop {
            let position = self.recent().position();
            if position >= head {
                return Ok(());
            }
            let read = self.source.read(position, head, PAGE).await?;
            let last = read.entries.last().map(|entry| entry.position);
            self.recent_mut().extend(read.entries, read.position);
            if let Some(last) = last {
                self.last.send_replace(last);
            }
        }
    }
}

/// Follows the log as long as anybody holds the feed.
async fn follow(feed: Weak<Inner>) {
    loop {
        let Some(inner) = feed.upgrade() else { return };
        let looked = inner.look().await;
        let (position, mut head) = (inner.recent().position(), inner.source.log().watch());
        drop(inner);
        match looked {
            Err(Unavailable) => tokio::time::sleep(REST_AFTER_ERROR).await,
            Ok(()) => {
                tokio::time::sleep(REST).await;
                drop(tokio::time::timeout(LONGEST_WAIT, head.wait_for(|head| *head > position)).await);
            }
        }
    }
}
