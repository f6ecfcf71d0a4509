//! What is refused before anything reads it: URLs and headers beyond their bounds. (The listener reads no more than that, but may get
//! somewhat more at once; bodies are bounded where they are read.)

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode},
};

use crate::{config::Server, protocol::OAuthError};

use super::error::Refused;

/// Refuses what is larger than the settings allow.
pub(super) fn too_large(limits: &Server, request: &Request) -> Option<Refused> {
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
