//! `POST /o/token/` (RFC 6749 section 3.2): codes, device codes, refresh tokens, client credentials, assertions and other tokens become tokens.

use axum::{extract::State, http::HeaderMap, response::Response};
use domain::grant::GrantError;

use crate::{
    credential::CredentialKind,
    dispatch::{
        AssertionRefusal, AuthenticatedClient, DeviceCodeRefusal, Done, IssueForClient, IssueRefusal, Issued, PresentAssertion,
        RedeemCode, RedeemDevice, RefreshTokens, Refusal, SLOWER_BY, TargetRefusal,
    },
    protocol::{
        ErrorCode, OAuthError, Parameters, device, resources,
        token::{self as rules, TokenRequest, invalid_grant, refused_by_grant},
    },
    state::App,
};
use secrecy::ExposeSecret;

use super::{
    answer::{at_position, json},
    client_auth::{Purpose, authenticate, use_up},
    error::Refused,
    exchange,
    form::Form,
    sender::Sender,
};

/// The rule that fires where the client, the user or the sign-in changed meanwhile.
const CUT_OFF: &str = rules::rule_of(GrantError::CutOff);

pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let client = authenticate(&app, &headers, &parameters, (&sender, Purpose::Command)).await?;
    let issued = match issue(&app, (&client, &sender), &parameters).await {
        Ok(issued) => issued,
        Err(NotIssued { error, leaves_unused: false }) => return Err(error.into()),
        Err(NotIssued { error, .. }) => {
            use_up(&app, &client).await?;
            // It was believed as it was remembered. Where it is not believed any more, it is told so (RFC 6749 section 5.2).
            if error.rule == CUT_OFF {
                authenticate(&app, &headers, &parameters, (&sender, Purpose::Now)).await?;
            }
            return Err(error.into());
        }
    };
    Ok(at_position(json(issued.answer.body().to_owned()), issued.position))
}

/// A refusal, and whether what the request proved itself by is still to be used up: not where that went with what was recorded, nor where
/// nothing was decided.
struct NotIssued {
    error: OAuthError,
    leaves_unused: bool,
}

impl From<OAuthError> for NotIssued {
    fn from(error: OAuthError) -> Self {
        Self { leaves_unused: error.code != ErrorCode::TemporarilyUnavailable, error }
    }
}

async fn issue(
    app: &App,
    (client, sender): (&AuthenticatedClient, &Sender),
    parameters: &Parameters,
) -> Result<Done<Issued>, NotIssued> {
    let request = TokenRequest::read(parameters)?;
    rules::check_grant_type(client.registration(), request.grant_type())?;
    let client = sender.bound(app, client)?;
    let issued = match request {
        TokenRequest::ClientCredentials { scope, resource } => {
            let scope = rules::scope_within(client.registration(), scope)?;
            may_name(app, &client, resource.as_deref()).await?;
            app.dispatch.client_credentials(&IssueForClient { client, scope, resource }).await
        }
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resource } => {
            let Some(code) = CredentialKind::Code.read(&app.dispatch.keys, code.expose_secret()) else {
                return Err(invalid_grant("code_not_ours", "the code is not one of this server's").into());
            };
            app.dispatch.redeem_code(&RedeemCode { client, code, redirect_uri, code_verifier, resource }).await
        }
        TokenRequest::RefreshToken { token, scope, resource } => {
            let Some(presented) = CredentialKind::Refresh.read(&app.dispatch.keys, token.expose_secret()) else {
                return Err(invalid_grant("refresh_token_not_ours", "the refresh token is not one of this server's").into());
            };
            app.dispatch.refresh(&RefreshTokens { client, presented, token, scope, resource }).await
        }
        TokenRequest::DeviceCode { device_code, resource } => {
            let Some(code) = CredentialKind::Device.read(&app.dispatch.keys, device_code.expose_secret()) else {
                return Err(invalid_grant("device_code_not_ours", "the device code is not one of this server's").into());
            };
            let redeemed = app.dispatch.redeem_device(&RedeemDevice { client, code, resource }).await;
            return redeemed.map_err(|refusal| match refusal {
                Refusal::Rule(refusal) => device_refused(refusal).into(),
                Refusal::Unavailable(unavailable) => OAuthError::from(unavailable).into(),
            });
        }
        TokenRequest::JwtBearer { assertion, scope, resource } => {
            may_name(app, &client, resource.as_deref()).await?;
            let issued = app.dispatch.jwt_bearer(&PresentAssertion { client, assertion, scope, resource }).await;
            return issued.map_err(|refusal| match refusal {
                Refusal::Rule(AssertionRefusal::Assertion(error)) => error.into(),
                Refusal::Rule(AssertionRefusal::Issue(error)) => refused(error).into(),
                Refusal::Unavailable(unavailable) => OAuthError::from(unavailable).into(),
            });
        }
        TokenRequest::TokenExchange(request) => {
            let exchange = exchange::checked(app, client, &request).await?;
            app.dispatch.exchange(&exchange).await
        }
    };
    issued.map_err(|refusal| match refusal {
        Refusal::Rule(refusal) => NotIssued { leaves_unused: !refusal.is_recorded(), error: refused(refusal) },
        Refusal::Unavailable(unavailable) => NotIssued { leaves_unused: false, error: unavailable.into() },
    })
}

/// Whether the client may ask for the resource that it names.
async fn may_name(app: &App, client: &AuthenticatedClient, resource: Option<&str>) -> Result<(), OAuthError> {
    let Some(resource) = resource else { return Ok(()) };
    let catalogue = app.dispatch.catalogue().await?;
    resources::check(client.registration(), [resource], (&catalogue, app.settings.default_resource()))
}

fn refused(refusal: IssueRefusal) -> OAuthError {
    let told = refusal.to_string();
    match refusal {
        IssueRefusal::Rule(rule) => refused_by_grant(rule),
        IssueRefusal::CodeReplayed => invalid_grant("code_replayed", &told),
        IssueRefusal::RefreshReplayed => invalid_grant("refresh_token_replayed", &told),
        IssueRefusal::AnswerGone => invalid_grant("refresh_answer_gone", &told),
        IssueRefusal::Target(refusal) => target_refused(refusal),
        IssueRefusal::UsedBefore(kind) => kind.replayed(),
    }
}

fn target_refused(refusal: TargetRefusal) -> OAuthError {
    let told = refusal.to_string();
    match refusal {
        TargetRefusal::NotGranted => rules::invalid_target("resource_not_granted", &told),
        TargetRefusal::NotNamed => rules::invalid_target("resource_not_named", &told),
        TargetRefusal::NothingUnderstood => rules::invalid_scope(rules::NOTHING_UNDERSTOOD, &told),
    }
}

fn device_refused(refusal: DeviceCodeRefusal) -> OAuthError {
    match refusal {
        DeviceCodeRefusal::Device(rule) => device::refused(rule),
        DeviceCodeRefusal::SlowDown => device::slow_down(SLOWER_BY),
        DeviceCodeRefusal::Target(refusal) => target_refused(refusal),
        DeviceCodeRefusal::Grant(rule) => refused_by_grant(rule),
        DeviceCodeRefusal::UsedBefore(kind) => kind.replayed(),
    }
}
