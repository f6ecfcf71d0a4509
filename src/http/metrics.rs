//! Counts requests, and shows all metrics (Prometheus' text format).

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics::{Counter, Histogram};

use crate::state::App;

/// The path that requests to no path are counted under.
pub(super) const NO_PATH: &str = "none";

pub(super) async fn show(State(app): State<App>) -> Response {
    match &app.metrics {
        Some(metrics) if app.settings.telemetry.metrics => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
        }
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What requests are counted in, by route and status: looked up once in the recorder, not at every request.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<RwLock<HashMap<String, HashMap<StatusCode, Counted>>>>);

struct Counted {
    requests: Counter,
    seconds: Histogram,
}

/// A request under way.
pub(super) struct Counting<'a> {
    requests: &'a Requests,
    begun: Instant,
}

impl Counting<'_> {
    /// Counts it by its route, never by what it holds.
    pub(super) fn end(self, path: &str, status: StatusCode) {
        self.requests.count(path, status, self.begun.elapsed());
    }
}

impl Requests {
    pub(super) fn begin(&self) -> Counting<'_> {
        Counting { requests: self, begun: Instant::now() }
    }

    fn count(&self, path: &str, status: StatusCode, took: Duration) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = known.get(path).and_then(|statuses| statuses.get(&status)) {
            return counted.count(took);
        }
        drop(known);
        let counted = Counted {
            requests: metrics::counter!(
                "grantlog_http_requests_total", "path" => path.to_owned(), "status" => status.as_str().to_owned()
            ),
            seconds: metrics::histogram!("grantlog_http_seconds", "path" => path.to_owned()),
        };
        counted.count(took);
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(path.to_owned()).or_default().insert(status, counted);
    }
}

impl Counted {
    fn count(&self, took: Duration) {
        self.requests.increment(1);
        self.seconds.record(took);
    }
}
