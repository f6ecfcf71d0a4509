//! Keeps a follower of the log going: on one node at a time or on all, again after what passes, and stopped loudly by what does not.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};

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
    let on_one_node = || {
        let (log, leads, following) = (log.clone(), leads.clone(), follow());
        async move {
            let mut lease = log.lease(name).await;
            leads.set(1);
            let outcome = tokio::select! {
                outcome = following => outcome,
                () = lease.lost() => Stopped::Passing("the lease is lost".to_owned()),
            };
            // Also where it stopped for good: a node with better settings may go on.
            drop(lease);
            leads.set(0);
            outcome
        }
        .boxed()
    };
    run_everywhere(name, on_one_node).await;
}

/// As [`run`], on every node at once.
pub async fn run_everywhere(name: &'static str, mut follow: impl FnMut() -> BoxFuture<'static, Stopped>) {
    let stopped = metrics::gauge!("grantlog_follower_stopped", "follower" => name);
    let mut rest = Rest::default();
    stopped.set(0);
    loop {
        let begun = tokio::time::Instant::now();
        let mut following = follow();
        let outcome = match tokio::time::timeout(RAN_WELL, &mut following).await {
            Ok(outcome) => outcome,
            Err(_) => {
                stopped.set(0);
                following.await
            }
        };
        match outcome {
            Stopped::Passing(why) => {
                stopped.set(0);
                rest = if begun.elapsed() > RAN_WELL { Rest::default() } else { rest };
                let again_in = rest.take();
                tracing::warn!(follower = name, %why, ?again_in, "a follower of the log rests");
                tokio::time::sleep(again_in).await;
            }
            Stopped::Fatal(why) => {
                stopped.set(1);
                tracing::error!(follower = name, %why, "a follower of the log has stopped: somebody has to mend this");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}
