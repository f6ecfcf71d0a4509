//! What protects a client's requests and tokens: by the rules that it lives under (its policy), or because it registered for it.

use serde_json::Value;

use super::{AuthenticationMethod, ClientError, ClientMetadata, Policy, Registration, SigningAlgorithm, metadata_check::invalid};

/// RFC 9126 section 6.
pub(super) const PUSHED: &str = "require_pushed_authorization_requests";
/// RFC 9449 section 5.2.
pub(super) const DPOP_BOUND: &str = "dpop_bound_access_tokens";
/// RFC 8705 section 3.4.
pub(super) const CERTIFICATE_BOUND: &str = "tls_client_certificate_bound_access_tokens";
/// RFC 9101 section 10.5.
pub(super) const SIGNED_REQUEST: &str = "require_signed_request_object";
/// What the client signs its assertions and its requests with, and where it leaves the latter (OpenID Connect Registration section 2).
pub(super) const ASSERTION_ALG: &str = "token_endpoint_auth_signing_alg";
pub(super) const REQUEST_ALG: &str = "request_object_signing_alg";
pub(super) const REQUEST_URIS: &str = "request_uris";
/// What signs the introspection answers that it asks to be signed (RFC 9701 section 6).
pub(super) const INTROSPECTION_ALG: &str = "introspection_signed_response_alg";
/// What signs the answers to its requests, where it wants them signed (JARM section 3).
pub(super) const AUTHORIZATION_ALG: &str = "authorization_signed_response_alg";

/// What a client's tokens must be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A key that it proves to hold with each request (RFC 9449).
    Key,
    /// The certificate of its connection (RFC 8705 section 3).
    Certificate,
}

impl Policy {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::Default, Self::Compatible, Self::Fapi2];

    /// Its name in the metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Compatible => "compatible",
            Self::Fapi2 => "fapi2",
        }
    }

    /// Whether something may be signed so (FAPI 2.0 Security Profile section 5.4.1).
    #[must_use]
    pub const fn allows(self, algorithm: SigningAlgorithm) -> bool {
        match (self, algorithm) {
            (Self::Fapi2, SigningAlgorithm::RS256) => false,
            (Self::Fapi2, SigningAlgorithm::ES256 | SigningAlgorithm::EdDSA | SigningAlgorithm::PS256)
            | (Self::Default | Self::Compatible, _) => true,
        }
    }

    /// Whether a request says where its answer goes, also where the client registered one place alone (section 5.3.2.2).
    #[must_use]
    pub const fn requires_redirect_uri(self) -> bool {
        match self {
            Self::Default | Self::Compatible => false,
            Self::Fapi2 => true,
        }
    }

    /// What signs where the client named no algorithm, and the standard's default is RS256.
    #[must_use]
    pub const fn usual_algorithm(self) -> SigningAlgorithm {
        match self {
            Self::Default | Self::Compatible => SigningAlgorithm::RS256,
            Self::Fapi2 => SigningAlgorithm::ES256,
        }
    }

    /// Whether the audience of what a client signs for us is our issuer identifier alone, as a string (section 5.3.2.1).
    #[must_use]
    pub const fn is_strict_of_audience(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// How far a client's clock may be ahead at most, in seconds: up to 10 must be taken, over 60 must not (section 5.3.2.1).
    #[must_use]
    pub const fn longest_skew(self) -> Option<u32> {
        match self {
            Self::Default | Self::Compatible => None,
            Self::Fapi2 => Some(30),
        }
    }

    /// The longest that a code may live, in seconds (section 5.3.2.1).
    #[must_use]
    pub const fn longest_code_lifetime(self) -> Option<u32> {
        match self {
            Self::Default | Self::Compatible => None,
            Self::Fapi2 => Some(60),
        }
    }

    /// Whether a refresh brings another refresh token (section 5.3.2.1 wants none).
    #[must_use]
    pub const fn rotates_refresh_tokens(self) -> bool {
        match self {
            Self::Default | Self::Compatible => true,
            Self::Fapi2 => false,
        }
    }
}

