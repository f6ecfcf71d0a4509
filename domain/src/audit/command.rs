//! What can be asked of the audit.

use crate::Timestamp;

use super::Read;

/// A request to remember.
#[derive(Clone, Debug)]
pub enum AuditCommand {
    /// Somebody asks the log.
    Remember { read: Read, at: Timestamp },
}
