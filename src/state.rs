//! What a running server works with: a value handed on, never a static.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    clock::Clock,
    config::Settings,
    dispatch::{Dispatch, OpenError},
    log::Log,
    vault::MasterKeys,
};

/// One issuer's server. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub settings: Arc<Settings>,
    pub log: Log,
    /// All commands, and the facts that decisions stand on.
    pub dispatch: Dispatch,
    pub clock: Clock,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
}

impl App {
    /// Opens the issuer over a migrated log, and adopts the settings' catalogue.
    ///
    /// # Errors
    /// That the store does not answer, or was sealed under another master key, or the catalogue is refused.
    pub async fn open(log: Log, settings: Arc<Settings>, master: MasterKeys, clock: Clock) -> Result<Self, OpenError> {
        let dispatch = Dispatch::open(log.clone(), settings.clone(), master, clock.clone()).await?;
        dispatch.adopt_catalogue(settings.catalogue()).await?;
        Ok(Self { settings, log, dispatch, clock, metrics: None })
    }
}
