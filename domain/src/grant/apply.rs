//! What each event does to what is known of a grant.

use crate::{ClientId, Timestamp};

use super::{AccessToken, Approved, Code, CurrentRefresh, Grant, GrantEvent, Live, Predecessor, RefreshToken, Terms};

/// The scope that lets a family outlive the sign-in (OpenID Connect Core section 11).
const OFFLINE_ACCESS: &str = "offline_access";

impl Grant {
    pub(super) fn apply_event(&mut self, event: GrantEvent) {
        match event {
            GrantEvent::Approved(approved) => *self = Self::approved(*approved),
            GrantEvent::ClientCredentialsIssued { client_id, access, .. } => *self = Self::of_client(client_id, access),
            GrantEvent::CodeRedeemed { .. } => {
                if let Self::Approved { terms, code } = self {
                    let (terms, code) = (terms.clone(), Some(code.digest.clone()));
                    *self = Self::Live(Live { terms, code, refresh: None, access_ends_at: Timestamp::default() });
                }
            }
            GrantEvent::Revoked { .. } => {
                if let Some((terms, ends_at)) = self.terms().cloned().zip(self.last_ends_at()) {
                    *self = Self::Revoked { terms, ends_at };
                }
            }
            GrantEvent::TokensIssued { .. }
            | GrantEvent::Refreshed { .. }
            | GrantEvent::AccessTokenRefreshed { .. }
            | GrantEvent::RefreshRetried { .. } => {
                if let Self::Live(live) = self {
                    live.apply_event(event);
                }
            }
            // What follows from these is in the `Revoked` beside them, or among the live tokens alone.
            GrantEvent::CodeReplayed { .. } | GrantEvent::RefreshReplayed { .. } | GrantEvent::AccessTokenRevoked { .. } => {}
        }
    }

    fn approved(approved: Approved) -> Self {
        let offline = approved.scope.contains(OFFLINE_ACCESS);
        let terms = Terms {
            client_id: approved.client_id,
            user_id: Some(approved.user_id),
            session_id: (!offline).then_some(approved.session_id),
            consent_id: Some(approved.consent_id),
            scope: approved.scope,
            resources: approved.resources,
            nonce: approved.nonce,
            auth_time: Some(approved.auth_time),
            acr: approved.acr,
            amr: approved.amr,
            ends_at: approved.ends_at,
        };
        let code = Code {
            digest: approved.code,
            expires_at: approved.code_expires_at,
            redirect_uri: approved.redirect_uri,
            challenge: approved.code_challenge,
        };
        Self::Approved { terms, code }
    }

    fn of_client(client_id: ClientId, access: AccessToken) -> Self {
        let terms = Terms {
            client_id,
            user_id: None,
            session_id: None,
            consent_id: None,
            scope: access.scope,
            resources: access.audience,
            nonce: None,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            ends_at: access.expires_at,
        };
        Self::Live(Live { terms, code: None, refresh: None, access_ends_at: access.expires_at })
    }
}

impl Live {
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
            GrantEvent::AccessTokenRefreshed { access, .. } => {
                self.issued(&access);
                if let Some(current) = &mut self.refresh {
                    current.predecessor = None;
                }
            }
            GrantEvent::RefreshRetried { .. } => {
                if let Some(predecessor) = self.refresh.as_mut().and_then(|current| current.predecessor.as_mut()) {
                    predecessor.retries = predecessor.retries.saturating_add(1);
                }
            }
            GrantEvent::Approved(_)
            | GrantEvent::ClientCredentialsIssued { .. }
            | GrantEvent::CodeRedeemed { .. }
            | GrantEvent::CodeReplayed { .. }
            | GrantEvent::RefreshReplayed { .. }
            | GrantEvent::AccessTokenRevoked { .. }
            | GrantEvent::Revoked { .. } => {}
        }
    }

    fn issued(&mut self, access: &AccessToken) {
        self.access_ends_at = self.access_ends_at.max(access.expires_at);
    }
}

impl CurrentRefresh {
    fn after(predecessor: Option<Predecessor>, refresh: RefreshToken) -> Self {
        let RefreshToken { digest, generation, expires_at, pos: _ } = refresh;
        Self { digest, generation, expires_at, predecessor }
    }
}
