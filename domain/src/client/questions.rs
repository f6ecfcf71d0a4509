//! What protocol and dispatch ask of a client.

use crate::Timestamp;

use super::{AuthenticationMethod, Client, ClientMetadata, ClientSecret, GrantType, Policy, Registration};

impl Client {
    /// The registration, enabled or not.
    #[must_use]
    pub fn registration(&self) -> Option<&Registration> {
        match self {
            Self::Absent => None,
            Self::Registered(registration) => Some(registration),
        }
    }

    /// The registration of a client that may act.
    #[must_use]
    pub fn usable(&self) -> Option<&Registration> {
        self.registration().filter(|registration| registration.enabled)
    }
}

impl Registration {
    /// The secrets that work at this moment.
    pub fn usable_secrets(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }

    /// Whether it registered for this grant type.
    #[must_use]
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant_type)
    }

    /// Whether its authorization requests must carry a `code_challenge`: all but a confidential client's under `compatible`.
    #[must_use]
    pub fn requires_pkce(&self) -> bool {
        match self.metadata.policy {
            Policy::Default => true,
            Policy::Compatible => self.metadata.is_public(),
        }
    }
}

impl ClientMetadata {
    /// Whether it cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthenticationMethod::None
    }
}

impl Policy {
    /// Its name in the metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Compatible => "compatible",
        }
    }
}
