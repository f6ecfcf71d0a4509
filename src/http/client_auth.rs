//! A client proves who it is to an endpoint (RFC 6749 section 2.3).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    dispatch::{AuthenticatedClient, AuthenticationRefusal, Presented, Refusal},
    protocol::{
        ErrorCode, OAuthError, OnceKind, Parameters,
        client_authentication::{self, ClientCredentials, ClientProof, invalid_client},
        client_certificate::InvalidCertificate,
    },
    state::App,
};

use super::{
    error::{Challenge, Refused},
    sender::Sender,
};

/// What a client's request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A command: its append checks that the registration still holds, and uses up what was good once.
    Command,
    /// A read, which stands on the registration as it is now, and uses up by itself what was good once.
    Read,
    /// The same, but what was good once is for whoever asks to use up.
    Now,
}

/// Believes a client, or says why not.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    (sender, purpose): (&Sender, Purpose),
) -> Result<AuthenticatedClient, Refused> {
    let presented = presented(headers, parameters, sender)?;
    let believed = match purpose {
        Purpose::Command => app.dispatch.authenticate_client(&presented).await,
        Purpose::Read | Purpose::Now => app.dispatch.authenticate_reader(&presented).await,
    };
    let client = believed.map_err(|refusal| match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(AuthenticationRefusal::TooManyFailures { retry_after }) => {
            let error = told(&presented.credentials, "too_many_failures", "too many failures from this address: try again later");
            Refused::with_status(OAuthError { retry_after: Some(retry_after), ..error }, StatusCode::TOO_MANY_REQUESTS)
        }
        Refusal::Rule(refusal) => challenged(headers, refused(&presented.credentials, refusal)),
    })?;
    if purpose == Purpose::Read {
        use_up(app, &client).await?;
    }
    Ok(client)
}

/// Uses up what a client proved itself by, where the request brings nothing about that would.
pub(super) async fn use_up(app: &App, client: &AuthenticatedClient) -> Result<(), Refused> {
    match app.dispatch.use_up(client.once()).await? {
        None => Ok(()),
        Some(kind) => Err(replayed(client, kind).into()),
    }
}

/// What came of a request that writes nothing where it is refused: then what its client proved itself by is used up by itself, but not where
/// nothing was decided.
pub(super) async fn used_up_if_refused<T>(
    app: &App,
    client: &AuthenticatedClient,
    outcome: Result<T, Refused>,
) -> Result<T, Refused> {
    if let Err(refused) = &outcome
        && refused.error.code != ErrorCode::TemporarilyUnavailable
    {
        use_up(app, client).await?;
    }
    outcome
}

/// What a client is told that proved itself by what was used before.
pub(super) fn replayed(client: &AuthenticatedClient, kind: OnceKind) -> OAuthError {
    kind.replayed().saw("client_id", &client.registration().identifier)
}

/// A client that is believed by what is remembered of it: whoever asks finds out whether that still holds. Never by what is good once.
pub(super) async fn remembered(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    sender: &Sender,
) -> Result<Option<AuthenticatedClient>, Refused> {
    let presented = presented(headers, parameters, sender)?;
    match presented.credentials.proof {
        ClientProof::Assertion(_) => Ok(None),
        ClientProof::None | ClientProof::Basic(_) | ClientProof::Body(_) => {
            Ok(app.dispatch.remembered_client(&presented).await?)
        }
    }
}

fn presented(headers: &HeaderMap, parameters: &Parameters, sender: &Sender) -> Result<Presented, Refused> {
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let credentials = client_authentication::read(authorization, parameters).map_err(|error| challenged(headers, error))?;
    Ok(Presented { credentials, source: sender.source.0, certificate: sender.certificate.clone() })
}

/// Asks for Basic again where that was tried (RFC 6749 section 5.2).
fn challenged(headers: &HeaderMap, error: OAuthError) -> Refused {
    let tried = headers.contains_key(header::AUTHORIZATION) && error.code == ErrorCode::InvalidClient;
    Refused { challenge: tried.then_some(Challenge::Basic), ..error.into() }
}

fn refused(credentials: &ClientCredentials, refusal: AuthenticationRefusal) -> OAuthError {
    let error = told(credentials, rule_of(refusal), "the client is unknown or its authentication failed");
    match refusal {
        AuthenticationRefusal::WrongMethod { registered } => {
            error.saw("method", credentials.proof.method().name()).saw("registered", registered.name())
        }
        AuthenticationRefusal::UnknownClient
        | AuthenticationRefusal::WrongSecret
        | AuthenticationRefusal::Disabled
        | AuthenticationRefusal::Assertion(_)
        | AuthenticationRefusal::Certificate(_)
        | AuthenticationRefusal::TooManyFailures { .. } => error,
    }
}

/// The client learns no more than that it is not believed; the rule is for `grantlog explain`.
fn told(credentials: &ClientCredentials, rule: &'static str, description: &str) -> OAuthError {
    invalid_client(rule, description).saw("client_id", &credentials.identifier)
}

const fn rule_of(refusal: AuthenticationRefusal) -> &'static str {
    match refusal {
        AuthenticationRefusal::UnknownClient => "client_unknown",
        AuthenticationRefusal::WrongSecret => "client_secret_wrong",
        AuthenticationRefusal::WrongMethod { .. } => "client_authentication_method",
        AuthenticationRefusal::Disabled => "client_disabled",
        AuthenticationRefusal::Assertion(error) => error.rule(),
        AuthenticationRefusal::Certificate(error) => match error {
            InvalidCertificate::Missing => "certificate_missing",
            InvalidCertificate::NotTrusted => "certificate_not_trusted",
            InvalidCertificate::NamesAnother => "certificate_names_another",
            InvalidCertificate::NotRegistered => "certificate_not_registered",
        },
        AuthenticationRefusal::TooManyFailures { .. } => "too_many_failures",
    }
}
