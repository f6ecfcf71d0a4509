//! `POST /o/token/` (RFC 6749 section 3.2): codes, device codes, refresh tokens and client credentials become tokens.

use axum::{extract::State, http::HeaderMap, response::Response};
use domain::grant::GrantError;

use crate::{
    credential::CredentialKind,
    dispatch::{
        AuthenticatedClient, DeviceCodeRefusal, Done, IssueForClient, Issued, RedeemCode, RedeemDevice, RedeemRefusal,
        RefreshRefusal, RefreshTokens, Refusal, SLOWER_BY,
    },
    protocol::{
        OAuthError, device,
        token::{self as rules, TokenRequest, invalid_grant, refused_by_grant},
    },
    state::App,
};
use secrecy::ExposeSecret;

use super::{
    answer::{at_position, json},
    client_auth::{Purpose, authenticate},
    error::Refused,
    form::Form,
    source::Source,
};

/// The rule that fires where the client, the user or the sign-in changed meanwhile.
const CUT_OFF: &str = rules::rule_of(GrantError::CutOff);

pub(super) async fn post(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let client = authenticate(&app, &headers, &parameters, (source, Purpose::Command)).await?;
    let request = TokenRequest::read(&parameters)?;
    rules::check_grant_type(client.registration(), request.grant_type())?;
    let issued = match issue(&app, client, request).await {
        // It was believed as it was remembered. Where it is not believed any more, it is told so (RFC 6749 section 5.2).
        Err(error) if error.rule == CUT_OFF => {
            authenticate(&app, &headers, &parameters, (source, Purpose::Again)).await?;
            return Err(error.into());
        }
        issued => issued?,
    };
    Ok(at_position(json(issued.answer.body().to_owned()), issued.position))
}

async fn issue(app: &App, client: AuthenticatedClient, request: TokenRequest) -> Result<Done<Issued>, OAuthError> {
    match request {
        TokenRequest::ClientCredentials { scope, resources } => {
            let scope = rules::scope_within(client.registration(), scope)?;
            rules::check_resources(client.registration(), &resources, app.settings.default_resource())?;
            let request = IssueForClient { client, scope, resources };
            app.dispatch.client_credentials(&request).await.map_err(|refusal| refused(refusal, refused_by_grant))
        }
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, resources } => {
            let Some(code) = CredentialKind::Code.read(&app.dispatch.keys, code.expose_secret()) else {
                return Err(invalid_grant("code_not_ours", "the code is not one of this server's"));
            };
            let request = RedeemCode { client, code, redirect_uri, code_verifier, resources };
            app.dispatch.redeem_code(&request).await.map_err(|refusal| refused(refusal, code_refused))
        }
        TokenRequest::RefreshToken { token, scope, resources } => {
            let Some(presented) = CredentialKind::Refresh.read(&app.dispatch.keys, token.expose_secret()) else {
                return Err(invalid_grant("refresh_token_not_ours", "the refresh token is not one of this server's"));
            };
            let request = RefreshTokens { client, presented, token, scope, resources };
            app.dispatch.refresh(&request).await.map_err(|refusal| refused(refusal, refresh_refused))
        }
        TokenRequest::DeviceCode { device_code, resources } => {
            let Some(code) = CredentialKind::Device.read(&app.dispatch.keys, device_code.expose_secret()) else {
                return Err(invalid_grant("device_code_not_ours", "the device code is not one of this server's"));
            };
            let request = RedeemDevice { client, code, resources };
            app.dispatch.redeem_device(&request).await.map_err(|refusal| refused(refusal, device_refused))
        }
    }
}

fn refused<E>(refusal: Refusal<E>, told: impl FnOnce(E) -> OAuthError) -> OAuthError {
    match refusal {
        Refusal::Rule(rule) => told(rule),
        Refusal::Unavailable(unavailable) => unavailable.into(),
    }
}

fn code_refused(refusal: RedeemRefusal) -> OAuthError {
    match refusal {
        RedeemRefusal::Rule(rule) => refused_by_grant(rule),
        RedeemRefusal::Replayed => invalid_grant("code_replayed", &refusal.to_string()),
        RedeemRefusal::OtherResource => rules::invalid_target("resource_not_granted", &refusal.to_string()),
    }
}

fn device_refused(refusal: DeviceCodeRefusal) -> OAuthError {
    match refusal {
        DeviceCodeRefusal::Device(rule) => device::refused(rule),
        DeviceCodeRefusal::SlowDown => device::slow_down(SLOWER_BY),
        DeviceCodeRefusal::OtherResource => rules::invalid_target("resource_not_granted", &refusal.to_string()),
        DeviceCodeRefusal::Grant(rule) => refused_by_grant(rule),
    }
}

fn refresh_refused(refusal: RefreshRefusal) -> OAuthError {
    match refusal {
        RefreshRefusal::Rule(rule) => refused_by_grant(rule),
        RefreshRefusal::Replayed => invalid_grant("refresh_token_replayed", &refusal.to_string()),
        RefreshRefusal::AnswerGone => invalid_grant("refresh_answer_gone", &refusal.to_string()),
        RefreshRefusal::OtherResource => rules::invalid_target("resource_not_granted", &refusal.to_string()),
    }
}
