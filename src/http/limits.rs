//! What is refused before anything reads it: URLs and headers beyond their bounds. (The listener reads no more than that, but may get
//! somewhat more at once; bodies are bounded where they are read.)

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    config::{Server, Settings},
    protocol::OAuthError,
};

use super::error::Refused;

/// Refuses what is larger than the settings allow.
pub(super) async fn check(State(settings): State<Arc<Settings>>, request: Request, next: Next) -> Response {
    match too_large(&settings.server, &request) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    }
}

fn too_large(limits: &Server, request: &Request) -> Option<Refused> {
    let url = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if url > limits.max_url_bytes {
        let error = OAuthError::invalid_request("url_too_long", "the URL is too long").saw("bytes", url);
        return Some(Refused::with_status(error, StatusCode::URI_TOO_LONG));
    }
    let headers = bytes(request.headers());
    if headers > limits.max_header_bytes {
        let error = OAuthError::invalid_request("headers_too_large", "the headers are too large").saw("bytes", headers);
        return Some(Refused::with_status(error, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    None
}

fn bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
