//! How fast a build goes: in batches, with rests between them, until the head of the log is near.

use std::time::{Duration, Instant};

use domain::Timestamp;

use super::{Difference, Progress, RebuildError, build::Build};

/// Rounds in which the build comes closer to the head before it takes the head lock for the rest.
const ROUNDS: usize = 20;
/// A rest that is caught up in so short a time that appends may wait for it.
const REST: usize = 200;

/// How fast it goes.
pub(super) struct Pace {
    begun: Instant,
    first: i64,
    duty: u8,
}

impl Pace {
    /// Begins at a position, with a share of the time in percent.
    pub(super) fn from(first: i64, duty: u8) -> Self {
        Self { begun: Instant::now(), first, duty: duty.clamp(1, 100) }
    }

    /// Builds until the head is near.
    pub(super) async fn build(&self, build: &mut Build, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), RebuildError> {
        let mut batch = build.read(build.position()).await?;
        while batch.len() >= REST {
            let (next, worked) = build.apply_and_read_on(&batch).await?;
            batch = next;
            progress(self.progress(build.position(), build.head().await?));
            self.pause(worked).await;
        }
        build.apply(&batch).await?;
        progress(self.progress(build.position(), build.head().await?));
        Ok(())
    }

    /// Goes after the head, and compares what it writes, until what is left is little.
    pub(super) async fn catch_up(
        &self,
        build: &mut Build,
        horizon: Timestamp,
        differences: &mut Vec<Difference>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), RebuildError> {
        for _ in 0..ROUNDS {
            let batch = build.read(build.position()).await?;
            build.apply(&batch).await?;
            build.compare_batch(&batch, horizon, differences).await?;
            progress(self.progress(build.position(), build.head().await?));
            if batch.len() < REST {
                break;
            }
        }
        Ok(())
    }

    /// Leaves the store to others, in proportion to the work done.
    pub(super) async fn pause(&self, worked: Duration) {
        if self.duty < 100 {
            tokio::time::sleep(worked * u32::from(100 - self.duty) / u32::from(self.duty)).await;
        }
    }

    pub(super) fn progress(&self, position: i64, head: i64) -> Progress {
        let (events, passed) = ((position - self.first).unsigned_abs(), self.begun.elapsed());
        let per_second = u128::from(events) * 1000 / passed.as_millis().max(1);
        Progress { position, head: head.max(position), events_per_second: u64::try_from(per_second).unwrap_or(u64::MAX) }
    }
}
