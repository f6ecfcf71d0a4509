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
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let challenge = authorization.map(|_| Challenge::Basic);
    let refused =
        |error: OAuthError| Refused { challenge: challenge.filter(|_| error.code == ErrorCode::InvalidClient), ..error.into() };
    let credentials = client_authentication::read(authorization, parameters).map_err(refused)?;
    let presented = Presented { credentials, source: source.0 };
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
            refused(told(&presented.credentials, rule_of(refusal), "the client is unknown or its authentication failed"))
        }
    })
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
