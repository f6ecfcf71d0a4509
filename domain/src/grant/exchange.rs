//! The rules of an exchange (RFC 8693): what comes of a token is never more than that token was.

use crate::{ClientId, Scope, Timestamp, TokenId};

use super::{Act, Exchange, Exchanged, Grant, GrantError, GrantEvent};

/// By how many hands a token may go: as many names stand in the last one.
const MOST_HANDS: usize = 8;

/// The access token that is exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: TokenId,
    pub client_id: ClientId,
    pub scope: Scope,
    pub expires_at: Timestamp,
    /// The clients that it had come through itself.
    pub through: Vec<ClientId>,
}

impl Subject {
    /// The clients that the grant has come through when it is in the hands of this one, the grant's own first.
    #[must_use]
    pub fn through_to(&self, client_id: ClientId) -> Vec<ClientId> {
        let before = self.through.iter().chain([&self.client_id]);
        before.filter(|before| **before != client_id).copied().collect()
    }
}

impl Grant {
    /// The token that is presented is one of this grant's: whoever asks has looked that up.
    pub(super) fn exchange(&self, request: Exchange) -> Result<Vec<GrantEvent>, GrantError> {
        match self {
            Self::Absent => return Err(GrantError::Unknown),
            Self::Approved { .. } => return Err(GrantError::NotIssuedHere),
            Self::Revoked { .. } => return Err(GrantError::Revoked),
            Self::Live(_) => {}
        }
        let Exchange { client_id, subject, act, standing, access, authentication, policy, at } = request;
        if !standing || at >= subject.expires_at || access.expires_at > subject.expires_at {
            return Err(GrantError::CutOff);
        }
        if !subject.scope.covers(&access.scope) {
            return Err(GrantError::ScopeTooWide);
        }
        let through = subject.through_to(client_id);
        if through.len().max(act.iter().flat_map(Act::parties).count()) > MOST_HANDS {
            return Err(GrantError::TooManyHands);
        }
        let exchanged = Exchanged { client_id, subject: subject.id, through, act, access, authentication, policy, at };
        Ok(vec![GrantEvent::TokenExchanged(Box::new(exchanged))])
    }
}
