//! How much is tried: a sample, or with `GRANTLOG_TEST_SOAK` (`scripts/test --soak`) all of it.

use std::time::Duration;

/// Requests that come together in a race.
pub const AT_ONCE: usize = 50;
/// How many answers a server has given, at the least, before it is killed.
pub const ANSWERS: usize = 100;

/// Whether all of it is tried.
#[must_use]
pub fn soak() -> bool {
    std::env::var_os("GRANTLOG_TEST_SOAK").is_some()
}

/// Rounds of each race.
#[must_use]
pub fn rounds() -> usize {
    if soak() { 200 } else { 4 }
}

/// How often a server is killed.
#[must_use]
pub fn kills() -> usize {
    if soak() { 50 } else { 3 }
}

/// How long a broker is away.
#[must_use]
pub fn outage() -> Duration {
    Duration::from_secs(if soak() { 60 } else { 3 })
}
