//! `/o/logo/`: applications' logos, as the pages on which they ask show them.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::ClientId;

use crate::{http::error::Refused, logo, state::App};

use super::applications::nothing_here;

/// The address of a client's logo. It changes with the client's metadata, so that a browser may keep it.
pub(super) fn href(id: ClientId, metadata_version: u32) -> String {
    format!("/o/logo/{id}/?v={metadata_version}")
}

pub(in crate::http) async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let client = app.dispatch.client_by_id(id).await?;
    let registration = client.state.usable().ok_or_else(nothing_here)?;
    let logo = logo::of(&app.dispatch, &registration.metadata).await?.ok_or_else(nothing_here)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(logo.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, logo.image).into_response())
}
