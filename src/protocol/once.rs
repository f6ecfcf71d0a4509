//! What a request proves itself by that is good once, over all nodes: it is used up in the transaction of what it allows.

use domain::Timestamp;

use super::{
    OAuthError,
    client_authentication::invalid_client,
    dpop::{InvalidProof, invalid_proof},
    token::invalid_grant,
};

/// By what it is known again, and until when it would be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    pub kind: OnceKind,
    pub key: String,
    pub until: Timestamp,
}

/// What is good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceKind {
    /// A client's assertion (RFC 7523 section 3).
    Assertion,
    /// What an issuer assured a client of (RFC 7523 section 3).
    Assurance,
    /// A proof of possession (RFC 9449 section 11.1).
    DpopProof,
}

impl OnceKind {
    const ALL: [Self; 3] = [Self::Assertion, Self::Assurance, Self::DpopProof];

    /// Its name among what expires.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "client_assertion",
            Self::Assurance => "jwt_bearer_assertion",
            Self::DpopProof => "dpop_proof",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What whoever sends it again is told.
    #[must_use]
    pub fn replayed(self) -> OAuthError {
        match self {
            Self::Assertion => invalid_client("assertion_replayed", "the client is unknown or its authentication failed"),
            Self::Assurance => invalid_grant("assertion_replayed", "the assertion was used before"),
            Self::DpopProof => invalid_proof(InvalidProof::UsedBefore),
        }
    }
}
