//! Keeps a follower of the log going: on one node at a time or on all, again after what passes, and stopped loudly by what does not.

use std::{pin::pin, time::Duration};

use futures_util::future::BoxFuture;

use crate::log::Log;

/// The first rest after something that passes; each next one is twice as long, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// A follower that ran for so long begins again with the first rest, and is no longer stopped.
const RAN_WELL: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody mended what stopped a follower.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How long to rest before the next try: each time twice as long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest(Duration);

impl Default for Rest {
    fn default() -> Self {
        Self(FIRST_REST)
    }
}

impl Rest {
    /// The rest that is due now.
    pub(super) fn take(&mut self) -> Duration {
        let rest = self.0;
        self.0 = (rest * 2).min(LONGEST_REST);
        rest
    }
}

/// Why a follower does not go on.
#[derive(Debug)]
pub enum Stopped {
    /// A store or a broker does not answer: it will, or another node takes over.
    Passing(String),
    /// An event that cannot be taken, or a setting that is wrong: somebody has to do something.
    Fatal(String),
}

/// Runs a follower on one node at a time, as long as it is awaited. `follow` begins where it had come, each time anew.
pub async fn run(log: Log, name: &'static str, mut follow: impl FnMut() -> BoxFuture<'static, Stopped>) {
    let leads = metrics::gauge!("grantlog_follower_leads", "follower" => name);
    leads.set(0);
    let mut standing = Standing::of(name);
    loop {
        let mut lease = log.lease(name).await;
        leads.set(1);
        let following = follow();
        let outcome = standing
            .watch(async {
                tokio::select! {
                    outcome = following => outcome,
                    () = lease.lost() => Stopped::Passing("the lease is lost".to_owned()),
                }
            })
            .await;
        // Also where it stopped for good: a node with better settings may go on.
        drop(lease);
        leads.set(0);
        standing.rest(outcome).await;
    }
}

/// As [`run`], on every node at once.
pub async fn run_everywhere(name: &'static str, mut follow: impl FnMut() -> BoxFuture<'static, Stopped>) {
    let mut standing = Standing::of(name);
    loop {
        let outcome = standing.watch(follow()).await;
        standing.rest(outcome).await;
    }
}

/// How a follower fares.
struct Standing {
    name: &'static str,
    /// The metric: 1 from when it stopped for good to when it runs well again.
    stopped: metrics::Gauge,
    rest: Rest,
}

impl Standing {
    fn of(name: &'static str) -> Self {
        let stopped = metrics::gauge!("grantlog_follower_stopped", "follower" => name);
        stopped.set(0);
        Self { name, stopped, rest: Rest::default() }
    }

    /// Lets it run. The wait for its turn is no part of that.
    async fn watch(&mut self, following: impl Future<Output = Stopped>) -> Stopped {
        let mut following = pin!(following);
        match tokio::time::timeout(RAN_WELL, &mut following).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.stopped.set(0);
                self.rest = Rest::default();
                following.await
            }
        }
    }

    /// Lets it rest after what ended it.
    async fn rest(&mut self, outcome: Stopped) {
        let name = self.name;
        match outcome {
            Stopped::Passing(why) => {
                self.stopped.set(0);
                let again_in = self.rest.take();
                tracing::warn!(follower = name, %why, ?again_in, "a follower of the log rests");
                tokio::time::sleep(again_in).await;
            }
            Stopped::Fatal(why) => {
                tracing::error!(follower = name, %why, "a follower of the log has stopped: somebody has to mend this");
                self.stopped.set(1);
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rest_is_twice_as_long_up_to_the_longest() {
        let mut rest = Rest::default();
        let rests = std::iter::repeat_with(|| rest.take()).take(8).collect::<Vec<_>>();
        assert_eq!(rests, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].map(Duration::from_millis));
    }
}
