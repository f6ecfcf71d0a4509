//! What happened to a grant, told.

use std::collections::BTreeMap;

use domain::{
    claim::{AskedClaim, AskedClaims},
    grant::{AccessToken, GrantEvent},
};
use serde_json::{Value, json};

use crate::clock::rfc3339;

use super::{super::Names, Telling, telling};

pub(super) fn grant(event: &GrantEvent, names: &Names) -> Telling {
    match event {
        GrantEvent::Approved(approved) => telling(
            if approved.device_authorization_id.is_some() { "grant.approved_for_device" } else { "grant.approved" },
            json!({
                "user_id": approved.user_id, "user": names.user(approved.user_id), "client": names.client(approved.client_id),
                "session_id": approved.session_id, "consent_id": approved.consent_id, "scope": approved.scope,
                "resources": approved.resources, "claims": asked(&approved.claims), "auth_time": rfc3339(approved.auth_time), "amr": approved.amr, "acr": approved.acr,
                "pkce": approved.code_challenge.is_some(), "redirect_uri": approved.redirect_uri, "policy": approved.policy,
                "device_authorization_id": approved.device_authorization_id, "code_expires_at": rfc3339(approved.code_expires_at), "ends_at": rfc3339(approved.ends_at),
            }),
        ),
        GrantEvent::CodeRedeemed { authentication, .. } => {
            telling("grant.code_redeemed", json!({"client_authentication": authentication}))
        }
        GrantEvent::TokensIssued { access, refresh: Some(refresh), .. } => {
            let mut details = access_token(access);
            details["refresh_expires_at"] = rfc3339(refresh.expires_at).into();
            telling("grant.tokens_issued", details)
        }
        GrantEvent::TokensIssued { access, refresh: None, .. } => telling("grant.access_token_issued", access_token(access)),
        GrantEvent::ClientCredentialsIssued { client_id, access, authentication, .. } => {
            let mut details = access_token(access);
            details["client"] = names.client(*client_id).into();
            details["client_authentication"] = json!(authentication);
            telling("grant.client_credentials_issued", details)
        }
        GrantEvent::JwtBearerIssued(assured) => {
            let mut details = access_token(&assured.access);
            details["client"] = names.client(assured.client_id).into();
            details["user_id"] = json!(assured.user_id);
            details["user"] = names.user(assured.user_id).into();
            details["issuer"] = assured.issuer.as_str().into();
            details["assertion_id"] = assured.assertion_id.as_str().into();
            details["client_authentication"] = json!(assured.authentication);
            telling("grant.jwt_bearer_issued", details)
        }
        GrantEvent::Refreshed { access, refresh, authentication, .. } => {
            let mut details = access_token(access);
            details["generation"] = refresh.generation.into();
            details["refresh_expires_at"] = rfc3339(refresh.expires_at).into();
            details["client_authentication"] = json!(authentication);
            telling("grant.refreshed", details)
        }
        GrantEvent::AccessTokenRefreshed { access, refresh, authentication, .. } => {
            let mut details = access_token(access);
            details["refresh_expires_at"] = json!(refresh.as_ref().map(|refresh| rfc3339(refresh.expires_at)));
            details["client_authentication"] = json!(authentication);
            telling("grant.access_token_refreshed", details)
        }
        GrantEvent::TokenExchanged(exchanged) => {
            let mut details = access_token(&exchanged.access);
            details["client"] = names.client(exchanged.client_id).into();
            details["subject_jti"] = json!(exchanged.subject);
            details["through"] = exchanged.through.iter().map(|client| names.client(*client)).collect();
            details["act"] = json!(exchanged.act);
            details["client_authentication"] = json!(exchanged.authentication);
            details["policy"] = exchanged.policy.as_str().into();
            telling("grant.token_exchanged", details)
        }
        GrantEvent::RefreshRetried { generation, .. } => telling("grant.refresh_retried", json!({"generation": generation})),
        GrantEvent::CodeReplayed { .. } => telling("grant.code_replayed", json!({})),
        GrantEvent::RefreshReplayed { generation, .. } => telling("grant.refresh_replayed", json!({"generation": generation})),
        GrantEvent::AccessTokenRevoked { token, .. } => telling("grant.access_token_revoked", json!({"jti": token})),
        GrantEvent::Revoked { reason, .. } => telling("grant.revoked", json!({"reason": reason})),
    }
}

fn access_token(token: &AccessToken) -> Value {
    let (scope, audience, expires_at) = (&token.scope, &token.audience, rfc3339(token.expires_at));
    json!({
        "jti": token.id, "scope": scope, "audience": audience, "expires_at": expires_at, "kid": token.kid, "cnf": token.confirmation,
    })
}

/// The names of the claims that were asked for, by where they are told.
fn asked(claims: &AskedClaims) -> Value {
    let names = |asked: &BTreeMap<String, AskedClaim>| asked.keys().cloned().collect::<Vec<_>>();
    match claims.userinfo.is_empty() && claims.id_token.is_empty() {
        true => Value::Null,
        false => json!({"userinfo": names(&claims.userinfo), "id_token": names(&claims.id_token)}),
    }
}
