//! Searches the log as it grows for what a follower wants to know of, and keeps the rows that come of it with how far it was searched, in one
//! transaction.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{relay::message::ReadEvent, runner::Stopped};
use crate::log::{Log, Row, Unavailable};

/// Such events that are read at a time, and positions that are looked through at once: they may be far apart.
const PAGE: u32 = 200;
const AT_ONCE: i64 = 100_000;
/// After each look at the log, so that a busy one is not asked at every batch.
const REST: Duration = Duration::from_millis(100);
/// So often it is kept how far the log was searched, where nothing was found: what is old goes into the archive behind it.
const KEEP: Duration = Duration::from_secs(5);

/// What a follower looks for.
pub(super) trait Seeker: Sync {
    /// The follower's name among the checkpoints.
    const FOLLOWER: &'static str;
    /// The types of the events that it wants to know of.
    const TYPES: &'static [&'static str];

    /// The rows that come of one of them.
    fn rows(&self, log: &Log, read: &ReadEvent) -> impl Future<Output = Result<Vec<Row>, Unavailable>> + Send;
}

/// Why the log is not searched any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum SearchError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("another node searches the log")]
    Elsewhere,
    #[error("the event at position {position} cannot be read: {cause}")]
    Event { position: i64, cause: String },
}

impl From<SearchError> for Stopped {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Event { .. } => Self::Fatal(error.to_string()),
            SearchError::Unavailable(_) | SearchError::Elsewhere => Self::Passing(error.to_string()),
        }
    }
}

/// Searches the log, from its end on where it never was, and tells where something was found.
pub(super) async fn search<S: Seeker>(log: &Log, seeker: &S, found: &Notify) -> Result<Infallible, SearchError> {
    let types: Vec<String> = S::TYPES.iter().map(ToString::to_string).collect();
    let mut kept = log.followed_to(S::FOLLOWER).await?;
    let (mut position, mut kept_at, mut head) = (kept, Instant::now(), log.watch());
    loop {
        let to = log.known_head().min(position.saturating_add(AT_ONCE)).max(position);
        let events = log.read_types(&types, position, to, PAGE).await?;
        position = if events.len() < PAGE as usize { to } else { events.last().map_or(to, |last| last.position) };
        let mut rows = Vec::new();
        for stored in events {
            let position = stored.position;
            let read = ReadEvent::new(stored).map_err(|error| SearchError::Event { position, cause: error.to_string() })?;
            rows.extend(seeker.rows(log, &read).await?);
        }
        if !rows.is_empty() || (position > kept && kept_at.elapsed() >= KEEP) {
            if !log.advance(S::FOLLOWER, (kept, position), rows).await? {
                return Err(SearchError::Elsewhere);
            }
            (kept, kept_at) = (position, Instant::now());
            found.notify_one();
        }
        if position >= log.known_head() {
            tokio::time::sleep(REST).await;
            drop(tokio::time::timeout(KEEP, head.wait_for(|head| *head > position)).await);
        }
    }
}
