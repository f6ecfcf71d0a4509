//! The relay of the log to NATS JetStream: one stream whose sequence is the log's position, so that the broker itself refuses what comes
//! twice, out of order or from a node that no longer leads, and the stream's own end is where to go on.

mod broker;
mod error;
mod lag;
pub mod message;
mod resume;
mod send;
mod session;
mod status;
mod watermark;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

pub use broker::Broker;
pub use error::RelayError;
use futures_util::FutureExt;
pub use lag::Lag;
pub use status::RelayStatus;
pub use watermark::Watermark;

use super::runner::{self, Stopped};
use crate::state::App;

/// The name of its lease.
const NAME: &str = "relay";
/// Before anything is known of the stream.
const UNKNOWN: i64 = -1;

/// Relays one issuer's log.
pub struct Relay {
    app: App,
    /// Up to where the broker has the log, as far as this node knows.
    relayed: AtomicI64,
}

impl Relay {
    /// Takes the issuer whose log it relays; the settings say where to.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app, relayed: AtomicI64::new(UNKNOWN) }
    }

    /// Relays as long as it is awaited. Of several nodes one does.
    pub async fn run(self) {
        let relay = Arc::new(self);
        let (log, telling) = (relay.app.log.clone(), lag::tell(relay.clone()));
        tokio::join!(runner::run(log, NAME, move || follow(relay.clone()).boxed()), telling);
    }

    fn note_relayed(&self, position: i64) {
        self.relayed.store(position, Ordering::Relaxed);
    }
}

async fn follow(relay: Arc<Relay>) -> Stopped {
    match session::run(relay).await {
        Ok(never) => match never {},
        Err(error) if error.passes() => Stopped::Passing(error.to_string()),
        Err(error) => Stopped::Fatal(error.to_string()),
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay(relayed {})", self.relayed.load(Ordering::Relaxed))
    }
}
