//! `POST /o/device-authorization/` (RFC 8628 section 3.1): a device asks to be let in by somebody with a browser.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::client::GrantType;
use secrecy::ExposeSecret;

use crate::{
    dispatch::{AuthenticatedClient, Done, Refusal, RequestDevice, RequestDeviceRefusal, RequestedDevice},
    protocol::{
        OAuthError, Parameters,
        client_authentication::invalid_client,
        device::{DeviceAnswer, too_many, verification_uri, verification_uri_complete},
        token::{check_grant_type, invalid_grant},
        wanted,
    },
    state::App,
};

use super::{
    answer::{at_position, json},
    client_auth::{Purpose, authenticate, used_up_if_refused},
    error::Refused,
    form::Form,
    sender::Sender,
    source::Source,
};

pub(super) async fn post(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let client = authenticate(&app, &headers, &parameters, (&sender, Purpose::Command)).await?;
    let done = used_up_if_refused(&app, &client, ask(&app, &client, &parameters, sender.source).await).await?;
    let (issuer, devices) = (app.settings.issuer(), &app.settings.devices);
    let answer = DeviceAnswer {
        device_code: done.answer.device_code.expose_secret(),
        user_code: done.answer.user_code.shown(),
        verification_uri: verification_uri(&issuer),
        verification_uri_complete: verification_uri_complete(&issuer, &done.answer.user_code),
        expires_in: devices.code_lifetime,
        interval: devices.interval,
    };
    let body = serde_json::to_string(&answer).expect("the answer to a device has a JSON form");
    Ok(at_position(json(body), done.position))
}

async fn ask(
    app: &App,
    client: &AuthenticatedClient,
    parameters: &Parameters,
    source: Source,
) -> Result<Done<RequestedDevice>, Refused> {
    let registration = client.registration();
    check_grant_type(registration, GrantType::DeviceCode)?;
    let catalogue = app.dispatch.catalogue().await?;
    let scope = wanted::scope(parameters, registration, &catalogue)?;
    let resources = wanted::resources(parameters, registration, &scope, (&catalogue, app.settings.default_resource()))?;
    let request = RequestDevice { client: client.clone(), scope, resources, source: source.0 };
    app.dispatch.request_device(&request).await.map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &Refusal<RequestDeviceRefusal>) -> Refused {
    let refused = match refusal {
        Refusal::Unavailable(unavailable) => return (*unavailable).into(),
        Refusal::Rule(refused) => refused,
    };
    let error: OAuthError = match refused {
        RequestDeviceRefusal::TooMany { retry_after } => {
            return Refused::with_status(too_many(*retry_after), StatusCode::TOO_MANY_REQUESTS);
        }
        RequestDeviceRefusal::ClientDisabled => invalid_client("client_disabled", &refused.to_string()),
        RequestDeviceRefusal::UsedBefore(kind) => kind.replayed(),
        RequestDeviceRefusal::Device(error) => invalid_grant("device_not_recorded", &error.to_string()),
    };
    error.into()
}
