//! What a client exchanges at the token endpoint (RFC 8693), looked up and checked.

use domain::Digest;
use projections::token::TokenRow;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    dispatch::{AuthenticatedClient, ExchangeToken},
    log::Unavailable,
    protocol::{
        OAuthError,
        exchange::{self, ExchangeRequest, Known, Rows},
        introspection::Caller,
    },
    state::App,
};

/// The exchange that the client asks for, where what is known now allows it.
pub(super) async fn checked(
    app: &App,
    client: AuthenticatedClient,
    request: &ExchangeRequest,
) -> Result<ExchangeToken, OAuthError> {
    let subject = row(app, &request.subject_token).await?;
    let actor = match &request.actor_token {
        Some(token) => row(app, token).await?,
        None => None,
    };
    let id = client.id.to_string();
    let caller = Caller { client_id: &id, registration: client.registration() };
    let rows = Rows { subject: subject.as_ref(), actor: actor.as_ref() };
    let catalogue = app.dispatch.catalogue().await?;
    let known = Known { now: app.clock.now(), catalogue: &catalogue, default_resource: app.settings.default_resource() };
    let agreed = exchange::check(request, &caller, rows, known)?;
    let grant_id = subject.and_then(|row| row.grant_id.parse().ok()).ok_or(Unavailable)?;
    let presented = [Some(&request.subject_token), request.actor_token.as_ref()].into_iter().flatten().map(digest).collect();
    Ok(ExchangeToken { client, presented, grant_id, agreed })
}

async fn row(app: &App, token: &SecretString) -> Result<Option<TokenRow>, OAuthError> {
    Ok(app.dispatch.reads.token(&digest(token)).await?)
}

fn digest(token: &SecretString) -> Digest {
    Digest::of(token.expose_secret().as_bytes())
}
