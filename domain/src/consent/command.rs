//! What can be asked of a consent.

use crate::{Timestamp, UserId};

use super::ConsentTerms;

/// A request to change what a user lets a client do.
#[derive(Clone, Debug)]
pub enum ConsentCommand {
    /// Scopes and resources are added to those given before; nothing happens where all of it was given to the same versions.
    Give { terms: ConsentTerms, at: Timestamp },
    /// By its own user, or by an operator (`None`).
    Withdraw { by: Option<UserId>, at: Timestamp },
}
