//! What is asked of a registered client: small pure questions about its metadata and secrets.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, UserId};

use super::{ApplicationType, AuthenticationMethod, ClientMetadata, ClientSecret, GrantType, Policy};

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its `client_id` on the wire.
    pub identifier: String,
    pub owner: Option<UserId>,
    pub metadata: ClientMetadata,
    /// 1 at registration, one more at each change of the metadata: consents name it.
    pub metadata_version: u32,
    pub secrets: Vec<ClientSecret>,
    pub enabled: bool,
    /// The owner who disabled it; `None` where an operator did, or nobody.
    #[serde(default)]
    pub disabled_by: Option<UserId>,
}

impl Registration {
    /// The secrets that have not expired.
    pub fn usable_secrets(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        self.secrets.iter().filter(move |secret| secret.is_usable(now))
    }

    /// Whether it has no means to prove who it is (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.metadata.is_public()
    }

    /// Whether it may not leave PKCE out: only `compatible` spares confidential clients (RFC 9700 section 2.1.1).
    #[must_use]
    pub fn requires_pkce(&self) -> bool {
        match self.metadata.policy {
            Policy::Default => true,
            Policy::Compatible => self.is_public(),
        }
    }

    /// Whether it is registered for this grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.metadata.may_use(grant)
    }

    /// Whether a request in its name is surely its own: what is remembered (a consent) serves no other client (RFC 8252 section 8.6).
    #[must_use]
    pub fn has_proven_identity(&self) -> bool {
        !self.is_public() && self.metadata.application_type == ApplicationType::Web
    }
}

impl ClientMetadata {
    /// Whether it describes a client without means to prove who it is (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthenticationMethod::None
    }

    /// Whether it asks for this grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

impl ClientSecret {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}
