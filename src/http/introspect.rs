//! `POST /o/introspect/` (RFC 7662): what a token is worth now. By client authentication, or, as with django-oauth-toolkit, by a bearer
//! token with the scope `introspection`. Signed for whoever asks for that (RFC 9701).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use domain::{
    Digest,
    client::{Client, Registration},
};
use projections::token::TokenRow;
use serde_json::Value;

use crate::{
    log::Unavailable,
    protocol::{
        Parameters,
        bearer::Presented,
        introspection::{Caller, INACTIVE, Introspection, is_active, may_see, told_audience},
    },
    state::App,
};

use super::{
    answer::{json, not_kept},
    bearer_auth,
    client_auth::{Purpose, authenticate, remembered},
    error::Refused,
    form::{Form, Query},
    position::reach,
    sender::Sender,
};

/// The media type of a signed answer (RFC 9701 section 4).
const SIGNED: &str = "application/token-introspection+jwt";

pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    introspect(&app, (&headers, &sender), &parameters).await
}

pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    introspect(&app, (&headers, &sender), &parameters).await
}

async fn introspect(app: &App, (headers, sender): (&HeaderMap, &Sender), parameters: &Parameters) -> Result<Response, Refused> {
    let (caller, row) = match bearer_auth::presented(headers)? {
        Some(presented) => seen_by_bearer(app, (presented, sender), parameters).await?,
        None => seen_by_client(app, (headers, sender), parameters).await?,
    };
    let caller = Caller { client_id: &caller.0, registration: bearer_auth::usable(&caller.1)? };
    let default = app.settings.default_resource();
    let seen = row.filter(|row| is_active(row, app.clock.now()) && may_see(&caller, row, default));
    let signed = wants_signed(headers);
    let Some(row) = seen else {
        return match signed {
            true => sign(app, caller.registration, &serde_json::json!({"active": false})).await,
            false => Ok(json(INACTIVE)),
        };
    };
    let user = match caller.client_id == row.client_id {
        true => app.dispatch.told_to_its_client(caller.registration, &row).await?,
        false => app.dispatch.told_to_others(&row).await?,
    };
    let issuer = app.settings.issuer();
    let bound = bearer_auth::bound_to(&row)?;
    let act = row.act().map_err(|error| {
        tracing::error!(%error, "who acts in a token cannot be read");
        Unavailable
    })?;
    let told = Introspection::of((&row, bound, act), &issuer, told_audience(&caller, &row, default), &user);
    let possible = "an introspection has a JSON form";
    match signed {
        true => sign(app, caller.registration, &serde_json::to_value(&told).expect(possible)).await,
        false => Ok(json(serde_json::to_vec(&told).expect(possible))),
    }
}

/// Whether the caller asks for a signed answer (RFC 9701 section 4): that it has it later on, and can show it.
fn wants_signed(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|one| one.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(SIGNED))
}

async fn sign(app: &App, caller: &Registration, told: &Value) -> Result<Response, Refused> {
    let jwt = app.dispatch.sign_introspection(caller, told).await?;
    Ok(not_kept(jwt, SIGNED))
}

/// The client that asks, by its stream's id; and the token that it asks about.
type Seen = ((String, Arc<Client>), Option<TokenRow>);

/// For a client that proves who it is. What is remembered of it will do where the look-up of the token finds it unchanged.
async fn seen_by_client(app: &App, (headers, sender): (&HeaderMap, &Sender), parameters: &Parameters) -> Result<Seen, Refused> {
    let at_once = parameters.get("token").filter(|_| parameters.get("min_position").is_none());
    if let Some(token) = at_once
        && let Some(client) = remembered(app, headers, parameters, sender).await?
        && let Some(seen) = app.dispatch.reads.token_for(&Digest::of(token.as_bytes()), client.id).await?
        && seen.caller_version == Some(client.version())
    {
        return Ok(((client.id.to_string(), client.client()), Some(seen.token)));
    }
    let client = authenticate(app, headers, parameters, (sender, Purpose::Read)).await?;
    Ok(((client.id.to_string(), client.client()), wanted(app, parameters).await?))
}

/// For a client whose access token has the scope for it.
async fn seen_by_bearer(
    app: &App,
    (presented, sender): (Presented<'_>, &Sender),
    parameters: &Parameters,
) -> Result<Seen, Refused> {
    Ok((bearer_auth::resource_server(app, presented, sender).await?, wanted(app, parameters).await?))
}

/// The token that is asked about.
async fn wanted(app: &App, parameters: &Parameters) -> Result<Option<TokenRow>, Refused> {
    reach(app, parameters).await?;
    Ok(app.dispatch.reads.token(&Digest::of(parameters.required("token")?.as_bytes())).await?)
}
