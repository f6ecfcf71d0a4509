//! What can be asked of a client.

use crate::{Digest, SecretId, Timestamp, UserId};

use super::{ByItself, ClientMetadata, ClientSecret};

/// A request to change a registered application.
#[derive(Clone, Debug)]
pub enum ClientCommand {
    /// Register it, with its first secret if it is confidential.
    Register {
        identifier: String,
        owner: Option<UserId>,
        metadata: Box<ClientMetadata>,
        secret: Option<ClientSecret>,
        /// How it registers itself.
        by_itself: Option<ByItself>,
        /// The digest of the token that it will manage its registration with.
        registration_token: Option<Digest>,
        at: Timestamp,
    },
    /// Replace its metadata.
    Update { metadata: Box<ClientMetadata>, at: Timestamp },
    /// Give it a new secret; those it has stop working at `others_expire_at`.
    RotateSecret { secret: ClientSecret, others_expire_at: Timestamp, at: Timestamp },
    /// End one secret now.
    RevokeSecret { secret_id: SecretId, at: Timestamp },
    /// By its owner, or by an operator (`None`).
    Disable { by: Option<UserId>, at: Timestamp },
    /// By its owner, who undoes only what they did; or by an operator (`None`).
    Enable { by: Option<UserId>, at: Timestamp },
    /// Replace its own metadata and its token (RFC 7592 section 2.2). `secret` is for a client that needs one and has none.
    UpdateItself { presented: Digest, next: Digest, metadata: Box<ClientMetadata>, secret: Option<ClientSecret>, at: Timestamp },
    /// Replace its metadata by what its document says now.
    UpdateFromDocument { metadata: Box<ClientMetadata>, at: Timestamp },
    /// Take its own registration back (RFC 7592 section 2.3).
    DeregisterItself { presented: Digest, at: Timestamp },
    /// Take back a registration that anybody could make, and nobody used.
    DeregisterUnused { at: Timestamp },
}
