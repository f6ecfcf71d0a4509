//! What is told of the events of a grant.

use domain::{
    Confirmation, Event,
    grant::{AccessToken, Act, Approved, GrantEvent, RefreshToken},
};

use super::{Told, word};
use crate::follow::relay::message::{
    Ended, MessageError, Reason, Revocation,
    data::{self, Data},
};

impl Told<'_> {
    pub(super) fn grant(&self, event: &GrantEvent) -> Result<Data, MessageError> {
        let grant_id = self.id();
        Ok(match event {
            GrantEvent::Approved(approved) => Data::GrantApproved(self.approved(approved)?),
            GrantEvent::CodeRedeemed { code: _, authentication, at } => {
                let authentication = word(authentication);
                Data::GrantCodeRedeemed(data::GrantCodeRedeemed { grant_id, authentication, at: at.unix() })
            }
            GrantEvent::TokensIssued { access, refresh, at } => Data::GrantTokensIssued(data::GrantTokensIssued {
                grant_id,
                access_token: access_token(access),
                refresh_token: refresh.as_ref().map(refresh_token),
                at: at.unix(),
            }),
            GrantEvent::ClientCredentialsIssued { client_id, access, authentication, at } => {
                Data::GrantClientCredentialsIssued(data::GrantClientCredentialsIssued {
                    grant_id,
                    client_id: self.names.client(*client_id)?,
                    access_token: access_token(access),
                    authentication: word(authentication),
                    at: at.unix(),
                })
            }
            GrantEvent::Refreshed { predecessor: _, access, refresh, authentication, at } => {
                Data::GrantRefreshed(data::GrantRefreshed {
                    grant_id,
                    access_token: access_token(access),
                    refresh_token: refresh_token(refresh),
                    authentication: word(authentication),
                    at: at.unix(),
                })
            }
            GrantEvent::AccessTokenRefreshed { access, refresh, authentication, at } => {
                Data::GrantAccessTokenRefreshed(data::GrantAccessTokenRefreshed {
                    grant_id,
                    access_token: access_token(access),
                    refresh_expires_at: refresh.as_ref().map(|refresh| refresh.expires_at.unix()),
                    authentication: word(authentication),
                    at: at.unix(),
                })
            }
            GrantEvent::JwtBearerIssued(assured) => Data::GrantJwtBearerIssued(data::GrantJwtBearerIssued {
                grant_id,
                client_id: self.names.client(assured.client_id)?,
                user_id: assured.user_id.to_string(),
                issuer: assured.issuer.clone(),
                assertion_id: assured.assertion_id.clone(),
                access_token: access_token(&assured.access),
                authentication: word(&assured.authentication),
                policy: assured.policy.clone(),
                at: assured.at.unix(),
            }),
            GrantEvent::TokenExchanged(exchanged) => Data::GrantTokenExchanged(data::GrantTokenExchanged {
                grant_id,
                client_id: self.names.client(exchanged.client_id)?,
                subject_jti: exchanged.subject.to_string(),
                actors: exchanged.act.iter().flat_map(Act::parties).map(str::to_owned).collect(),
                access_token: access_token(&exchanged.access),
                authentication: word(&exchanged.authentication),
                policy: exchanged.policy.clone(),
                at: exchanged.at.unix(),
            }),
            GrantEvent::RefreshRetried { generation, at } => {
                Data::GrantRefreshRetried(data::GrantRefreshUsed { grant_id, generation: *generation, at: at.unix() })
            }
            GrantEvent::CodeReplayed { at } => Data::GrantCodeReplayed(data::GrantCodeReplayed { grant_id, at: at.unix() }),
            GrantEvent::RefreshReplayed { generation, at } => {
                Data::GrantRefreshReplayed(data::GrantRefreshUsed { grant_id, generation: *generation, at: at.unix() })
            }
            GrantEvent::AccessTokenRevoked { token, digest: _, expires_at, at } => Data::GrantAccessTokenRevoked(Revocation {
                what: Ended::Token { jti: token.to_string(), grant_id },
                reason: Reason::RevokedByClient,
                at: at.unix(),
                forget_after: expires_at.unix(),
            }),
            GrantEvent::Revoked { reason: _, ends_at: _, at } => Data::GrantRevoked(self.cut_off(*at)?),
        })
    }

    fn approved(&self, approved: &Approved) -> Result<data::GrantApproved, MessageError> {
        Ok(data::GrantApproved {
            grant_id: self.id(),
            client_id: self.names.client(approved.client_id)?,
            sub: approved.user_id.to_string(),
            session_id: approved.session_id.to_string(),
            consent_id: approved.consent_id.to_string(),
            scope: approved.scope.to_string(),
            resources: approved.resources.clone(),
            auth_time: approved.auth_time.unix(),
            amr: approved.amr.clone(),
            acr: approved.acr.clone(),
            pkce: approved.code_challenge.is_some(),
            policy: approved.policy.clone(),
            device_authorization_id: approved.device_authorization_id.map(|id| id.to_string()),
            code_expires_at: approved.code_expires_at.unix(),
            ends_at: approved.ends_at.unix(),
            at: approved.at.unix(),
        })
    }
}

/// When the access token of an issuance ends.
pub(in super::super) const fn token_ends_at(event: &Event) -> Option<i64> {
    match event {
        Event::Grant(event) => match event {
            GrantEvent::TokensIssued { access, .. }
            | GrantEvent::ClientCredentialsIssued { access, .. }
            | GrantEvent::Refreshed { access, .. }
            | GrantEvent::AccessTokenRefreshed { access, .. } => Some(access.expires_at.unix()),
            GrantEvent::JwtBearerIssued(assured) => Some(assured.access.expires_at.unix()),
            GrantEvent::TokenExchanged(exchanged) => Some(exchanged.access.expires_at.unix()),
            GrantEvent::Approved(_)
            | GrantEvent::CodeRedeemed { .. }
            | GrantEvent::RefreshRetried { .. }
            | GrantEvent::CodeReplayed { .. }
            | GrantEvent::RefreshReplayed { .. }
            | GrantEvent::AccessTokenRevoked { .. }
            | GrantEvent::Revoked { .. } => None,
        },
        Event::Client(_)
        | Event::User(_)
        | Event::Session(_)
        | Event::Consent(_)
        | Event::KeySet(_)
        | Event::Catalogue(_)
        | Event::Audit(_)
        | Event::Invitation(_)
        | Event::DeviceAuthorization(_) => None,
    }
}

fn access_token(token: &AccessToken) -> data::AccessToken {
    data::AccessToken {
        jti: token.id.to_string(),
        scope: token.scope.to_string(),
        audience: token.audience.clone(),
        expires_at: token.expires_at.unix(),
        kid: token.kid.clone(),
        cnf: token.confirmation.as_ref().map(|confirmation| match confirmation {
            Confirmation::KeyThumbprint(jkt) => data::Confirmation::KeyThumbprint(jkt.clone()),
            Confirmation::CertificateThumbprint(x5t) => data::Confirmation::CertificateThumbprint(x5t.clone()),
        }),
        pos: token.pos,
    }
}

const fn refresh_token(token: &RefreshToken) -> data::RefreshToken {
    data::RefreshToken { generation: token.generation, expires_at: token.expires_at.unix() }
}
