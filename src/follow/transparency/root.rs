//! Roots of the tree over the log, written as checkpoints write them, for what is kept beside them.

use super::{TreeError, tree};
use crate::log::Log;

/// The root of the tree of the log's first so many events, in base64, from the stored tiles.
///
/// # Errors
/// That the store does not answer, or does not hold so large a tree.
pub async fn root_at(log: &Log, size: i64) -> Result<String, TreeError> {
    Ok(tree::stored_root(log, size.unsigned_abs()).await?.to_string())
}
