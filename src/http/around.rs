//! What happens around every request: it is counted, what is too large is refused, and an error is told.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::state::App;

use super::{
    error, limits,
    metrics::{NO_PATH, Requests},
};

/// One layer for all of it: each costs every request a box and a copy of its route.
pub(super) async fn every_request(State((app, requests)): State<(App, Requests)>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let counting = requests.begin();
    let response = match limits::too_large(&app.settings.server, &request) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    };
    let response = error::told(&app.dispatch, response);
    counting.end(path.as_ref().map_or(NO_PATH, MatchedPath::as_str), response.status());
    response
}
