//! The tree over the log (C2SP tlog-tiles): its last checkpoint that was signed, and that was cosigned, its tiles, and the key that checkpoints are verified with. The
//! events themselves are not served.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{follow::transparency::TilePath, protocol::OAuthError, state::App};

use super::{error::Refused, metadata::KEEP};

/// A checkpoint is followed by another within a second.
const NOT_KEPT: &str = "no-cache";
/// What a path names never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

pub(super) async fn checkpoint(State(app): State<App>) -> Result<Response, Refused> {
    match app.transparency.checkpoint().await? {
        Some(note) => Ok(kept(NOT_KEPT, TEXT, note)),
        None => Err(nothing("no_checkpoint", "no checkpoint has been signed yet")),
    }
}

pub(super) async fn cosigned(State(app): State<App>) -> Result<Response, Refused> {
    match app.transparency.cosigned().await?.pop() {
        Some(last) => Ok(kept(NOT_KEPT, TEXT, last.note)),
        None => Err(nothing("no_checkpoint", "no checkpoint has been cosigned yet")),
    }
}

pub(super) async fn key(State(app): State<App>) -> Response {
    kept(KEEP, TEXT, format!("{}\n", app.transparency.verifier_key()))
}

pub(super) async fn tile(State(app): State<App>, Path(path): Path<String>) -> Result<Response, Refused> {
    let tile = TilePath::parse(&path).ok_or_else(|| nothing("no_such_tile", "this is no path of a tile"))?;
    match app.transparency.tile(tile).await? {
        Some(hashes) => Ok(kept(IMMUTABLE, BYTES, hashes)),
        None => Err(nothing("no_such_tile", "the tree has not grown so far")),
    }
}

fn kept(how_long: &'static str, what: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, how_long), (header::CONTENT_TYPE, what), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], body)
        .into_response()
}

fn nothing(rule: &'static str, description: &str) -> Refused {
    Refused::with_status(OAuthError::invalid_request(rule, description), StatusCode::NOT_FOUND)
}
