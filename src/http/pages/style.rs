//! The style sheet, the icon and the script for passkeys: the only things that pages load. An address changes with its content, so that
//! browsers may keep it.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Digest;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

const PASSKEY: &str = include_str!("passkey.js");

static STYLE_HREF: LazyLock<String> = LazyLock::new(|| address("style.css", STYLE));
static PASSKEY_HREF: LazyLock<String> = LazyLock::new(|| address("passkey.js", PASSKEY));

fn address(name: &str, content: &str) -> String {
    format!("/static/{name}?{}", Digest::of(content.as_bytes()).as_str().get(..8).unwrap_or_default())
}

/// The style sheet's address.
pub(super) fn href() -> &'static str {
    &STYLE_HREF
}

/// The address of the script that asks the browser for a passkey.
pub(super) fn passkey_href() -> &'static str {
    &PASSKEY_HREF
}

/// `GET /static/style.css`
pub(in crate::http) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `GET /static/icon.svg`
pub(in crate::http) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

/// `GET /static/passkey.js`
pub(in crate::http) async fn passkey() -> Response {
    asset("text/javascript; charset=utf-8", PASSKEY)
}

fn asset(content_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=604800")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, content).into_response()
}
