//! What an error saw, in its `error_id`: sealed for whoever runs the issuer, so that nothing is kept and nobody else reads it.

use crate::protocol::{OAuthError, error::Report};

use super::Inner;

/// An `error_id` that this issuer did not make, or not with its present keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no error_id of this server")]
pub struct UnknownErrorId;

impl Inner {
    /// The `error_id` of an error that is told now.
    #[must_use]
    pub fn error_id(&self, error: &OAuthError) -> String {
        let report = error.report(self.clock.now());
        self.keys.seal_error(&serde_json::to_string(&report).expect("a report has a JSON form"))
    }

    /// Opens an `error_id`: the rule that fired, and what it saw.
    ///
    /// # Errors
    /// `UnknownErrorId` where it is not one of this issuer's.
    pub fn explain(&self, error_id: &str) -> Result<Report, UnknownErrorId> {
        let report = self.keys.open_error(error_id.trim()).map_err(|_| UnknownErrorId)?;
        serde_json::from_str(&report).map_err(|_| UnknownErrorId)
    }
}
