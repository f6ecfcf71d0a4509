//! Moments as pages show them: in UTC, in the reader's language.

use time::OffsetDateTime;

use super::language::Language;

/// A moment, for people and for programs (the `datetime` of HTML's `time`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) words: String,
    pub(super) iso: String,
}

impl Moment {
    /// Takes seconds since the Unix epoch.
    pub(super) fn new(seconds: i64, language: &Language) -> Self {
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let month = u8::from(at.month());
        let name = language.say("time.months").split(' ').nth(usize::from(month) - 1).unwrap_or_default();
        let clock = format!("{:02}:{:02}", at.hour(), at.minute());
        let words = language.fill("time.moment", "day", at.day());
        Self {
            words: words.replace("{month}", name).replace("{year}", &at.year().to_string()).replace("{clock}", &clock),
            iso: format!("{:04}-{month:02}-{:02}T{clock}Z", at.year(), at.day()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_readers_language() {
        let told = |tag| Moment::new(1_764_059_460, Language::choose(Some(tag), None));
        assert_eq!(told("en").words, "25 November 2025, 08:31 UTC");
        assert_eq!(told("ja").words, "2025年11月25日 08:31 (UTC)");
        assert_eq!(told("en").iso, "2025-11-25T08:31Z");
    }
}
