//! `/o/register/`: clients register themselves (RFC 7591 section 3), and manage their registration (RFC 7592 section 2).

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{Timestamp, client::Registration};
use projections::client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::{
    credential::{Credential, CredentialKind},
    dispatch::{Admission, Done, Refusal, SelfRegistered, SelfRegistrationRefusal},
    log::Unavailable,
    protocol::{
        ErrorCode,
        bearer::{Scheme, invalid_token},
        metadata::path,
        registration::{self, invalid},
    },
    registration::ClientInformation,
    state::App,
};

use super::{
    answer::{at_position, json},
    bearer_auth::{challenged, presented, token_missing},
    error::{Refused, no_store},
    json_object::JsonObject,
    source::Source,
};

pub(super) async fn post(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    JsonObject(members): JsonObject,
) -> Result<Response, Refused> {
    let admission = match as_bearer(&headers)? {
        Some(token) => Admission::Invitation(read(&app, CredentialKind::Invitation, token)?),
        None if app.settings.registration.open => Admission::Open(source.0),
        None => return Err(token_missing()),
    };
    let invited = matches!(admission, Admission::Invitation(_));
    let metadata = registration::metadata(members, app.settings.registration.policy, invited)?;
    let metadata = registration::check_certificates(metadata, app.settings.mtls_issuer().is_some())?;
    let done = app.dispatch.register_itself(admission, metadata).await.map_err(refused)?;
    let mut response = told(&app, done).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

pub(super) async fn get(State(app): State<App>, Path(client_id): Path<String>, headers: HeaderMap) -> Result<Response, Refused> {
    let token = registration_token(&headers)?;
    let (_, registration) = managed(&app, &client_id, token).await?;
    let information = information(&app, &registration, None).await?;
    Ok(json(Value::Object(with_management(&app, information, token, &client_id)).to_string()))
}

pub(super) async fn put(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
    JsonObject(members): JsonObject,
) -> Result<Response, Refused> {
    let token = registration_token(&headers)?;
    let (credential, own) = managed(&app, &client_id, token).await?;
    if let Some(secret) = registration::check_replacement(&members, &own)?
        && !app.dispatch.is_secret_of(&SecretString::from(secret), &own).await?
    {
        return Err(invalid("client_secret: it must be the client's own").into());
    }
    // Who came in with an invitation may still do what it let them do.
    let invited = own.was_invited();
    let metadata = registration::metadata(members, own.metadata.policy, invited)?;
    let metadata = registration::check_certificates(metadata, app.settings.mtls_issuer().is_some())?;
    let done = app.dispatch.update_itself(credential, metadata).await.map_err(refused)?;
    told(&app, done).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let (credential, _) = managed(&app, &client_id, registration_token(&headers)?).await?;
    let done = app.dispatch.deregister_itself(&credential).await.map_err(refused)?;
    let mut response = at_position(StatusCode::NO_CONTENT.into_response(), done.position);
    no_store(response.headers_mut());
    Ok(response)
}

/// The token of the header: what lets a client register is bound to no key.
fn as_bearer(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    Ok(presented(headers)?.filter(|presented| presented.scheme == Scheme::Bearer).map(|presented| presented.token))
}

fn registration_token(headers: &HeaderMap) -> Result<&str, Refused> {
    as_bearer(headers)?.ok_or_else(token_missing)
}

/// The registration that the token manages, if it is the one of the path.
async fn managed(app: &App, client_id: &str, token: &str) -> Result<(Credential, Registration), Refused> {
    let credential = read(app, CredentialKind::Registration, token)?;
    let registration = app.dispatch.registered_itself(&credential).await.map_err(refused)?;
    if registration.identifier == client_id { Ok((credential, registration)) } else { Err(not_ours()) }
}

fn read(app: &App, kind: CredentialKind, token: &str) -> Result<Credential, Refused> {
    kind.read(&app.dispatch.keys, token).ok_or_else(not_ours)
}

fn not_ours() -> Refused {
    challenged(invalid_token("registration_token", "the token does not let its bearer do this"))
}

/// What the client is told of itself, with the token that it goes on with.
async fn told(app: &App, done: Done<SelfRegistered>) -> Result<Response, Refused> {
    let SelfRegistered { client, token } = done.answer;
    let information = information(app, &client.registration, client.secret.as_ref()).await?;
    let members = with_management(app, information, token.expose_secret(), &client.identifier);
    Ok(at_position(json(Value::Object(members).to_string()), done.position))
}

async fn information(
    app: &App,
    registration: &Registration,
    secret: Option<&SecretString>,
) -> Result<Map<String, Value>, Refused> {
    let Registration { identifier, metadata, .. } = registration;
    let row = client::by_identifier(app.dispatch.reads.db(), std::slice::from_ref(identifier)).await;
    let row = row.map_err(Unavailable::from)?.pop();
    let issued_at = row.map_or_else(|| app.clock.now(), |row| Timestamp::from_unix(row.created_at));
    Ok(ClientInformation { identifier, issued_at, metadata, secret }.members())
}

/// RFC 7592 section 3.
fn with_management(app: &App, mut members: Map<String, Value>, token: &str, client_id: &str) -> Map<String, Value> {
    let uri = format!("{}{}{client_id}/", app.settings.issuer(), path::REGISTER);
    members.insert("registration_access_token".to_owned(), token.into());
    members.insert("registration_client_uri".to_owned(), uri.into());
    members
}

fn refused(refusal: Refusal<SelfRegistrationRefusal>) -> Refused {
    match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(SelfRegistrationRefusal::Client(error)) => match registration::refused(&error) {
            error if error.code == ErrorCode::InvalidToken => challenged(error),
            error => error.into(),
        },
        Refusal::Rule(SelfRegistrationRefusal::Invitation(error)) => challenged(invalid_token("invitation", &error.to_string())),
        Refusal::Rule(SelfRegistrationRefusal::TooMany { retry_after }) => {
            Refused::with_status(registration::too_many(retry_after), StatusCode::TOO_MANY_REQUESTS)
        }
    }
}
