//! `POST /o/introspect/` (RFC 7662): what a token is worth now. By client authentication, or, as with django-oauth-toolkit, by a bearer
//! token with the scope `introspection`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use domain::{
    Digest,
    client::{Client, Registration},
};
use projections::token::{TokenKind, TokenRow};

use crate::{
    log::Unavailable,
    protocol::{
        ErrorCode, OAuthError, Parameters,
        bearer::{self, invalid_token},
        introspection::{Caller, INACTIVE, INTROSPECTION_SCOPE, Introspection, is_active, may_see, told_audience},
    },
    state::App,
};

use super::{
    answer::json,
    client_auth::{Purpose, authenticate},
    error::{Challenge, Refused},
    form::{Form, Query},
    position::reach,
    source::Source,
};

pub(super) async fn post(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    introspect(&app, source, &headers, &parameters).await
}

pub(super) async fn get(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    introspect(&app, source, &headers, &parameters).await
}

async fn introspect(app: &App, source: Source, headers: &HeaderMap, parameters: &Parameters) -> Result<Response, Refused> {
    let (believed, early) = tokio::join!(caller(app, source, headers, parameters), early_row(app, parameters));
    let (id, client) = believed?;
    let row = match early {
        Some(row) => row?,
        None => {
            reach(app, parameters).await?;
            app.dispatch.reads.token(&Digest::of(parameters.required("token")?.as_bytes())).await?
        }
    };
    let caller = Caller { client_id: &id, registration: registration(&client)? };
    let default = app.settings.default_resource();
    let seen = row.filter(|row| is_active(row, app.clock.now()) && may_see(&caller, row, &default));
    let Some(row) = seen else {
        return Ok(json(INACTIVE));
    };
    let username = app.dispatch.username(&row).await?;
    let issuer = app.settings.issuer();
    let told = Introspection::of(&row, &issuer, told_audience(&caller, &row, &default), username.as_deref());
    Ok(json(serde_json::to_vec(&told).expect("an introspection has a JSON form")))
}

/// The token's row, read while the client is looked up; `None` where a position must be waited for first, which only a client that is
/// believed may do, or where there is no token.
async fn early_row(app: &App, parameters: &Parameters) -> Option<Result<Option<TokenRow>, Unavailable>> {
    if parameters.get("min_position").is_some() {
        return None;
    }
    Some(app.dispatch.reads.token(&Digest::of(parameters.get("token")?.as_bytes())).await)
}

fn registration(client: &Client) -> Result<&Registration, Refused> {
    client.usable().ok_or_else(|| invalid_token("client_disabled", "the client is disabled").into())
}

/// The client that asks, and the id of its stream.
async fn caller(
    app: &App,
    source: Source,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(String, Arc<Client>), Refused> {
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let refused = |error: OAuthError| Refused { challenge: Some(Challenge::Bearer), ..error.into() };
    let Some(token) = bearer::read(authorization).map_err(refused)? else {
        let client = authenticate(app, headers, parameters, (source, Purpose::Read)).await?;
        return Ok((client.id.to_string(), client.client()));
    };
    let row = app.dispatch.reads.token(&Digest::of(token.as_bytes())).await?;
    let row = row.filter(|row| row.is_active(TokenKind::Access, app.clock.now()));
    let row = row.ok_or_else(|| refused(invalid_token("token_not_active", "the token is not active")))?;
    if !row.scope.split(' ').any(|name| name == INTROSPECTION_SCOPE) {
        let error = OAuthError::new(ErrorCode::InsufficientScope, "scope_missing", "the token lacks the scope introspection");
        return Err(refused(error.saw("scope", &row.scope)));
    }
    let id = row.client_id.parse().map_err(|_| Unavailable)?;
    let client = app.dispatch.client_by_id(id).await?;
    Ok((row.client_id, client.state))
}
