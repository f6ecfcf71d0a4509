//! What can be asked of the audit.

use std::str::FromStr;

use crate::Timestamp;

use super::Read;

/// A request to remember.
#[derive(Clone, Debug)]
pub enum AuditCommand {
    /// Somebody asks the log.
    Remember { read: Read, at: Timestamp },
    /// An operator lets the relay pass an event over that it cannot read, and that ended nothing.
    PassOver { position: i64, reason: Reason, at: Timestamp },
}

/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 500;

/// Why somebody does what has to be answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(pub(super) String);

/// A reason that says nothing, or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reason must be a text of at most {MAX_REASON} characters")]
pub struct NoReason;

impl FromStr for Reason {
    type Err = NoReason;

    fn from_str(text: &str) -> Result<Self, NoReason> {
        let (text, fits) = (text.trim(), |text: &str| !text.is_empty() && text.chars().count() <= MAX_REASON);
        if fits(text) && !text.chars().any(char::is_control) { Ok(Self(text.to_owned())) } else { Err(NoReason) }
    }
}
