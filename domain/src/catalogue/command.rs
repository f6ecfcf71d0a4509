//! What can be asked of the catalogue.

use crate::Timestamp;

use super::ScopeEntry;

/// A request to change the catalogue.
#[derive(Clone, Debug)]
pub enum CatalogueCommand {
    /// Make these the scopes; nothing happens where they are so already.
    Adopt { scopes: Vec<ScopeEntry>, at: Timestamp },
}
