//! Sends mails to people: those that they ask for, and those that tell them of what happened to their account, for which the log is searched. Each
//! is tried until the mail server takes it, or until it is given up; what came of it is an event of the user. No request waits.

mod compose;
mod happened;
mod send;

use std::{convert::Infallible, sync::Arc};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::{
    runner::{self, Stopped},
    search::{SearchError, search},
};
use crate::{
    log::{Log, Unavailable},
    mail::Mailer,
    state::App,
};

/// The name of its lease, and of its checkpoint.
pub const NAME: &str = "mail";

/// Why no mails are sent any more.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// Sends mails as long as it is awaited. Of several nodes one does.
pub async fn run(app: App, mailer: Mailer) {
    let log = app.log.clone();
    runner::run(log, NAME, move || follow(app.clone(), mailer.clone()).boxed()).await;
}

/// No mails go out from here: what happens from now on is nobody's to be told.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn leave_off(log: &Log) -> Result<(), Unavailable> {
    log.stop_following(NAME).await
}

async fn follow(app: App, mailer: Mailer) -> Stopped {
    let found = Arc::new(Notify::new());
    let happened = happened::Happened(&app.dispatch);
    let outcome: Result<Infallible, MailError> = tokio::select! {
        outcome = search(&app.log, &happened, &found) => outcome.map_err(MailError::from),
        outcome = send::send(&app, &mailer, &found) => outcome,
    };
    match outcome {
        Ok(never) => match never {},
        Err(MailError::Search(error)) => error.into(),
        Err(error @ MailError::Unavailable(_)) => Stopped::Passing(error.to_string()),
    }
}
