//! What can be asked of a client.

use crate::{SecretId, Timestamp, UserId};

use super::{ClientMetadata, ClientSecret};

/// A request to change a registered application.
#[derive(Clone, Debug)]
pub enum ClientCommand {
    /// Register it, with its first secret if it is confidential.
    Register {
        identifier: String,
        owner: Option<UserId>,
        metadata: Box<ClientMetadata>,
        secret: Option<ClientSecret>,
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
}
