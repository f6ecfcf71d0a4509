//! Authorization server metadata (RFC 8414 section 3), at its own path and where django-oauth-toolkit has it; the same document as OpenID
//! Connect Discovery 1.0 has it (section 4); and that of our own resources (RFC 9728).

use axum::{
    Json,
    extract::State,
    http::{Uri, header},
    response::{IntoResponse, Response},
};

use domain::catalogue::Catalogue;

use crate::{
    protocol::{metadata::Metadata, resource_metadata::ResourceMetadata},
    state::App,
};

use super::{
    error::{Refused, not_found},
    pages::language,
};

/// Others may keep what seldom changes for so long.
pub(super) const KEEP: &str = "public, max-age=300";

pub(super) async fn get(State(app): State<App>) -> Response {
    told(metadata(&app))
}

/// There is none where the settings have no scope `openid`.
pub(super) async fn of_openid(State(app): State<App>, uri: Uri) -> Result<Response, Refused> {
    let metadata = metadata(&app);
    if metadata.is_of_openid() { Ok(told(metadata)) } else { Err(not_found(uri).await) }
}

/// What a token is for that opens our own resources (RFC 9728 section 3).
pub(super) async fn of_resource(State(app): State<App>) -> Response {
    let catalogue = Catalogue::unadopted(app.settings.catalogue());
    let issuer = app.settings.issuer();
    let metadata =
        ResourceMetadata::of(app.settings.default_resource(), &issuer, &catalogue, app.settings.mtls_issuer().is_some());
    ([(header::CACHE_CONTROL, KEEP)], Json(metadata)).into_response()
}

fn metadata(app: &App) -> Metadata {
    let catalogue = Catalogue::unadopted(app.settings.catalogue());
    let metadata = Metadata::of(&app.settings.issuer(), &catalogue, language::tags(), app.settings.registration.by_document);
    match app.settings.mtls_issuer() {
        Some(issuer) => metadata.with_certificates(&issuer),
        None => metadata,
    }
}

fn told(metadata: Metadata) -> Response {
    ([(header::CACHE_CONTROL, KEEP)], Json(metadata)).into_response()
}
