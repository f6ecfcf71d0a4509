//! Tells clients that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0). The log is searched for ends, and whom to tell is kept with
//! the checkpoint; each is told until it acknowledges, or until it is given up. What came of it is an event of the session. No request waits.

mod ends;
mod tell;

use std::{convert::Infallible, sync::Arc};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::{
    runner::{self, Stopped},
    search::{SearchError, search},
};
use crate::{log::Unavailable, state::App};

/// The name of its lease, and of its checkpoint.
pub const NAME: &str = "logout";

/// Why clients are not told any more.
#[derive(Debug, thiserror::Error)]
enum LogoutError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error("what tells a client met a defect")]
    Defect,
}

/// Tells clients as long as it is awaited. Of several nodes one does.
pub async fn run(app: App) {
    let log = app.log.clone();
    runner::run(log, NAME, move || follow(app.clone()).boxed()).await;
}

async fn follow(app: App) -> Stopped {
    let found = Arc::new(Notify::new());
    let outcome: Result<Infallible, LogoutError> = tokio::select! {
        outcome = search(&app.log, &ends::Ends, &found) => outcome.map_err(LogoutError::from),
        outcome = tell::tell(&app, &found) => outcome,
    };
    match outcome {
        Ok(never) => match never {},
        Err(LogoutError::Search(error)) => error.into(),
        Err(error @ (LogoutError::Unavailable(_) | LogoutError::Defect)) => Stopped::Passing(error.to_string()),
    }
}
