//! `/api/resource`: a small protected resource of our own, so that the last two of the eight steps can be seen without another program. With
//! `acr_values` or `max_age` it demands a surer or a more recent sign-in (RFC 9470); its refusals tell where it says what opens it (RFC 9728).

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::json;

use crate::{
    log::Unavailable,
    protocol::{Parameters, bearer::Demanded},
    state::App,
};

use super::{answer, bearer_auth, error::Refused, form::Query, position::reach, sender::Sender};

pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let opened = open(&app, (&headers, &sender), &parameters).await;
    opened.map_err(|refused| Refused { of_resource: true, ..refused })
}

async fn open(app: &App, (headers, sender): (&HeaderMap, &Sender), parameters: &Parameters) -> Result<Response, Refused> {
    let presented = bearer_auth::required(bearer_auth::presented(headers)?)?;
    reach(app, parameters).await?;
    let row = bearer_auth::active_here(app, presented, sender).await?;
    bearer_auth::signed_in_as(app, &row, &Demanded::read(parameters)?)?;
    let client_id = row.client_identifier.as_deref().unwrap_or(&row.client_id);
    let client = app.dispatch.client_by_id(row.client_id.parse().map_err(|_| Unavailable)?).await?;
    let user = app.dispatch.told_to_its_client(bearer_auth::usable(&client.state)?, &row).await?;
    let told = json!({
        "message": "This resource is protected, and your token opened it.",
        "client_id": client_id,
        "sub": user.sub.as_deref().unwrap_or(client_id),
        "username": user.username,
        "scope": row.scope,
        "expires_at": row.expires_at,
    });
    Ok(answer::json(told.to_string()))
}
