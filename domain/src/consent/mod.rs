//! What one user lets one client do: scopes, resources, and the versions of client and catalogue it was given to.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::ConsentCommand;
pub use event::{ConsentEvent, ConsentTerms, GivenBy};
use serde::{Deserialize, Serialize};

use crate::{ClientId, UserId, aggregate::aggregate};

/// What is known of a consent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Consent {
    /// Not there yet.
    #[default]
    Absent,
    Given(ConsentTerms),
    /// It can be given anew; what was issued under it stays dead.
    Withdrawn {
        user_id: UserId,
        client_id: ClientId,
    },
}

aggregate!(Consent, "consent", ConsentCommand, ConsentEvent, ConsentError);

/// Why a command on a consent is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    #[error("there is no such consent")]
    Unknown,
    #[error("the consent is another user's or another client's")]
    OtherParties,
}
