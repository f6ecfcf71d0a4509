//! Who asked the log about people and clients: every such read is remembered, in a stream of its own, so that no decision about those
//! it was asked of waits for it. And what of the log its subscribers are not told, as an operator decided.

mod command;
mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use command::{AuditCommand, NoReason, Reason};
pub use event::{AuditEvent, Question, Read};
use serde::{Deserialize, Serialize};

use crate::{Decide, aggregate::aggregate};

/// Nothing is decided on what was asked before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audit {
    /// The positions that the relay passes over.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub passed_over: BTreeSet<i64>,
}

/// Why a command is refused: none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {}

aggregate!(Audit, "audit", AuditCommand, AuditEvent, AuditError);

impl Decide for Audit {
    fn decide(&self, command: AuditCommand) -> Result<Vec<AuditEvent>, AuditError> {
        match command {
            AuditCommand::Remember { read, at } => Ok(vec![AuditEvent::Read { read, at }]),
            AuditCommand::PassOver { position, .. } if self.passed_over.contains(&position) => Ok(vec![]),
            AuditCommand::PassOver { position, reason: Reason(reason), at } => {
                Ok(vec![AuditEvent::PassedOver { position, reason, at }])
            }
        }
    }
}

impl Audit {
    /// A read changes nothing.
    #[expect(clippy::needless_pass_by_value, reason = "every aggregate takes its events so")]
    fn apply_event(&mut self, event: AuditEvent) {
        match event {
            AuditEvent::Read { .. } => {}
            AuditEvent::PassedOver { position, .. } => {
                self.passed_over.insert(position);
            }
        }
    }
}
