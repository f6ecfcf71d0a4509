//! Authorization server metadata (RFC 8414 section 3), at its own path and where django-oauth-toolkit has it.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{protocol::metadata::Metadata, state::App};

use super::pages::language;

/// Others may keep what seldom changes for so long.
pub(super) const KEEP: &str = "public, max-age=300";

pub(super) async fn get(State(app): State<App>) -> Response {
    let scopes = app.settings.scopes.keys().cloned().collect();
    let metadata = Metadata::of(&app.settings.issuer(), scopes, language::tags());
    ([(header::CACHE_CONTROL, KEEP)], Json(metadata)).into_response()
}
