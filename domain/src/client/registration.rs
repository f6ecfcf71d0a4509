//! What is asked of a registered client: small pure questions about its metadata and secrets.

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp, UserId};

use super::{ApplicationType, AuthenticationMethod, ByItself, ClientMetadata, ClientSecret, GrantType};

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
    /// How it registered itself, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_itself: Option<ByItself>,
    /// Of the token that it manages its registration with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_token: Option<Digest>,
    /// Its registration is gone, for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deregistered: bool,
}

impl Registration {
    /// As it is when it was just made.
    #[must_use]
    pub const fn new(identifier: String, owner: Option<UserId>, metadata: ClientMetadata) -> Self {
        Self {
            identifier,
            owner,
            metadata,
            metadata_version: 1,
            secrets: Vec::new(),
            enabled: true,
            disabled_by: None,
            by_itself: None,
            registration_token: None,
            deregistered: false,
        }
    }

    /// The secrets that have not expired.
    pub fn usable_secrets(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        self.secrets.iter().filter(move |secret| secret.is_usable(now))
    }

    /// Whether it has no means to prove who it is (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.metadata.is_public()
    }

    /// Whether it registered itself with an invitation.
    #[must_use]
    pub const fn was_invited(&self) -> bool {
        matches!(self.by_itself, Some(ByItself::Invited { .. }))
    }

    /// Whether it is what the document at its `client_id` says.
    #[must_use]
    pub const fn is_of_a_document(&self) -> bool {
        matches!(self.by_itself, Some(ByItself::Document))
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

    /// Whether it proves who it is by a secret that it shares with us.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self.token_endpoint_auth_method {
            AuthenticationMethod::ClientSecretBasic | AuthenticationMethod::ClientSecretPost => true,
            AuthenticationMethod::None
            | AuthenticationMethod::PrivateKeyJwt
            | AuthenticationMethod::TlsClientAuth
            | AuthenticationMethod::SelfSignedTlsClientAuth => false,
        }
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
