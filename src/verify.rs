//! Verifies, in the background and at a low rate, that what stands for the log is what the log says: some streams a minute are folded anew.

use std::time::Duration;

use crate::{
    clock::Clock,
    log::{Log, sample::Sampled},
};

/// How often a sample is taken.
const EVERY: Duration = Duration::from_secs(60);

/// Takes a sample of so many streams a minute, as long as it is awaited; none if that is 0.
pub async fn run(log: Log, clock: Clock, streams: u32) {
    if streams == 0 {
        return;
    }
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        match log.sample(streams, clock.now()).await {
            Ok(sampled) => tell(&sampled),
            Err(error) => tracing::warn!(%error, "a sample of the log could not be verified: the next will"),
        }
    }
}

/// Counts what a sample found, and says what is not as the log says.
pub fn tell(sampled: &Sampled) {
    metrics::counter!("grantlog_verify_streams_total").increment(sampled.streams);
    metrics::counter!("grantlog_verify_differences_total").increment(sampled.differences.len() as u64);
    for difference in &sampled.differences {
        tracing::error!(%difference, "what stands for the log is not what the log says: run `grantlog projections verify`");
    }
}
