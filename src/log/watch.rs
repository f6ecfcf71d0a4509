//! Notices what others append: another node, or the command line beside the server. PostgreSQL notifies once a batch; a slow look is
//! the net, and all that SQLite needs.

use std::{sync::Arc, time::Duration};

use projections::Db;
use sqlx::postgres::PgListener;

use super::{Head, LOOK_UP, read};

/// The channel of PostgreSQL's notifications.
const CHANNEL: &str = "grantlog";
/// How often the head is looked at in any case.
const LOOK: Duration = Duration::from_millis(500);

/// Runs as long as anybody holds the log.
pub(super) async fn follow(url: String, db: Db, head: Arc<Head>) {
    let mut listener = None;
    while Arc::strong_count(&head) > 1 {
        if let (Db::Postgres(_), None) = (&db, &listener) {
            listener = tokio::time::timeout(LOOK_UP, listen(&url)).await.unwrap_or_default();
        }
        let notified = match &mut listener {
            None => {
                tokio::time::sleep(LOOK).await;
                None
            }
            Some(listening) => match tokio::time::timeout(LOOK, listening.recv()).await {
                Err(_) => None,
                Ok(Ok(notification)) => notification.payload().parse().ok(),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the store no longer notifies");
                    listener = None;
                    None
                }
            },
        };
        let position = match notified {
            Some(position) => Some(position),
            None => tokio::time::timeout(LOOK_UP, read::head(&db)).await.ok().and_then(Result::ok),
        };
        if let Some(position) = position {
            head.note(position);
        }
    }
}

async fn listen(url: &str) -> Option<PgListener> {
    let mut listener = PgListener::connect(url).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}
