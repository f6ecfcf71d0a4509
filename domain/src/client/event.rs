//! What can have happened to a client.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{Digest, InvitationId, SecretId, Timestamp, UserId};

use super::ClientMetadata;

/// A fact about a registered application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientEvent {
    /// It was registered. `identifier` is its `client_id` on the wire.
    Registered {
        identifier: String,
        owner: Option<UserId>,
        metadata: Box<ClientMetadata>,
        /// How it registered itself; `None` where a person or an operator registered it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_itself: Option<ByItself>,
        at: Timestamp,
    },
    /// Its metadata was replaced. `metadata_version` counts: 1 at registration, one more at each change.
    Updated { metadata: Box<ClientMetadata>, metadata_version: u32, at: Timestamp },
    /// It got a secret.
    SecretAdded { secret: ClientSecret, at: Timestamp },
    /// A secret stops working at `expires_at` (now, or after a rotation's overlap).
    SecretExpirySet { secret_id: SecretId, expires_at: Timestamp, at: Timestamp },
    /// It may do nothing any more; all that it held is dead. By its owner, or by an operator (`None`).
    Disabled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserId>,
        at: Timestamp,
    },
    /// It may act again; nothing is revived.
    Enabled { at: Timestamp },
    /// It got a token to manage its registration with (RFC 7592). The one before works no more.
    RegistrationTokenSet { digest: Digest, at: Timestamp },
    /// Its registration is gone for good, and all that it held is dead.
    Deregistered { reason: DeregistrationReason, at: Timestamp },
}

/// How a client registered itself (RFC 7591 section 3, or by a document of its own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum ByItself {
    /// As the settings let anybody.
    Open,
    /// With an initial access token.
    Invited { invitation_id: InvitationId },
    /// By the document at the address that is its `client_id` (OAuth Client ID Metadata Document).
    Document,
}

/// Why a registration is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeregistrationReason {
    /// The client said so (RFC 7592 section 2.3).
    ByItself,
    /// It was registered by whoever came, and nobody let it do anything.
    Unused,
}

/// A client's secret as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub id: SecretId,
    /// The digest of a secret that we generated. `None` for a chosen or imported one: its slow hash lies in the vault.
    pub digest: Option<Digest>,
    /// `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
}

impl DomainEvent for ClientEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "client.registered",
            Self::Updated { .. } => "client.updated",
            Self::SecretAdded { .. } => "client.secret_added",
            Self::SecretExpirySet { .. } => "client.secret_expiry_set",
            Self::Disabled { .. } => "client.disabled",
            Self::Enabled { .. } => "client.enabled",
            Self::RegistrationTokenSet { .. } => "client.registration_token_set",
            Self::Deregistered { .. } => "client.deregistered",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
