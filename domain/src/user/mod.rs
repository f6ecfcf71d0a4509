//! A resource owner: how they sign in, locked or not, erased or not. What is personal is sealed under their own key.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use event::UserEvent;
use serde::{Deserialize, Serialize};

use crate::{aggregate::aggregate, sealed::BlindIndex};

/// What `decide` needs to know of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum User {
    /// Not there yet.
    #[default]
    Absent,
    Present {
        sign_in_name: BlindIndex,
        administrator: bool,
        locked: bool,
        has_password: bool,
    },
    /// Their key is destroyed: nothing personal can be read again.
    Erased,
}

aggregate!(User, "user", UserCommand, UserEvent, UserError);

impl User {
    /// Whether they may administer the issuer.
    #[must_use]
    pub const fn is_administrator(&self) -> bool {
        matches!(self, Self::Present { administrator: true, locked: false, .. })
    }
}

/// Why a command on a user is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("there is no such user")]
    Unknown,
    #[error("the user exists already")]
    Exists,
    #[error("the user has been erased")]
    Erased,
}
