//! `/healthz`: the process lives. `/readyz`: the store answers, is of this program's form, and its clock and this node's agree.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::state::App;

pub(super) async fn live() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

pub(super) async fn ready(State(app): State<App>) -> Response {
    let Ok(store) = app.log.store_clock().await else {
        return not_ready("the store does not answer");
    };
    let apart = (store / 1_000_000 - app.clock.now().unix()).abs();
    if apart > i64::from(app.settings.limits.clock_skew) {
        return not_ready("this node's clock and the store's differ too much");
    }
    if !app.log.is_ours().await.unwrap_or_default() {
        return not_ready("the read models are those of another grantlog: this node gives way to it");
    }
    Json(json!({"status": "ready", "position": app.log.known_head(), "epoch": app.log.epoch()})).into_response()
}

fn not_ready(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "not ready", "why": why}))).into_response()
}
