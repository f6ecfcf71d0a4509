//! An event of a grant, reduced to what its record needs.

use domain::{
    ClientId, ConsentId, Scope, SessionId, Timestamp, TokenId, UserId,
    cutoff::Cause,
    grant::{AccessToken, Approved, ClientAuthentication, GrantEvent, RefreshToken},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GrantKind, Place};

/// An event of a grant, reduced to what its record needs: small, because a replay keeps them in files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) grant: Uuid,
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) what: Taken,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Taken {
    Approved(Box<Terms>),
    /// The one token of a grant that begins with it: for a client itself, or for a user of whom an issuer assured it.
    IssuedAtOnce {
        kind: GrantKind,
        client: ClientId,
        user: Option<UserId>,
        scope: Scope,
        resources: Vec<String>,
        authentication: ClientAuthentication,
        policy: Option<String>,
        access: Access,
    },
    Redeemed {
        authentication: ClientAuthentication,
    },
    Issued {
        access: Access,
        refresh_ends_at: Option<Timestamp>,
    },
    Refreshed {
        access: Access,
        refresh_ends_at: Option<Timestamp>,
        authentication: ClientAuthentication,
    },
    /// For another client, or another audience: not one of the grant's own.
    Exchanged,
    Retried,
    CodeReplayed,
    RefreshReplayed,
    AccessRevoked {
        token: TokenId,
        by: String,
    },
    Revoked {
        cause: Cause,
        by: String,
    },
}

/// What was approved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) client: ClientId,
    pub(super) user: UserId,
    pub(super) session: SessionId,
    /// Whether it ends with the session.
    pub(super) of_session: bool,
    pub(super) consent: ConsentId,
    pub(super) scope: Scope,
    pub(super) resources: Vec<String>,
    pub(super) auth_time: Timestamp,
    pub(super) acr: Option<String>,
    pub(super) amr: Vec<String>,
    pub(super) policy: String,
    pub(super) by_device: bool,
    pub(super) code_ends_at: Timestamp,
    pub(super) pos: i64,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Access {
    pub(super) id: TokenId,
    pub(super) ends_at: Timestamp,
    pub(super) kid: Option<String>,
    pub(super) pos: i64,
}

impl Step {
    /// `actor` is asked for who did it where that matters.
    pub(super) fn of(event: &GrantEvent, grant: Uuid, place: Place, actor: impl FnOnce() -> String) -> Self {
        let what = match event {
            GrantEvent::Approved(approved) => Taken::Approved(Box::new(Terms::of(event, approved))),
            GrantEvent::JwtBearerIssued(assured) => Taken::IssuedAtOnce {
                kind: GrantKind::JwtBearer,
                client: assured.client_id,
                user: Some(assured.user_id),
                scope: assured.access.scope.clone(),
                resources: assured.access.audience.clone(),
                authentication: assured.authentication,
                policy: Some(assured.policy.clone()),
                access: (&assured.access).into(),
            },
            GrantEvent::ClientCredentialsIssued { client_id, access, authentication, .. } => Taken::IssuedAtOnce {
                kind: GrantKind::ClientCredentials,
                client: *client_id,
                user: None,
                scope: access.scope.clone(),
                resources: access.audience.clone(),
                authentication: *authentication,
                policy: None,
                access: access.into(),
            },
            GrantEvent::CodeRedeemed { authentication, .. } => Taken::Redeemed { authentication: *authentication },
            GrantEvent::TokensIssued { access, refresh, .. } => {
                Taken::Issued { access: access.into(), refresh_ends_at: refresh.as_ref().map(end_of) }
            }
            GrantEvent::Refreshed { access, refresh, authentication, .. } => Taken::Refreshed {
                access: access.into(),
                refresh_ends_at: Some(end_of(refresh)),
                authentication: *authentication,
            },
            GrantEvent::AccessTokenRefreshed { access, refresh, authentication, .. } => Taken::Refreshed {
                access: access.into(),
                refresh_ends_at: refresh.as_ref().map(|refresh| refresh.expires_at),
                authentication: *authentication,
            },
            GrantEvent::TokenExchanged(_) => Taken::Exchanged,
            GrantEvent::RefreshRetried { .. } => Taken::Retried,
            GrantEvent::CodeReplayed { .. } => Taken::CodeReplayed,
            GrantEvent::RefreshReplayed { .. } => Taken::RefreshReplayed,
            GrantEvent::AccessTokenRevoked { token, .. } => Taken::AccessRevoked { token: *token, by: actor() },
            GrantEvent::Revoked { reason, .. } => Taken::Revoked { cause: (*reason).into(), by: actor() },
        };
        Self { grant, position: place.position, at: place.at, what }
    }

    /// Whether a grant begins with it.
    pub(super) const fn begins(&self) -> bool {
        match self.what {
            Taken::Approved(_) | Taken::IssuedAtOnce { .. } => true,
            Taken::Redeemed { .. }
            | Taken::Issued { .. }
            | Taken::Refreshed { .. }
            | Taken::Exchanged
            | Taken::Retried
            | Taken::CodeReplayed
            | Taken::RefreshReplayed
            | Taken::AccessRevoked { .. }
            | Taken::Revoked { .. } => false,
        }
    }
}

const fn end_of(refresh: &RefreshToken) -> Timestamp {
    refresh.expires_at
}

impl Terms {
    fn of(event: &GrantEvent, approved: &Approved) -> Self {
        Self {
            client: approved.client_id,
            user: approved.user_id,
            session: approved.session_id,
            of_session: event.terms_set().is_some_and(|terms| terms.session_id.is_some()),
            consent: approved.consent_id,
            scope: approved.scope.clone(),
            resources: approved.resources.clone(),
            auth_time: approved.auth_time,
            acr: approved.acr.clone(),
            amr: approved.amr.clone(),
            policy: approved.policy.clone(),
            by_device: approved.device_authorization_id.is_some(),
            code_ends_at: approved.code_expires_at,
            pos: approved.pos,
        }
    }
}

impl From<&AccessToken> for Access {
    fn from(token: &AccessToken) -> Self {
        Self { id: token.id, ends_at: token.expires_at, kid: token.kid.clone(), pos: token.pos }
    }
}
