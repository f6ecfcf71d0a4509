//! The issuer's news of what is dead: a snapshot, and then all that comes after its position, by one way or the other.

#[cfg(any(feature = "nats", test))]
mod chain;
mod events;
#[cfg(feature = "nats")]
mod nats;
mod snapshot;

use std::{convert::Infallible, time::Duration};

use crate::{server::Shared, settings::Feed};

/// Before the issuer is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Why the news does not go on.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the issuer does not answer: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the issuer says {0}")]
    Status(reqwest::StatusCode),
    #[error("the connection ended: {0}")]
    Ended(String),
    #[error("what the issuer says cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("a revocation is missing after position {0}")]
    #[cfg(any(feature = "nats", test))]
    Missing(i64),
    #[error("the log was restored, or is another")]
    OtherHistory,
}

impl Broken {
    /// Whether one can go on where one was; otherwise something may be missing.
    const fn passes(&self) -> bool {
        match self {
            Self::Http(_) | Self::Status(_) | Self::Ended(_) => true,
            Self::Unreadable(_) | Self::OtherHistory => false,
            #[cfg(any(feature = "nats", test))]
            Self::Missing(_) => false,
        }
    }
}

/// Follows the news for ever.
pub(crate) async fn follow(shared: &Shared) {
    loop {
        let broken = match snapshot::begin(shared).await {
            Ok(()) => go_on(shared).await,
            Err(broken) => broken,
        };
        tracing::warn!(error = %broken, "what is dead is not known whole: the snapshot is taken again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Goes on from a snapshot until something may be missing.
async fn go_on(shared: &Shared) -> Broken {
    loop {
        let Err(broken) = listen(shared).await;
        if !broken.passes() {
            shared.knowledge.doubt();
            return broken;
        }
        tracing::info!(reason = %broken, "the news is interrupted");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(shared: &Shared) -> Result<Infallible, Broken> {
    match &shared.settings.feed {
        Feed::Http => events::listen(shared).await,
        #[cfg(feature = "nats")]
        Feed::Nats(nats) => nats::listen(shared, nats).await,
    }
}