impl Registration {
    /// Whether it may not leave PKCE out: only `compatible` spares confidential clients (RFC 9700 section 2.1.1).
    #[must_use]
    pub fn requires_pkce(&self) -> bool {
        match self.metadata.policy {
            Policy::Default | Policy::Fapi2 => true,
            Policy::Compatible => self.is_public(),
        }
    }
}

impl ClientMetadata {
    /// Whether it asks its users only by requests that it pushed before (RFC 9126 section 6).
    #[must_use]
    pub fn pushes_requests(&self) -> bool {
        self.policy == Policy::Fapi2 || self.flag(PUSHED)
    }

    /// What all its tokens are bound to (RFC 9449 section 5.2, RFC 8705 section 3.4); `None` where they need not be.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        if self.flag(CERTIFICATE_BOUND) {
            return Some(Binding::Certificate);
        }
        (self.policy == Policy::Fapi2 || self.flag(DPOP_BOUND)).then_some(Binding::Key)
    }

    /// A token is bound to one thing.
    pub(super) fn check_binding(&self) -> Result<(), ClientError> {
        if self.flag(CERTIFICATE_BOUND) && self.flag(DPOP_BOUND) {
            return Err(invalid(CERTIFICATE_BOUND, "it cannot stand beside dpop_bound_access_tokens"));
        }
        Ok(())
    }

    /// Whether it signs its assertions so: with whatever we know, where it says nothing (OpenID Connect Registration section 2).
    #[must_use]
    pub fn signs_assertions_with(&self, algorithm: SigningAlgorithm) -> bool {
        self.signs_with(ASSERTION_ALG, algorithm)
    }

    /// Whether it signs its requests so: likewise.
    #[must_use]
    pub fn signs_requests_with(&self, algorithm: SigningAlgorithm) -> bool {
        self.signs_with(REQUEST_ALG, algorithm)
    }

    /// Whether it takes no request for its own that it has not signed (RFC 9101 section 10.5).
    #[must_use]
    pub fn signs_requests(&self) -> bool {
        self.flag(SIGNED_REQUEST)
    }

    /// Where it leaves requests that it signed.
    pub fn request_uris(&self) -> impl Iterator<Item = &str> {
        self.other.get(REQUEST_URIS).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// What signs the answers to its requests, where it asks for that.
    #[must_use]
    pub fn authorization_response_algorithm(&self) -> SigningAlgorithm {
        self.algorithm(AUTHORIZATION_ALG).unwrap_or_else(|| self.policy.usual_algorithm())
    }

    /// What signs its introspection answers, where it asks for that (RFC 9701 section 6).
    #[must_use]
    pub fn introspection_algorithm(&self) -> SigningAlgorithm {
        self.algorithm(INTROSPECTION_ALG).unwrap_or_else(|| self.policy.usual_algorithm())
    }

    fn signs_with(&self, member: &str, algorithm: SigningAlgorithm) -> bool {
        let registered = self.other.get(member).and_then(Value::as_str);
        self.policy.allows(algorithm) && registered.is_none_or(|name| name == algorithm.name())
    }

    fn flag(&self, member: &str) -> bool {
        self.other.get(member).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether it can live under its policy: one that cannot is told so before anything is signed.
    pub(super) fn check_policy(&self) -> Result<(), ClientError> {
        if self.policy != Policy::Fapi2 {
            return Ok(());
        }
        let method = self.token_endpoint_auth_method;
        if method != AuthenticationMethod::PrivateKeyJwt && !method.is_by_certificate() {
            let why = "under the policy fapi2 it must be private_key_jwt, tls_client_auth or self_signed_tls_client_auth";
            return Err(invalid("token_endpoint_auth_method", why));
        }
        let algorithms = self.other.iter().filter(|(member, _)| member.ends_with("_alg"));
        for (member, value) in algorithms {
            if value.as_str().and_then(SigningAlgorithm::named).is_some_and(|algorithm| !self.policy.allows(algorithm)) {
                return Err(invalid(member, "under the policy fapi2 it must be one of ES256, EdDSA, PS256"));
            }
        }
        if !self.policy.allows(self.access_token_signed_response_alg) {
            return Err(invalid(
                "access_token_signed_response_alg",
                "under the policy fapi2 it must be one of ES256, EdDSA, PS256",
            ));
        }
        Ok(())
    }
}
