//! One authorization and its token family, one stream for its whole life: approved, redeemed, refreshed, revoked.

mod act;
mod apply;
mod command;
mod decide;
mod event;
mod exchange;
mod refresh;
#[cfg(test)]
mod tests;

pub use act::Act;
pub use command::{Exchange, GoodOnce, GrantCommand, Redeem, Refresh, RotatedRefresh};
pub use event::{
    AccessToken, Approved, Assured, ClientAuthentication, Exchanged, GrantEvent, IdToken, LivesOn, RefreshToken, RevocationReason,
};
pub use exchange::Subject;
use serde::{Deserialize, Serialize};

use crate::{
    ClientId, Confirmation, ConsentId, Digest, Scope, SessionId, Timestamp, TokenId, UserId, aggregate::aggregate,
    claim::AskedClaims, pkce::CodeChallenge,
};

/// What `decide` needs to know of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Grant {
    /// Not there yet.
    #[default]
    Absent,
    /// Approved; the code waits to be redeemed.
    Approved { terms: Terms, code: Code },
    /// Tokens were issued.
    Live(Live),
    /// Revoked, for good. `ends_at` is when the last of its code and tokens would have ended.
    Revoked {
        terms: Terms,
        #[serde(default)]
        ends_at: Timestamp,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reached: Vec<String>,
    },
}

/// What all tokens of the family share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub client_id: ClientId,
    /// `None` for a client that acts for itself.
    pub user_id: Option<UserId>,
    /// `None` also where offline access was granted: such a family outlives the sign-in.
    pub session_id: Option<SessionId>,
    pub consent_id: Option<ConsentId>,
    pub scope: Scope,
    pub resources: Vec<String>,
    pub nonce: Option<String>,
    pub auth_time: Option<Timestamp>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    /// What the client asked to know beside the scopes.
    #[serde(default, skip_serializing_if = "AskedClaims::is_empty")]
    pub claims: AskedClaims,
    pub ends_at: Timestamp,
}

/// The code, until it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub digest: Digest,
    pub expires_at: Timestamp,
    pub redirect_uri: Option<String>,
    pub challenge: Option<CodeChallenge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// The sign-in in which it was approved, where the family outlives that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
}

/// A family with tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub terms: Terms,
    /// The code that was redeemed, to know it again.
    pub code: Option<Digest>,
    pub refresh: Option<CurrentRefresh>,
    /// When the last of its access tokens ends, which may be after the family's own end.
    #[serde(default)]
    pub access_ends_at: Timestamp,
    /// The access token that was issued last; `None` also in a state from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<LastAccess>,
    /// The audiences of the tokens that it was exchanged for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<String>,
}

/// The access token that was issued last: most revocations are of it, and need no look-up among all tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAccess {
    pub id: TokenId,
    pub digest: Digest,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

/// The one refresh token that lives, and what its predecessor may still do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentRefresh {
    pub digest: Digest,
    pub generation: u32,
    pub expires_at: Timestamp,
    /// Whether anybody has used it: then its predecessor is theft.
    pub predecessor: Option<Predecessor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
}

/// The refresh token before the current one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    pub digest: Digest,
    pub rotated_at: Timestamp,
    pub retries: u32,
}

/// Why a command on a grant is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error("there is no such grant")]
    Unknown,
    #[error("the grant exists already")]
    Exists,
    #[error("the grant was issued to another client")]
    OtherClient,
    #[error("this code or token was not issued from the grant")]
    NotIssuedHere,
    #[error("the code has expired")]
    CodeExpired,
    #[error("redirect_uri differs from the authorization request's")]
    RedirectUriDiffers,
    #[error("code_verifier is missing")]
    VerifierMissing,
    #[error("code_verifier was sent, but the authorization request had no code_challenge")]
    VerifierUnexpected,
    #[error("code_verifier does not match code_challenge")]
    VerifierDiffers,
    #[error("it is bound to another key than the one that the request proves to hold")]
    OtherKey,
    #[error("the refresh token has expired")]
    RefreshExpired,
    #[error("the grant has been revoked")]
    Revoked,
    #[error("what the grant stands on has ended: its client, user, session or consent")]
    CutOff,
    #[error("the scope is wider than what was granted")]
    ScopeTooWide,
    #[error("the predecessor was retried too often")]
    TooManyRetries,
    #[error("the new refresh token is not the family's next")]
    NotTheNext,
    #[error("the token has gone by too many hands")]
    TooManyHands,
}

aggregate!(Grant, "grant", GrantCommand, GrantEvent, GrantError);

impl Grant {
    /// What all its tokens share; `None` before there is anything.
    #[must_use]
    pub const fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Absent => None,
            Self::Approved { terms, .. } | Self::Live(Live { terms, .. }) | Self::Revoked { terms, .. } => Some(terms),
        }
    }

    /// The sign-in that its next tokens come of: of offline access the code alone does.
    #[must_use]
    pub fn signed_in(&self) -> Option<SessionId> {
        let of_code = match self {
            Self::Approved { code, .. } => code.session_id,
            Self::Absent | Self::Live(_) | Self::Revoked { .. } => None,
        };
        self.terms().and_then(|terms| terms.session_id).or(of_code)
    }

    /// When the last of its code and tokens ends: from then on nothing of it acts again. `None` before there is anything.
    #[must_use]
    pub fn last_ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::Absent => None,
            Self::Approved { code, .. } => Some(code.expires_at),
            Self::Live(live) => {
                let refresh_ends_at = live.refresh.as_ref().map(|refresh| refresh.expires_at);
                Some(refresh_ends_at.unwrap_or_default().max(live.access_ends_at))
            }
            Self::Revoked { ends_at, .. } => Some(*ends_at),
        }
    }

    /// The access token that was issued last, where it lives on or was revoked alone.
    #[must_use]
    pub const fn last_access(&self) -> Option<&LastAccess> {
        match self {
            Self::Live(live) => live.access.as_ref(),
            Self::Absent | Self::Approved { .. } | Self::Revoked { .. } => None,
        }
    }

    /// The audiences of the tokens that it was exchanged for (RFC 8693), which its terms need not name.
    #[must_use]
    pub fn reached(&self) -> &[String] {
        match self {
            Self::Live(Live { reached, .. }) | Self::Revoked { reached, .. } => reached,
            Self::Absent | Self::Approved { .. } => &[],
        }
    }

    /// The refresh token before the current one.
    #[must_use]
    pub fn predecessor(&self) -> Option<&Digest> {
        match self {
            Self::Live(Live { refresh: Some(current), .. }) => current.predecessor.as_ref().map(|before| &before.digest),
            Self::Absent | Self::Approved { .. } | Self::Revoked { .. } | Self::Live(Live { refresh: None, .. }) => None,
        }
    }
}
