//! Forms and queries as the endpoints take them: bounded in size and time, and each parameter once.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
};
use http_body_util::BodyExt;

use crate::{
    protocol::{OAuthError, Parameters},
    state::App,
};

use super::error::Refused;

/// A POSTed form (`application/x-www-form-urlencoded`).
pub(super) struct Form(pub(super) Parameters);

impl FromRequest<App> for Form {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        <Self as OptionalFromRequest<App>>::from_request(request, app).await?.ok_or_else(|| {
            let error = OAuthError::invalid_request("not_a_form", "the content type must be application/x-www-form-urlencoded");
            Refused::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE)
        })
    }
}

/// `None` where the body is none, or of another type.
impl OptionalFromRequest<App> for Form {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Option<Self>, Refused> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !content_type.is_some_and(is_form) {
            return Ok(None);
        }
        let body = read(request, app).await?;
        Ok(Some(Self(Parameters::parse(&body)?)))
    }
}

/// The parameters of a URL.
pub(super) struct Query(pub(super) Parameters);

impl FromRequestParts<App> for Query {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Refused> {
        Ok(Self(Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes())?))
    }
}

fn is_form(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// So much of a body beyond the bound is read and thrown away, in bytes: whoever is still sending when the connection is closed does not
/// get to read why.
const THROWN_AWAY: usize = 4 << 20;

/// A body within the settings' size, sent within the settings' time.
pub(super) async fn read(request: Request, app: &App) -> Result<Vec<u8>, Refused> {
    let limits = &app.settings.server;
    let body = collect(request.into_body(), limits.max_body_bytes);
    match tokio::time::timeout(Duration::from_secs(limits.slow_request_seconds), body).await {
        Ok(body) => body,
        Err(_) => {
            let error = OAuthError::invalid_request("body_too_slow", "the body was sent too slowly");
            Err(Refused::with_status(error, StatusCode::REQUEST_TIMEOUT))
        }
    }
}

async fn collect(mut body: Body, most: usize) -> Result<Vec<u8>, Refused> {
    let (mut kept, mut sent) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| OAuthError::invalid_request("body_broken_off", "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        sent += data.len();
        if sent <= most {
            kept.extend_from_slice(&data);
        } else if sent > most + THROWN_AWAY {
            break;
        }
    }
    if sent > most {
        let error = OAuthError::invalid_request("body_too_large", "the body is too large");
        return Err(Refused::with_status(error, StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(kept)
}
