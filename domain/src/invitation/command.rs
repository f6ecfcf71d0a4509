//! What can be asked of an invitation.

use crate::{ClientId, Digest, Timestamp};

/// A request to make, use or withdraw an invitation.
#[derive(Clone, Debug)]
pub enum InvitationCommand {
    /// Make it, for so many registrations.
    Make { digest: Digest, uses: u32, expires_at: Timestamp, at: Timestamp },
    /// Register a client with it.
    Use { presented: Digest, client_id: ClientId, at: Timestamp },
    /// End it; what was registered with it stays.
    Withdraw { at: Timestamp },
}
