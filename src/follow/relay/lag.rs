//! How far the broker is behind the log, as metrics: also while the broker is away.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Relay, UNKNOWN};
use crate::log::{Log, Unavailable};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(1);

/// How far something is behind the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    pub positions: i64,
    /// The age of the oldest event that is missing.
    pub microseconds: i64,
}

impl Lag {
    /// That of whoever has the log up to a position.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn of(log: &Log, position: i64) -> Result<Self, Unavailable> {
        let positions = log.head().await? - position;
        let missing = if positions > 0 { log.read(position, 1).await?.pop() } else { None };
        let microseconds = match missing {
            Some(event) => (log.store_clock().await? - event.recorded_at).max(0),
            None => 0,
        };
        Ok(Self { positions, microseconds })
    }

    /// The age in seconds.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        const MICROSECONDS: f64 = 1e6;
        self.microseconds as f64 / MICROSECONDS
    }
}

/// Tells the lag as long as it is awaited, once this node has relayed.
pub(super) async fn tell(relay: Arc<Relay>) {
    let (positions, seconds) = (metrics::gauge!("grantlog_relay_lag_positions"), metrics::gauge!("grantlog_relay_lag_seconds"));
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        let relayed = relay.relayed.load(Ordering::Relaxed);
        if relayed == UNKNOWN {
            continue;
        }
        if let Ok(lag) = Lag::of(&relay.app.log, relayed).await {
            positions.set(lag.positions as f64);
            seconds.set(lag.seconds());
        }
    }
}
