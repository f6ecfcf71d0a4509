//! Moments as OAuth counts them: whole seconds since 1970-01-01T00:00:00Z (`NumericDate`, RFC 7519 section 2).

use serde::{Deserialize, Serialize};

/// A moment, in whole seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes seconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment and so many seconds, never past the largest moment.
    #[must_use]
    pub const fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds as i64))
    }

    /// Whole seconds from `earlier` to this moment; 0 if `earlier` is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        let passed = self.0.saturating_sub(earlier.0);
        if passed < 0 { 0 } else { passed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_added_up_to_the_largest_moment() {
        assert_eq!(Timestamp::from_unix(10).plus(5).unix(), 15);
        assert_eq!(Timestamp::from_unix(i64::MAX).plus(5).unix(), i64::MAX);
    }

    #[test]
    fn no_time_passes_backwards() {
        assert_eq!(Timestamp::from_unix(15).seconds_since(Timestamp::from_unix(10)), 5);
        assert_eq!(Timestamp::from_unix(10).seconds_since(Timestamp::from_unix(15)), 0);
        assert_eq!(Timestamp::from_unix(i64::MAX).seconds_since(Timestamp::from_unix(i64::MIN)), i64::MAX);
    }

    #[test]
    fn a_moment_is_stored_as_a_number() {
        assert_eq!(serde_json::to_string(&Timestamp::from_unix(7)).expect("written"), "7");
    }
}
