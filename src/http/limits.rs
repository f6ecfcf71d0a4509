//! What is refused before anything reads it: URLs beyond the bound. (Headers are bounded by the listener, bodies where they are read.)

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{protocol::OAuthError, state::App};

use super::error::Refused;

/// Refuses a URL that is longer than the settings allow.
pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if length <= app.settings.server.max_url_bytes {
        return next.run(request).await;
    }
    let error = OAuthError::invalid_request("url_too_long", "the URL is too long").saw("bytes", length);
    Refused::with_status(error, StatusCode::URI_TOO_LONG).into_response()
}
