//! The clock that tokens, proofs and news are judged by.

use jsonwebtoken::get_current_timestamp;

/// This moment, in seconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    i64::try_from(get_current_timestamp()).unwrap_or(i64::MAX)
}
