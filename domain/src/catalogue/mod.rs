//! The scopes that can be granted and the words they are explained with, as the settings define them.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::CatalogueCommand;
pub use event::{CatalogueEvent, ScopeEntry};
use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;

/// The catalogue in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// 0 before the first one was adopted, one more at each change.
    pub version: u32,
    pub scopes: Vec<ScopeEntry>,
}

aggregate!(Catalogue, "catalogue", CatalogueCommand, CatalogueEvent, CatalogueError);

/// Why a command on the catalogue is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("the scope {0} stands twice in the catalogue")]
    Twice(String),
    #[error("{0} is no scope: printable ASCII without space, quote and backslash")]
    NoScope(String),
}
