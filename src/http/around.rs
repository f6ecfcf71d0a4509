//! What happens around every request: it is counted, what is too large is refused, its trace is taken up, and an error is told.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header::STRICT_TRANSPORT_SECURITY},
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

/// What every request goes through.
#[derive(Clone)]
pub(super) struct Around {
    app: App,
    requests: Requests,
    strict_transport: Option<HeaderValue>,
}

impl Around {
    pub(super) fn new(app: App) -> Self {
        let seconds = app.settings.server.hsts_seconds;
        let strict_transport = (app.settings.is_https() && seconds > 0)
            .then(|| HeaderValue::try_from(format!("max-age={seconds}")).expect("digits stand in a header"));
        Self { app, requests: Requests::default(), strict_transport }
    }
}

/// One layer for all of it: each costs every request a box and a copy of its route.
pub(super) async fn every_request(State(around): State<Around>, request: Request, next: Next) -> Response {
    let Around { app, requests, strict_transport } = around;
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
    if let Some(strict_transport) = strict_transport {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, strict_transport);
    }
    if wants_nonce {
        let nonce = app.dispatch.dpop_nonce().parse().expect("digits and base64url stand in a header");
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    counting.end(path.as_ref().map_or(NO_PATH, MatchedPath::as_str), response.status());
    response
}
