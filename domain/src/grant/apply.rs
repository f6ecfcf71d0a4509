//! What each event does to what is known of a grant.

use crate::{ClientId, Scope, Timestamp, UserId, claim::AskedClaims};

use super::{AccessToken, Approved, Code, CurrentRefresh, Grant, GrantEvent, LastAccess, Live, Predecessor, RefreshToken, Terms};

impl Grant {
    pub(super) fn apply_event(&mut self, event: GrantEvent) {
        match event {
            GrantEvent::Approved(approved) => *self = Self::approved(*approved),
            GrantEvent::ClientCredentialsIssued { client_id, access, .. } => {
                *self = Self::of_one_token((client_id, None), &access);
            }
            GrantEvent::JwtBearerIssued(assured) => {
                *self = Self::of_one_token((assured.client_id, Some(assured.user_id)), &assured.access);
            }
            GrantEvent::CodeRedeemed { .. } => {
                if let Self::Approved { terms, code } = self {
                    let (terms, code) = (terms.clone(), Some(code.digest.clone()));
                    *self = Self::Live(Live { code, ..Live::begun(terms) });
                }
            }
            GrantEvent::Revoked { .. } => {
                if let Some((terms, ends_at)) = self.terms().cloned().zip(self.last_ends_at()) {
                    let reached = self.reached().to_vec();
                    *self = Self::Revoked { terms, ends_at, reached };
                }
            }
            GrantEvent::TokensIssued { .. }
            | GrantEvent::Refreshed { .. }
            | GrantEvent::AccessTokenRefreshed { .. }
            | GrantEvent::TokenExchanged(_)
            | GrantEvent::AccessTokenRevoked { .. }
            | GrantEvent::RefreshRetried { .. } => {
                if let Self::Live(live) = self {
                    live.apply_event(event);
                }
            }
            // What follows from these is in the `Revoked` beside them.
            GrantEvent::CodeReplayed { .. } | GrantEvent::RefreshReplayed { .. } => {}
        }
    }

    fn approved(approved: Approved) -> Self {
        let terms = Terms::of(&approved);
        let code = Code {
            digest: approved.code,
            expires_at: approved.code_expires_at,
            redirect_uri: approved.redirect_uri,
            challenge: approved.code_challenge,
            confirmation: approved.confirmation,
            session_id: terms.session_id.is_none().then_some(approved.session_id),
        };
        Self::Approved { terms, code }
    }

    /// One that begins with the one access token of a client, for itself or for a user.
    fn of_one_token(whose: (ClientId, Option<UserId>), access: &AccessToken) -> Self {
        let (access_ends_at, last) = (access.expires_at, Some(LastAccess::of(access)));
        Self::Live(Live { access_ends_at, access: last, ..Live::begun(Terms::of_one_token(whose, access)) })
    }
}

impl Terms {
    fn of(approved: &Approved) -> Self {
        let offline = approved.scope.contains(Scope::OFFLINE_ACCESS);
        Self {
            client_id: approved.client_id,
            user_id: Some(approved.user_id),
            session_id: (!offline).then_some(approved.session_id),
            consent_id: Some(approved.consent_id),
            scope: approved.scope.clone(),
            resources: approved.resources.clone(),
            nonce: approved.nonce.clone(),
            auth_time: Some(approved.auth_time),
            acr: approved.acr.clone(),
            amr: approved.amr.clone(),
            claims: approved.claims.clone(),
            ends_at: approved.ends_at,
        }
    }
}

impl Terms {
    fn of_one_token((client_id, user_id): (ClientId, Option<UserId>), access: &AccessToken) -> Self {
        Self {
            client_id,
            user_id,
            session_id: None,
            consent_id: None,
            scope: access.scope.clone(),
            resources: access.audience.clone(),
            nonce: None,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            claims: AskedClaims::default(),
            ends_at: access.expires_at,
        }
    }
}

