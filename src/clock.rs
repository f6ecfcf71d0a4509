//! The clock that decisions are made by: injected, so that a test can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Timestamp;

/// Tells the time: the system's, moved by so many seconds where a test moved it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// This moment, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        Timestamp::from_unix(now.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Moves the clock ahead (or back, if negative) of the system's.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds, Ordering::Relaxed);
    }
}
