//! What can be asked of the catalogue.

use crate::Timestamp;

use super::Entries;

/// A request to change the catalogue.
#[derive(Clone, Debug)]
pub enum CatalogueCommand {
    /// Make these what it holds; nothing happens where it does already.
    Adopt { entries: Entries, at: Timestamp },
}
