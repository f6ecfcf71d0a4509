//! `/api/resource`: a small protected resource of our own, so that the last two of the eight steps can be seen without another program.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use domain::Digest;
use projections::token::TokenKind;
use serde_json::json;

use crate::{
    protocol::{
        OAuthError,
        bearer::{self, invalid_token},
        introspection::audience,
    },
    state::App,
};

use super::{
    answer,
    error::{Challenge, Refused},
    form::Query,
    position::reach,
};

pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Query(parameters): Query) -> Result<Response, Refused> {
    let refused = |error: OAuthError| Refused { challenge: Some(Challenge::Bearer), ..error.into() };
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let token = bearer::read(authorization).map_err(refused)?;
    let token = token.ok_or_else(|| refused(invalid_token("token_missing", "a bearer token is needed")))?;
    reach(&app, &parameters).await?;
    let row = app.dispatch.reads.token(&Digest::of(token.as_bytes())).await?;
    let row = row.filter(|row| row.is_active(TokenKind::Access, app.clock.now()));
    let row = row.ok_or_else(|| refused(invalid_token("token_not_active", "the token is not active")))?;
    let audience = audience(&row);
    if !audience.contains(&app.settings.default_resource()) {
        return Err(refused(
            invalid_token("token_for_another_resource", "the token is for another resource").saw("aud", audience.join(" ")),
        ));
    }
    let client_id = row.client_identifier.as_deref().unwrap_or(&row.client_id);
    let username = app.dispatch.username(&row).await?;
    let told = json!({
        "message": "This resource is protected, and your token opened it.",
        "client_id": client_id,
        "sub": row.user_id.as_deref().unwrap_or(client_id),
        "username": username,
        "scope": row.scope,
        "expires_at": row.expires_at,
    });
    Ok(answer::json(told.to_string()))
}
