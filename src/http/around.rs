//! What happens around every request: it is counted, what is too large is refused, its trace is taken up, and an error is told.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{state::App, trace};

use super::{
    dpop::{DPOP, DPOP_NONCE},
    error, limits,
    metrics::{NO_PATH, Requests},
};

/// W3C Trace Context.
const TRACEPARENT: &str = "traceparent";

/// One layer for all of it: each costs every request a box and a copy of its route.
pub(super) async fn every_request(State((app, requests)): State<(App, Requests)>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let counting = requests.begin();
    let wants_nonce = app.settings.tokens.dpop_nonce_required && request.headers().contains_key(DPOP);
    let response = match limits::too_large(&app.settings.server, &request) {
        Some(refused) => refused.into_response(),
        None => {
            let traceparent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
            trace::within(traceparent.as_deref(), next.run(request)).await
        }
    };
    let mut response = error::told(&app.dispatch, response);
    if wants_nonce {
        let nonce = app.dispatch.dpop_nonce().parse().expect("digits and base64url stand in a header");
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    counting.end(path.as_ref().map_or(NO_PATH, MatchedPath::as_str), response.status());
    response
}
