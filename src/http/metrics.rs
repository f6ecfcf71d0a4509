//! Counts requests, and shows all metrics (Prometheus' text format).

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::state::App;

/// The path that requests to no path are counted under.
const NO_PATH: &str = "none";

pub(super) async fn show(State(app): State<App>) -> Response {
    match &app.metrics {
        Some(metrics) if app.settings.telemetry.metrics => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
        }
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Counts a request by its route, never by what it holds.
pub(super) async fn count(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or(NO_PATH.to_owned(), |path| path.as_str().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::counter!("grantlog_http_requests_total", "path" => path.clone(), "status" => status).increment(1);
    metrics::histogram!("grantlog_http_seconds", "path" => path).record(begun.elapsed());
    response
}
