//! Roots of the tree over the log, written as checkpoints write them, for what is kept beside them: of the stored tree, and of events that
//! are read elsewhere.

use super::{
    TreeError,
    tree::{self, Tree},
};
use crate::log::{Log, StoredEvent};

/// The root of the tree of the log's first so many events, in base64, from the stored tiles.
///
/// # Errors
/// That the store does not answer, or does not hold so large a tree.
pub async fn root_at(log: &Log, size: i64) -> Result<String, TreeError> {
    Ok(tree::stored_root(log, size.unsigned_abs()).await?.to_string())
}

/// The tree of events that are told in their order, from the first.
#[derive(Default)]
pub struct FoundTree(Tree);

impl FoundTree {
    /// Takes the next event.
    pub fn add(&mut self, event: &StoredEvent) {
        self.0.note(tree::leaf(event));
    }

    /// The root of those that were told, in base64.
    ///
    /// # Errors
    /// That it cannot be computed.
    pub fn root(&self) -> Result<String, TreeError> {
        Ok(self.0.root()?.to_string())
    }
}
