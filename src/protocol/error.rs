//! Errors as OAuth tells them (RFC 6749 sections 4.1.2.1 and 5.2, and the RFCs that add codes), and what `grantlog explain` tells of one.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest that a value is which an error remembers having seen, in characters.
const MAX_SEEN: usize = 200;

/// The codes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    InvalidScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    AccessDenied,
    /// OpenID Connect Core section 3.1.2.6.
    LoginRequired,
    ConsentRequired,
    /// OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
    UnmetAuthenticationRequirements,
    RequestNotSupported,
    RequestUriNotSupported,
    /// OpenID Connect Core section 3.1.2.6, RFC 9101 section 6.
    InvalidRequestUri,
    InvalidRequestObject,
    /// RFC 6750 section 3.1.
    InvalidToken,
    InsufficientScope,
    /// RFC 9449 sections 5 and 8.
    InvalidDpopProof,
    UseDpopNonce,
    /// RFC 9470 section 3.
    InsufficientUserAuthentication,
    /// RFC 8628 section 3.5.
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    /// RFC 7591 section 3.2.2.
    InvalidRedirectUri,
    InvalidClientMetadata,
    UnapprovedSoftwareStatement,
    TemporarilyUnavailable,
    ServerError,
}

impl ErrorCode {
    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// A request that is refused: what the client is told, the rule that fired, and what it saw. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    pub code: ErrorCode,
    /// For the client's developer, in printable ASCII (RFC 6749 section 5.2).
    pub description: String,
    /// The rule's name, for `grantlog explain`.
    pub rule: &'static str,
    /// What the rule saw, by name.
    pub saw: BTreeMap<&'static str, String>,
    /// After how many seconds the same request may succeed.
    pub retry_after: Option<u32>,
}

impl OAuthError {
    #[must_use]
    pub fn new(code: ErrorCode, rule: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: ascii(&description.into()), rule, saw: BTreeMap::new(), retry_after: None }
    }

    #[must_use]
    pub fn invalid_request(rule: &'static str, description: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, rule, description)
    }

    /// The store is down, slow or too busy: nothing was decided, and the client should come back.
    #[must_use]
    pub fn unavailable() -> Self {
        let error =
            Self::new(ErrorCode::TemporarilyUnavailable, "store_unavailable", "the server is busy: try again in a moment");
        Self { retry_after: Some(1), ..error }
    }

    /// Remembers what the rule saw; a long value is cut.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a reference has a text too: callers hand over whichever they have")]
    pub fn saw(mut self, name: &'static str, value: impl ToString) -> Self {
        self.saw.insert(name, value.to_string().chars().take(MAX_SEEN).collect());
        self
    }

    /// What `grantlog explain` will tell.
    #[must_use]
    pub fn report(&self, at: Timestamp) -> Report {
        Report {
            code: self.code,
            rule: self.rule.to_owned(),
            description: self.description.clone(),
            saw: self.saw.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            at,
        }
    }
}

impl From<crate::log::Unavailable> for OAuthError {
    fn from(_: crate::log::Unavailable) -> Self {
        Self::unavailable()
    }
}

/// An error as its `error_id` holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub code: ErrorCode,
    pub rule: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub saw: BTreeMap<String, String>,
    /// When it was told.
    pub at: Timestamp,
}

/// `error_description` is printable ASCII without quotes and backslash (RFC 6749 appendix A.8).
fn ascii(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='!' | '#'..='[' | ']'..='~') { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_printable_ascii_without_quotes() {
        let error = OAuthError::invalid_request("r", "a \"quoted\" \\ caf\u{e9}\n");
        assert_eq!(error.description, "a ?quoted? ? caf??");
    }

    #[test]
    fn what_was_seen_is_bounded() {
        let error = OAuthError::invalid_request("r", "d").saw("uri", "x".repeat(1000));
        assert_eq!(error.saw["uri"].len(), MAX_SEEN);
        assert_eq!(error.report(Timestamp::from_unix(7)).saw["uri"].len(), MAX_SEEN);
    }

    #[test]
    fn a_code_stands_on_the_wire_as_it_is_stored() {
        let stored = serde_json::to_value(ErrorCode::RequestUriNotSupported).unwrap();
        assert_eq!(stored, ErrorCode::RequestUriNotSupported.as_str());
    }
}
