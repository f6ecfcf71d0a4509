//! The answers that are no errors: JSON that nobody keeps, and the position of what a command did.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};

use super::{POSITION, error::no_store};

/// JSON that nobody keeps.
pub(super) fn json(body: impl Into<Body>) -> Response {
    not_kept(body, "application/json")
}

/// A signed answer that nobody keeps.
pub(super) fn jwt(body: impl Into<Body>) -> Response {
    not_kept(body, "application/jwt")
}

/// A body of this media type that nobody keeps.
pub(super) fn not_kept(body: impl Into<Body>, media_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    no_store(response.headers_mut());
    response
}

/// The answer to a command, with the position that holds it.
pub(super) fn at_position(mut response: Response, position: i64) -> Response {
    response.headers_mut().insert(POSITION, position.into());
    response
}
