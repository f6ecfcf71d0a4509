//! `POST /o/revoke_token/` (RFC 7009): a client gives a token back. A wrong `token_type_hint` does no harm: every kind is looked for.

use axum::{extract::State, http::HeaderMap, response::Response};
use domain::Digest;

use crate::{dispatch::RevokeToken, state::App};

use super::{
    answer::{at_position, json},
    client_auth::{Purpose, authenticate},
    error::Refused,
    form::Form,
    source::Source,
};

pub(super) async fn post(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let client = authenticate(&app, &headers, &parameters, (source, Purpose::Read)).await?;
    let digest = Digest::of(parameters.required("token")?.as_bytes());
    let revoked = app.dispatch.revoke(&RevokeToken { client_id: client.id, digest }).await?;
    Ok(at_position(json("{}"), revoked.position))
}
