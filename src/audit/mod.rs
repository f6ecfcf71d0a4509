//! What the log says of grants: who let whom do what, when, what came of it and how it ended. `record`, `fact`, `fold`,
//! `family`, `change`, `difference` and `story` are pure; `replay` reads the whole log in bounded memory, `lookup` one stream and what it
//! stands on; `descent` finds what a revocation ends, and has it ended.

mod access;
mod change;
mod check_token;
mod descent;
mod difference;
mod digest;
mod fact;
mod family;
mod find;
mod fold;
mod line;
mod lineage;
mod lookup;
mod names;
mod person;
mod place;
mod proof;
mod record;
mod replay;
mod spill;
mod standing;
mod step;
mod story;
mod token;
mod words;

pub use access::{Access, Accesses};
pub use change::{Became, Between, GrantChange};
pub use check_token::{Forgery, TokenCheck, check_token};
pub use descent::{Besides, Descent, EndedAt, NotEnded, Point};
pub use difference::{Change, between};
pub use digest::RecordsDigest;
pub use fact::{Fact, Facts, What};
pub use family::{came_of, led_to};
pub use find::{FoundToken, Look, Wanted, look, scan, token};
pub use fold::Folding;
pub use line::GrantAt;
pub use lineage::Lineage;
pub use lookup::{GrantFile, Told, grant, history};
pub use names::{Named, Names};
pub use person::with_profiles;
pub use place::{AsOf, InvalidPlace, Place, moment, resolve};
pub use proof::proof_read;
pub use record::{ClientThen, CodeState, End, Filter, GrantKind, GrantRecord, GrantState};
pub use replay::{Bounds, Replay, Replayed};
pub use standing::{cut_off, living_on};
pub use story::{Chapter, tell};
pub use token::{Token, TokenAt, TokenKind, TokenState};
pub use words::{Words, plain};

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
