//! What the log says of grants: who let whom do what, when, what came of it and how it ended. `record`, `fact` and `fold` are
//! pure; `replay` reads the whole log in bounded memory, `lookup` one stream and what it stands on.

mod digest;
mod fact;
mod fold;
mod lookup;
mod place;
mod record;
mod replay;
mod spill;
mod standing;

pub use digest::RecordsDigest;
pub use fact::{Fact, Facts, What};
pub use fold::Folding;
pub use lookup::{GrantFile, Told, grant, history};
pub use place::{AsOf, Place, resolve};
pub use record::{ClientThen, CodeState, End, Filter, GrantKind, GrantRecord, GrantState};
pub use replay::{Bounds, Replay, Replayed};
pub use standing::{cut_off, standing_on};

use crate::log::Unavailable;

/// Why the log does not tell.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
    /// It is a defect, or a later grantlog wrote the event.
    #[error("the event at position {position} cannot be read: {cause}")]
    Event { position: i64, cause: String },
    #[error("a file of the replay's: {0}")]
    Spill(#[from] std::io::Error),
}
