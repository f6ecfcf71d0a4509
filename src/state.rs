//! What a running server works with: a value handed on, never a static.

use std::{ops::Deref, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;

use crate::{
    clock::Clock,
    config::Settings,
    dispatch::{Dispatch, OpenError},
    follow::{revocations::Feed, transparency::Transparency},
    log::Log,
    vault::MasterKeys,
};

/// One issuer's server. Cheap to clone: the router does at every request, several times.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an issuer's server consists of.
#[derive(Clone)]
pub struct Parts {
    pub settings: Arc<Settings>,
    pub log: Log,
    /// All commands, and the facts that decisions stand on.
    pub dispatch: Dispatch,
    /// The tree over the log, and its signed checkpoints.
    pub transparency: Transparency,
    pub clock: Clock,
    /// The revocations, for those who ask over HTTP.
    pub feed: Feed,
    /// Held by whoever replays the whole log for a client: one at a time.
    pub replays: Arc<Semaphore>,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
}

impl App {
    /// Opens the issuer over a migrated log, makes the keys that it lacks, and adopts the settings' catalogue.
    ///
    /// # Errors
    /// That the store does not answer, or was sealed under another master key, or the catalogue is refused.
    pub async fn open(log: Log, settings: Arc<Settings>, master: MasterKeys, clock: Clock) -> Result<Self, OpenError> {
        let dispatch = Dispatch::open(log.clone(), settings.clone(), master, clock.clone()).await?;
        dispatch.complete_keys().await?;
        dispatch.adopt_catalogue(settings.catalogue()).await?;
        let feed = Feed::new(log.clone(), settings.clone(), clock.clone());
        let transparency = Transparency::open(&dispatch, &settings.transparency_prefix()).await?;
        let replays = Arc::new(Semaphore::new(1));
        Ok(Self(Arc::new(Parts { settings, log, dispatch, transparency, clock, feed, replays, metrics: None })))
    }

    /// The same server, with what renders the metrics.
    #[must_use]
    pub fn with_metrics(self, metrics: Option<PrometheusHandle>) -> Self {
        Self(Arc::new(Parts { metrics, ..Arc::unwrap_or_clone(self.0) }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