impl GrantEvent {
    /// The terms that it sets for all tokens of the family: what begins a grant of a user's does.
    #[must_use]
    pub fn terms_set(&self) -> Option<Terms> {
        match self {
            Self::Approved(approved) => Some(Terms::of(approved)),
            Self::JwtBearerIssued(assured) => {
                Some(Terms::of_one_token((assured.client_id, Some(assured.user_id)), &assured.access))
            }
            Self::CodeRedeemed { .. }
            | Self::TokensIssued { .. }
            | Self::ClientCredentialsIssued { .. }
            | Self::Refreshed { .. }
            | Self::AccessTokenRefreshed { .. }
            | Self::TokenExchanged(_)
            | Self::RefreshRetried { .. }
            | Self::CodeReplayed { .. }
            | Self::RefreshReplayed { .. }
            | Self::AccessTokenRevoked { .. }
            | Self::Revoked { .. } => None,
        }
    }

    /// Whether it issues something on the terms that the grant began with.
    #[must_use]
    pub const fn stands_on_terms(&self) -> bool {
        match self {
            Self::TokensIssued { .. } | Self::Refreshed { .. } | Self::AccessTokenRefreshed { .. } | Self::TokenExchanged(_) => {
                true
            }
            Self::Approved(_)
            | Self::JwtBearerIssued(_)
            | Self::CodeRedeemed { .. }
            | Self::ClientCredentialsIssued { .. }
            | Self::RefreshRetried { .. }
            | Self::CodeReplayed { .. }
            | Self::RefreshReplayed { .. }
            | Self::AccessTokenRevoked { .. }
            | Self::Revoked { .. } => false,
        }
    }
}

impl Live {
    const fn begun(terms: Terms) -> Self {
        Self { terms, code: None, refresh: None, access_ends_at: Timestamp::from_unix(0), access: None, reached: Vec::new() }
    }

    fn apply_event(&mut self, event: GrantEvent) {
        match event {
            GrantEvent::TokensIssued { access, refresh, .. } => {
                self.issued(&access);
                self.refresh = refresh.map(|refresh| CurrentRefresh::after(None, refresh));
            }
            GrantEvent::Refreshed { predecessor: digest, access, refresh, at, .. } => {
                self.issued(&access);
                let predecessor = Predecessor { digest, rotated_at: at, retries: 0 };
                self.refresh = Some(CurrentRefresh::after(Some(predecessor), refresh));
            }
            GrantEvent::AccessTokenRefreshed { access, refresh, .. } => {
                self.issued(&access);
                if let Some(current) = &mut self.refresh {
                    current.predecessor = None;
                    current.expires_at = refresh.map_or(current.expires_at, |refresh| refresh.expires_at);
                }
            }
            GrantEvent::TokenExchanged(exchanged) => {
                for audience in exchanged.access.audience {
                    if !self.reached.contains(&audience) {
                        self.reached.push(audience);
                    }
                }
            }
            GrantEvent::RefreshRetried { .. } => {
                if let Some(predecessor) = self.refresh.as_mut().and_then(|current| current.predecessor.as_mut()) {
                    predecessor.retries = predecessor.retries.saturating_add(1);
                }
            }
            GrantEvent::AccessTokenRevoked { digest, .. } => {
                if let Some(access) = self.access.as_mut().filter(|access| access.digest == digest) {
                    access.revoked = true;
                }
            }
            GrantEvent::Approved(_)
            | GrantEvent::ClientCredentialsIssued { .. }
            | GrantEvent::JwtBearerIssued(_)
            | GrantEvent::CodeRedeemed { .. }
            | GrantEvent::CodeReplayed { .. }
            | GrantEvent::RefreshReplayed { .. }
            | GrantEvent::Revoked { .. } => {}
        }
    }

    fn issued(&mut self, access: &AccessToken) {
        self.access = Some(LastAccess::of(access));
        self.access_ends_at = self.access_ends_at.max(access.expires_at);
    }
}

impl LastAccess {
    fn of(access: &AccessToken) -> Self {
        Self { id: access.id, digest: access.digest.clone(), expires_at: access.expires_at, revoked: false }
    }
}

impl CurrentRefresh {
    fn after(predecessor: Option<Predecessor>, refresh: RefreshToken) -> Self {
        let RefreshToken { digest, generation, expires_at, pos: _, confirmation } = refresh;
        Self { digest, generation, expires_at, predecessor, confirmation }
    }
}
