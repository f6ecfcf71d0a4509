//! What is told of the running program: log lines to standard error, and metrics for Prometheus.

use std::{io::IsTerminal, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::LogFormat;

/// Upper bounds of what takes time, in seconds: from what a read from memory costs to what a client gives up on.
const SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of how many share a batch.
const BATCHES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// How often what was recorded is folded into the histograms, so that nothing piles up where nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why nothing would be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("telemetry.filter: {0}\nFor example: info, or warn,grantlog=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("the metrics cannot be recorded: {0}")]
    Metrics(#[from] BuildError),
}

/// Lets log lines that pass the filter go to standard error. Only the first call in a process counts.
///
/// # Errors
/// A filter that tracing cannot read.
pub fn init_logs(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(filter)?);
    let installed = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false)).try_init()
        }
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init(),
    };
    // A second call finds the first one's subscriber, which goes on.
    drop(installed);
    Ok(())
}

/// Starts to record metrics, once a process, and gives what renders them. Runs inside the tokio runtime.
///
/// # Errors
/// That another recorder has been installed.
pub fn record_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_batch".to_owned()), BATCHES)?
        .install_recorder()?;
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut turn = tokio::time::interval(UPKEEP);
        loop {
            turn.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(handle)
}
