//! Who asked the log about people and clients: every such read is remembered, in a stream of its own, so that no decision about those
//! it was asked of waits for it.

mod command;
mod event;
#[cfg(test)]
mod tests;

pub use command::AuditCommand;
pub use event::{AuditEvent, Question, Read};
use serde::{Deserialize, Serialize};

use crate::{Decide, aggregate::aggregate};

/// Nothing is decided on what was asked before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {}

/// Why a command is refused: none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {}

aggregate!(Audit, "audit", AuditCommand, AuditEvent, AuditError);

impl Decide for Audit {
    fn decide(&self, command: AuditCommand) -> Result<Vec<AuditEvent>, AuditError> {
        match command {
            AuditCommand::Remember { read, at } => Ok(vec![AuditEvent::Read { read, at }]),
        }
    }
}

impl Audit {
    /// A read changes nothing.
    fn apply_event(&mut self, AuditEvent::Read { .. }: AuditEvent) {}
}
