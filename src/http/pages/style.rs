//! The style sheet and the icon: the only things that pages load. The style sheet's address changes with its content, so that browsers
//! may keep it.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Digest;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

static HREF: LazyLock<String> = LazyLock::new(|| {
    let digest = Digest::of(STYLE.as_bytes());
    format!("/static/style.css?{}", digest.as_str().get(..8).unwrap_or_default())
});

/// The style sheet's address.
pub(super) fn href() -> &'static str {
    &HREF
}

/// `GET /static/style.css`
pub(in crate::http) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `GET /static/icon.svg`
pub(in crate::http) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

fn asset(content_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=604800")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, content).into_response()
}
