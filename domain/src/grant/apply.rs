//! What each event makes of a grant. Nothing grows: the ten thousandth rotation leaves as much state as the first.

use super::{Approved, Code, CurrentRefresh, Grant, GrantEvent, Live, Predecessor, RefreshToken, Terms};

impl Grant {
    pub(super) fn apply_event(&mut self, event: GrantEvent) {
        match event {
            GrantEvent::Approved(approved) => *self = approved.begin(),
            GrantEvent::ClientCredentialsIssued { client_id, access, .. } => {
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
                *self = Self::Live(Live { terms, code: None, refresh: None });
            }
            GrantEvent::CodeRedeemed { code, .. } => {
                if let Self::Approved { terms, .. } = self {
                    *self = Self::Live(Live { terms: terms.clone(), code: Some(code), refresh: None });
                }
            }
            GrantEvent::TokensIssued { refresh, .. } => {
                if let Self::Live(live) = self {
                    live.refresh = refresh.map(|token| current(token, None));
                }
            }
            GrantEvent::Refreshed { predecessor, refresh, at, .. } => {
                if let Self::Live(live) = self {
                    let before = Predecessor { digest: predecessor, rotated_at: at, retries: 0 };
                    live.refresh = Some(current(refresh, Some(before)));
                }
            }
            GrantEvent::RefreshRetried { .. } => {
                if let Self::Live(Live { refresh: Some(CurrentRefresh { predecessor: Some(before), .. }), .. }) = self {
                    before.retries += 1;
                }
            }
            GrantEvent::Revoked { .. } => {
                if let Some(terms) = self.terms().cloned() {
                    *self = Self::Revoked { terms };
                }
            }
            GrantEvent::AccessTokenRefreshed { .. }
            | GrantEvent::CodeReplayed { .. }
            | GrantEvent::RefreshReplayed { .. }
            | GrantEvent::AccessTokenRevoked { .. } => {}
        }
    }
}

impl Approved {
    fn begin(self) -> Grant {
        let offline = self.scope.contains("offline_access");
        let terms = Terms {
            client_id: self.client_id,
            user_id: Some(self.user_id),
            session_id: (!offline).then_some(self.session_id),
            consent_id: Some(self.consent_id),
            scope: self.scope,
            resources: self.resources,
            nonce: self.nonce,
            auth_time: Some(self.auth_time),
            acr: self.acr,
            amr: self.amr,
            ends_at: self.ends_at,
        };
        let code = Code {
            digest: self.code,
            expires_at: self.code_expires_at,
            redirect_uri: self.redirect_uri,
            challenge: self.code_challenge,
        };
        Grant::Approved { terms, code }
    }
}

fn current(token: RefreshToken, predecessor: Option<Predecessor>) -> CurrentRefresh {
    CurrentRefresh { digest: token.digest, generation: token.generation, expires_at: token.expires_at, predecessor }
}
