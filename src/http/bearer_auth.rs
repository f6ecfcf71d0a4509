//! A request that carries an access token of ours (RFC 6750).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use domain::{
    Digest, Timestamp,
    client::{Client, Registration},
    session::ContextClass,
};
use projections::token::{TokenKind, TokenRow};

use crate::{
    log::Unavailable,
    protocol::{
        ErrorCode, OAuthError,
        bearer::{self, Demanded, invalid_token},
        introspection::{INTROSPECTION_SCOPE, audience},
    },
    state::App,
};

use super::error::{Challenge, Refused};

/// An error that tells how to come again with a better token.
pub(super) fn challenged(error: OAuthError) -> Refused {
    Refused { challenge: Some(Challenge::Bearer), ..error.into() }
}

/// The access token that is presented; `None` where the request carries none. It is for whoever asks to look it up.
pub(super) fn presented(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    bearer::read(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)).map_err(challenged)
}

/// The token, where one must be there.
pub(super) fn required(token: Option<&str>) -> Result<&str, Refused> {
    token.ok_or_else(|| challenged(invalid_token("token_missing", "a bearer token is needed")))
}

/// The client whose access token lets it learn of others' tokens, by the id of its stream.
pub(super) async fn resource_server(app: &App, token: &str) -> Result<(String, Arc<Client>), Refused> {
    let own = active(app, token).await?;
    with_scope(&own, INTROSPECTION_SCOPE)?;
    let id = own.client_id.parse().map_err(|_| Unavailable)?;
    Ok((own.client_id, app.dispatch.client_by_id(id).await?.state))
}

/// Refuses a token without this scope.
pub(super) fn with_scope(row: &TokenRow, scope: &str) -> Result<(), Refused> {
    if row.scope.split(' ').any(|name| name == scope) {
        return Ok(());
    }
    let description = format!("the token lacks the scope {scope}");
    Err(challenged(OAuthError::new(ErrorCode::InsufficientScope, "scope_missing", description).saw("scope", &row.scope)))
}

/// The registration of a client that may act.
pub(super) fn usable(client: &Client) -> Result<&Registration, Refused> {
    client.usable().ok_or_else(|| invalid_token("client_disabled", "the client is disabled").into())
}

/// The row of an access token that is active now.
pub(super) async fn active(app: &App, token: &str) -> Result<TokenRow, Refused> {
    let row = app.dispatch.reads.token(&Digest::of(token.as_bytes())).await?;
    let row = row.filter(|row| row.is_active(TokenKind::Access, app.clock.now()));
    row.ok_or_else(token_not_active)
}

/// The token is good for nothing, or not any more.
pub(super) fn token_not_active() -> Refused {
    challenged(invalid_token("token_not_active", "the token is not active"))
}

/// The row of an access token that is active now and meant for the issuer's own resources.
pub(super) async fn active_here(app: &App, token: &str) -> Result<TokenRow, Refused> {
    let row = active(app, token).await?;
    let audience = audience(&row);
    if audience.iter().any(|resource| resource == app.settings.default_resource()) {
        return Ok(row);
    }
    let error = invalid_token("token_for_another_resource", "the token is for another resource");
    Err(challenged(error.saw("aud", audience.join(" "))))
}

/// Refuses a token whose user did not sign in as demanded (RFC 9470).
pub(super) fn signed_in_as(app: &App, row: &TokenRow, demanded: &Demanded) -> Result<(), Refused> {
    if demanded.is_nothing() {
        return Ok(());
    }
    let context = row.acr.as_deref().and_then(ContextClass::named);
    let signed_in = row.auth_time.map(|auth_time| (context, Timestamp::from_unix(auth_time)));
    let refused = |error: OAuthError| Refused { challenge: Some(Challenge::SignIn(demanded.clone())), ..error.into() };
    demanded.check(signed_in, app.clock.now()).map_err(refused)
}
