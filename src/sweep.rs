//! Takes away what has ended, so that it does not grow for ever: in the background, some rows at a time, with long rests, on one node. Old
//! events move to the archive with it, where the settings name one.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use domain::Timestamp;
use projections::LIVE;

use crate::{
    archive,
    clock::Clock,
    ephemeral,
    log::{Log, TurnOf, Unavailable, archive::ArchiveError},
};

/// How often it is looked for what has ended.
const EVERY: Duration = Duration::from_secs(60);
/// For how many seconds what has ended is kept: longer than clocks differ, and long enough to be told from what never was.
const KEPT: i64 = 3600;
/// Rows that go at a time.
const BATCH: u32 = 500;
/// A rest is so many times as long as the work before it.
const REST: u32 = 4;

/// Sweeps as long as it is awaited. Several nodes may: each turn is one node's.
pub async fn run(log: Log, clock: Clock) {
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        if pass(&log, clock.now()).await.is_err() {
            tracing::warn!("what has ended could not be swept: the next turn will");
        }
    }
}

/// Takes away all that had ended a while before this moment, and archives old events. Does nothing while another node does it.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn pass(log: &Log, now: Timestamp) -> Result<(), Unavailable> {
    let Some(turn) = log.turn(TurnOf::Sweep).await? else {
        return Ok(());
    };
    let before = Timestamp::from_unix(now.unix().saturating_sub(KEPT));
    for table in LIVE.iter().copied().filter(|table| table.expires()) {
        in_batches(table.name, || log.sweep(table, before, BATCH)).await?;
    }
    in_batches("device_authorization", || log.sweep_devices(before, BATCH)).await?;
    in_batches("ephemeral", || ephemeral::sweep(log.db(), before, BATCH)).await?;
    match archive::archive_old(log, now, REST, |_, _| {}).await {
        Ok(_) | Err(ArchiveError::NoFolder | ArchiveError::Busy(_)) => {}
        Err(error) => tracing::error!(%error, "old events could not be archived: the next turn tries again"),
    }
    turn.give_back().await
}

async fn in_batches<F>(kind: &'static str, sweep: impl Fn() -> F) -> Result<(), Unavailable>
where
    F: Future<Output = Result<u64, Unavailable>>,
{
    loop {
        let begun = Instant::now();
        let gone = sweep().await?;
        metrics::counter!("grantlog_swept_total", "kind" => kind).increment(gone);
        if gone < u64::from(BATCH) {
            return Ok(());
        }
        tokio::time::sleep(begun.elapsed() * REST).await;
    }
}
