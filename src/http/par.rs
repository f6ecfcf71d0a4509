//! `POST /o/par/` (RFC 9126): a client leaves an authorization request with us, and gets the `request_uri` that the browser brings instead.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    dispatch::AuthenticatedClient,
    protocol::{
        Parameters,
        authorize::{AuthorizationRequest, Fault, Way},
        pushed_request,
    },
    state::App,
};

use super::{
    answer::json,
    authorization_request::{check, client_that_asks},
    client_auth::{Purpose, authenticate, replayed, used_up_if_refused},
    error::Refused,
    form::Form,
    pages::Pending,
    sender::Sender,
};

pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    if let Some(identifier) = parameters.get("client_id") {
        client_that_asks(&app, identifier, sender.source).await?;
    }
    let client = authenticate(&app, &headers, &parameters, (&sender, Purpose::Now)).await?;
    let checked = checked(&app, (&client, &sender), &parameters).await;
    let (client, request) = used_up_if_refused(&app, &client, checked).await?;
    let lifetime = app.settings.tokens.pushed_request_lifetime;
    let handle = match Pending::new(&app, request, lifetime).push(&app, client.once()).await? {
        Ok(handle) => handle,
        Err(kind) => return Err(replayed(&client, kind).into()),
    };
    let told = serde_json::json!({"request_uri": pushed_request::uri(&handle), "expires_in": lifetime});
    let mut response = json(told.to_string());
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// The request, and its client, which may have proved to hold the key that the code will be for (RFC 9449 section 10.1). Nobody is redirected:
/// the client itself is told what is wrong.
async fn checked(
    app: &App,
    (client, sender): (&AuthenticatedClient, &Sender),
    parameters: &Parameters,
) -> Result<(AuthenticatedClient, AuthorizationRequest), Refused> {
    let registration = client.registration();
    let parameters = parameters.with_default("client_id", &registration.identifier);
    let checked = check(app, &parameters, Some((client.id, registration)), Way::Pushed).await?;
    let request = match checked {
        Ok(request) => request,
        Err(Fault::Page(error) | Fault::Redirect(error, _)) => return Err(error.into()),
    };
    Ok(match sender.dpop.possession(app, None)? {
        None => (client.clone(), request),
        Some(possession) => {
            let request = request.for_holder_of(&possession.confirmation)?;
            (client.clone().holding(possession), request)
        }
    })
}
