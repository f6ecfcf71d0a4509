//! Applications that registered themselves without an invitation, and that nobody uses, are taken back: in the background, on every node. The
//! second that comes to one finds nothing to do.

use std::time::Duration;

use crate::dispatch::Dispatch;

/// How often it is looked for them.
const EVERY: Duration = Duration::from_secs(60);

/// Takes them back as long as it is awaited.
pub async fn run(dispatch: Dispatch) {
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        if dispatch.deregister_unused().await.is_err() {
            tracing::warn!("clients that nobody uses could not be taken back: the next turn tries again");
        }
    }
}
