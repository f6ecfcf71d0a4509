//! A client proves who it is to an endpoint (RFC 6749 section 2.3).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    dispatch::{AuthenticatedClient, AuthenticationRefusal, Presented, Refusal},
    protocol::{
        ErrorCode, OAuthError, Parameters,
        client_authentication::{self, ClientCredentials, invalid_client},
    },
    state::App,
};

use super::{
    error::{Challenge, Refused},
    source::Source,
};

/// What a client's request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A command: its append checks that the registration still holds.
    Command,
    /// A read, which stands on the registration as it is now.
    Read,
}

/// Believes a client, or says why not.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    (source, purpose): (Source, Purpose),
) -> Result<AuthenticatedClient, Refused> {
    let presented = presented(headers, parameters, source)?;
    let believed = match purpose {
        Purpose::Command => app.dispatch.authenticate_client(&presented).await,
        Purpose::Read => app.dispatch.authenticate_reader(&presented).await,
    };
    believed.map_err(|refusal| match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(AuthenticationRefusal::TooManyFailures { retry_after }) => {
            let error = told(&presented.credentials, "too_many_failures", "too many failures from this address: try again later");
            Refused::with_status(OAuthError { retry_after: Some(retry_after), ..error }, StatusCode::TOO_MANY_REQUESTS)
        }
        Refusal::Rule(refusal) => {
            let description = "the client is unknown or its authentication failed";
            challenged(headers, told(&presented.credentials, rule_of(refusal), description))
        }
    })
}

/// A client that is believed by what is remembered of it: whoever asks finds out whether that still holds.
pub(super) async fn remembered(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    source: Source,
) -> Result<Option<AuthenticatedClient>, Refused> {
    Ok(app.dispatch.remembered_client(&presented(headers, parameters, source)?).await?)
}

fn presented(headers: &HeaderMap, parameters: &Parameters, source: Source) -> Result<Presented, Refused> {
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let credentials = client_authentication::read(authorization, parameters).map_err(|error| challenged(headers, error))?;
    Ok(Presented { credentials, source: source.0 })
}

/// Asks for Basic again where that was tried (RFC 6749 section 5.2).
fn challenged(headers: &HeaderMap, error: OAuthError) -> Refused {
    let tried = headers.contains_key(header::AUTHORIZATION) && error.code == ErrorCode::InvalidClient;
    Refused { challenge: tried.then_some(Challenge::Basic), ..error.into() }
}

/// The client learns no more than that it is not believed; the rule is for `grantlog explain`.
fn told(credentials: &ClientCredentials, rule: &'static str, description: &str) -> OAuthError {
    invalid_client(rule, description).saw("client_id", &credentials.identifier)
}

const fn rule_of(refusal: AuthenticationRefusal) -> &'static str {
    match refusal {
        AuthenticationRefusal::UnknownClient => "client_unknown",
        AuthenticationRefusal::WrongSecret => "client_secret_wrong",
        AuthenticationRefusal::WrongMethod => "client_authentication_method",
        AuthenticationRefusal::Disabled => "client_disabled",
        AuthenticationRefusal::TooManyFailures { .. } => "too_many_failures",
    }
}
