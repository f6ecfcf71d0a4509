//! A code or token as the audit tells of it: what it is, when it was issued, and whether it is good for anything.

use domain::{ClientId, Digest, Scope, Timestamp, TokenId};
use projections::token;
use serde::{Serialize, Serializer};

use crate::clock;

use super::{End, Place};

/// A code or token that was issued.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Token {
    pub kind: TokenKind,
    /// An access token's.
    pub jti: Option<TokenId>,
    /// SHA-256 of its text.
    pub digest: Digest,
    /// A refresh token's: 1 for the first.
    pub generation: Option<u32>,
    /// Of one that came of an exchange: the client that got it (RFC 8693).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The other clients by whose hands the grant came to that one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<ClientId>,
    pub issued: Place,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub expires_at: Timestamp,
    pub scope: Scope,
    pub audience: Vec<String>,
    /// The key that signed it.
    pub kid: Option<String>,
    /// Where it was exchanged for others, of what can be used once.
    pub used: Option<Place>,
    /// What ended it before its time.
    pub ended: Option<End>,
    /// The place among the family's of the one that it came of.
    #[serde(skip)]
    pub from: Option<usize>,
    #[serde(skip)]
    pub(super) pos: i64,
}

/// What was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// What opens something, and stands among the live tokens.
    Opens(token::TokenKind),
    /// It says who signed in.
    IdToken,
}

impl TokenKind {
    /// An authorization code.
    pub const CODE: Self = Self::Opens(token::TokenKind::Code);
    pub const ACCESS: Self = Self::Opens(token::TokenKind::Access);
    pub const REFRESH: Self = Self::Opens(token::TokenKind::Refresh);

    /// As it stands in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opens(kind) => kind.as_str(),
            Self::IdToken => "id_token",
        }
    }
}

impl Serialize for TokenKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Whether a code or token is good for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Live,
    /// It was exchanged for others.
    Used,
    Expired,
    /// It was ended before its time.
    Ended,
}

impl TokenState {
    /// As it stands in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

impl Token {
    /// Whether it is good for anything at a moment.
    #[must_use]
    pub fn state(&self, moment: Timestamp) -> TokenState {
        match (&self.used, &self.ended) {
            (Some(_), _) => TokenState::Used,
            (None, Some(_)) => TokenState::Ended,
            (None, None) if self.expires_at <= moment => TokenState::Expired,
            (None, None) => TokenState::Live,
        }
    }
}

/// A code or token at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct TokenAt<'a> {
    #[serde(flatten)]
    pub token: &'a Token,
    pub state: TokenState,
}

impl<'a> TokenAt<'a> {
    /// A code or token at a moment.
    #[must_use]
    pub fn new(token: &'a Token, moment: Timestamp) -> Self {
        Self { token, state: token.state(moment) }
    }
}
