//! A request that carries an access token of ours (RFC 6750).

use axum::http::{HeaderMap, HeaderValue, header};
use domain::Digest;
use projections::token::{TokenKind, TokenRow};

use crate::{
    protocol::{
        OAuthError,
        bearer::{self, invalid_token},
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

/// The row of an access token that is active now.
pub(super) async fn active(app: &App, token: &str) -> Result<TokenRow, Refused> {
    let row = app.dispatch.reads.token(&Digest::of(token.as_bytes())).await?;
    let row = row.filter(|row| row.is_active(TokenKind::Access, app.clock.now()));
    row.ok_or_else(|| challenged(invalid_token("token_not_active", "the token is not active")))
}
