//! A request that carries an access token of ours (RFC 6750), and a proof where the token is bound to a key (RFC 9449), or comes
//! with the certificate that it is bound to (RFC 8705 section 3).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::{
    Confirmation, Digest, Timestamp,
    client::{Client, Registration},
    session::ContextClass,
};
use projections::token::{TokenKind, TokenRow};

use crate::{
    log::Unavailable,
    protocol::{
        ErrorCode, OAuthError,
        bearer::{self, Demanded, Presented, Scheme, invalid_token},
        client_certificate::ClientCertificate,
        dpop::{InvalidProof, invalid_proof},
        introspection::{INTROSPECTION_SCOPE, audience},
    },
    state::App,
};

use super::{
    error::{Challenge, Refused},
    sender::Sender,
};

/// An error that tells how to come again with a better token.
pub(super) fn challenged(error: OAuthError) -> Refused {
    Refused { challenge: Some(Challenge::Bearer), ..error.into() }
}

/// The access token that is presented; `None` where the request carries none. It is for whoever asks to look it up.
pub(super) fn presented(headers: &HeaderMap) -> Result<Option<Presented<'_>>, Refused> {
    bearer::read(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)).map_err(challenged)
}

/// The token, where one must be there.
pub(super) fn required(token: Option<Presented<'_>>) -> Result<Presented<'_>, Refused> {
    token.ok_or_else(token_missing)
}

/// A token must be there.
pub(super) fn token_missing() -> Refused {
    challenged(invalid_token("token_missing", "an access token is needed"))
}

/// The client whose access token lets it learn of others' tokens, by the id of its stream.
pub(super) async fn resource_server(
    app: &App,
    presented: Presented<'_>,
    sender: &Sender,
) -> Result<(String, Arc<Client>), Refused> {
    let own = active(app, presented, sender).await?;
    with_scope(&own, INTROSPECTION_SCOPE)?;
    let id = own.client_id.parse().map_err(|_| Unavailable)?;
    Ok((own.client_id, app.dispatch.client_by_id(id).await?.state))
}

/// Refuses a token without this scope.
pub(super) fn with_scope(row: &TokenRow, scope: &str) -> Result<(), Refused> {
    if row.scope.split(' ').any(|name| name == scope) {
        return Ok(());
    }
    let description = format!("the token lacks the scope {scope}");
    Err(challenged(OAuthError::new(ErrorCode::InsufficientScope, "scope_missing", description).saw("scope", &row.scope)))
}

/// The registration of a client that may act.
pub(super) fn usable(client: &Client) -> Result<&Registration, Refused> {
    client.usable().ok_or_else(|| invalid_token("client_disabled", "the client is disabled").into())
}

/// The row of an access token that is active now, and that its bearer may use.
pub(super) async fn active(app: &App, presented: Presented<'_>, sender: &Sender) -> Result<TokenRow, Refused> {
    let row = app.dispatch.reads.token(&Digest::of(presented.token.as_bytes())).await?;
    let row = row.filter(|row| row.is_active(TokenKind::Access, app.clock.now())).ok_or_else(|| match presented.scheme {
        Scheme::Bearer => token_not_active(),
        Scheme::Dpop => proof_wanted(not_active()),
    })?;
    match (bound_to(&row)?, presented.scheme) {
        (None, Scheme::Bearer) => {}
        (None, Scheme::Dpop) => {
            return Err(challenged(invalid_token("token_not_bound", "the token is bound to no key: present it as Bearer")));
        }
        (Some(bound @ Confirmation::CertificateThumbprint(_)), Scheme::Bearer) => {
            if sender.certificate.as_ref().map(ClientCertificate::confirmation) != Some(bound) {
                let description = "the token is bound to a certificate that this connection does not show";
                return Err(challenged(invalid_token("bound_to_another_certificate", description)));
            }
        }
        (Some(Confirmation::CertificateThumbprint(_)), Scheme::Dpop) => {
            let description = "the token is bound to a certificate: present it as Bearer";
            return Err(challenged(invalid_token("token_not_bound_to_a_key", description)));
        }
        (Some(Confirmation::KeyThumbprint(_)), Scheme::Bearer) => {
            return Err(proof_wanted(invalid_token("bound_token_as_bearer", "the token is bound to a key: present it as DPoP")));
        }
        (Some(bound @ Confirmation::KeyThumbprint(_)), Scheme::Dpop) => check_possession(app, presented, sender, &bound).await?,
    }
    Ok(row)
}

/// What a token is bound to.
pub(super) fn bound_to(row: &TokenRow) -> Result<Option<Confirmation>, Unavailable> {
    row.confirmation().map_err(|error| {
        tracing::error!(%error, "what a token is bound to cannot be read");
        Unavailable
    })
}

/// Whether the request proves to hold the key that its token is bound to, by a proof that was not used before (RFC 9449 section 7.1).
async fn check_possession(app: &App, presented: Presented<'_>, sender: &Sender, bound: &Confirmation) -> Result<(), Refused> {
    let possession = sender.dpop.possession(app, Some(presented.token)).map_err(proof_wanted)?;
    let possession = possession.ok_or_else(|| proof_wanted(invalid_proof(InvalidProof::NotOne)))?;
    if possession.confirmation != *bound {
        return Err(proof_wanted(invalid_token("bound_to_another_key", "the token is bound to another key than the proof's")));
    }
    match app.dispatch.use_up(&[possession.once]).await? {
        None => Ok(()),
        Some(kind) => Err(proof_wanted(kind.replayed())),
    }
}

/// An error that tells how to come again with a proof.
fn proof_wanted(error: OAuthError) -> Refused {
    Refused { challenge: Some(Challenge::Dpop), ..Refused::with_status(error, StatusCode::UNAUTHORIZED) }
}

/// The token is good for nothing, or not any more.
pub(super) fn token_not_active() -> Refused {
    challenged(not_active())
}

fn not_active() -> OAuthError {
    invalid_token("token_not_active", "the token is not active")
}

/// The row of an access token that is active now and meant for the issuer's own resources.
pub(super) async fn active_here(app: &App, presented: Presented<'_>, sender: &Sender) -> Result<TokenRow, Refused> {
    let row = active(app, presented, sender).await?;
    let audience = audience(&row);
    if audience.iter().any(|resource| resource == app.settings.default_resource()) {
        return Ok(row);
    }
    let error = invalid_token("token_for_another_resource", "the token is for another resource");
    Err(challenged(error.saw("aud", audience.join(" "))))
}

/// Refuses a token whose user did not sign in as demanded (RFC 9470).
pub(super) fn signed_in_as(app: &App, row: &TokenRow, demanded: &Demanded) -> Result<(), Refused> {
    if demanded.is_nothing() {
        return Ok(());
    }
    let context = row.acr.as_deref().and_then(ContextClass::named);
    let signed_in = row.auth_time.map(|auth_time| (context, Timestamp::from_unix(auth_time)));
    let refused = |error: OAuthError| Refused { challenge: Some(Challenge::SignIn(demanded.clone())), ..error.into() };
    demanded.check(signed_in, app.clock.now()).map_err(refused)
}
