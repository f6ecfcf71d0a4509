//! Why the token endpoint gives no tokens.

use domain::grant::GrantError;

use crate::protocol::OnceKind;

use super::{Refusal, TargetRefusal};

/// The refusal, whatever was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueRefusal {
    #[error("{0}")]
    Rule(GrantError),
    /// It was used before: what it gave is revoked now (RFC 6749 section 4.1.2).
    #[error("the code was used before: what it gave has been revoked")]
    CodeReplayed,
    /// It was used before and its successor too: the family is revoked now.
    #[error("the refresh token was used before: all that came of the grant has been revoked")]
    RefreshReplayed,
    /// It was used before, and the answer is no longer kept.
    #[error("the refresh token was used before, and its answer is no longer kept")]
    AnswerGone,
    #[error("{0}")]
    Target(TargetRefusal),
    #[error("what the request proves itself by was used before")]
    UsedBefore(OnceKind),
}

impl IssueRefusal {
    /// Whether the refusal itself is in the log: then what the request proved itself by was used up with it.
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        match self {
            Self::CodeReplayed | Self::RefreshReplayed => true,
            Self::Rule(_) | Self::AnswerGone | Self::Target(_) | Self::UsedBefore(_) => false,
        }
    }
}

/// What the rules of the grant refuse.
pub(super) const fn rule(error: GrantError) -> Refusal<IssueRefusal> {
    Refusal::Rule(IssueRefusal::Rule(error))
}
