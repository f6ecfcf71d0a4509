//! The clock that decisions are made by: injected, so that a test can set it. And how a moment is written for people and programs.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Timestamp;
use serde::Serializer;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Tells the time: the system's, or what a test set it to.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Whether it goes by itself no further.
    stands: bool,
    /// Ahead of the system's, in seconds; since 1970, where the clock stands.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// One that stands at a moment, and goes on only when it is advanced: a test that counts seconds takes as long as it likes.
    #[must_use]
    pub fn standing_at(moment: Timestamp) -> Self {
        Self { stands: true, offset: Arc::new(moment.unix().into()) }
    }

    /// This moment, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let begin = if self.stands { 0 } else { OffsetDateTime::now_utc().unix_timestamp() };
        Timestamp::from_unix(begin.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Moves the clock ahead, or back if negative.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// A moment in RFC 3339, in UTC. One that no calendar has stays a number of seconds.
#[must_use]
pub fn rfc3339(moment: Timestamp) -> String {
    let seconds = moment.unix();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

/// For serde: a moment as [`rfc3339`] writes it.
///
/// # Errors
/// What the serializer says.
pub fn as_rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*moment))
}

/// For serde: a moment as [`rfc3339`] writes it, if there is one.
///
/// # Errors
/// What the serializer says.
pub fn some_as_rfc3339<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.serialize_some(&rfc3339(*moment)),
        None => serializer.serialize_none(),
    }
}
