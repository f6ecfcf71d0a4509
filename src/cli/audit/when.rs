//! Moments and places in the log, as people write them.

use domain::Timestamp;
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::audit::AsOf;

/// RFC 3339, or a day, which begins at midnight in UTC.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        Some(day.midnight().assume_utc())
    });
    moment
        .map(|moment| Timestamp::from_unix(moment.unix_timestamp()))
        .ok_or_else(|| "write it in RFC 3339, for example 2026-11-25T14:00:00Z, or as a day, for example 2026-11-25".to_owned())
}

/// A position, or a moment.
pub(super) fn place(text: &str) -> Result<AsOf, String> {
    match text.parse() {
        Ok(position) => Ok(AsOf::Position(position)),
        Err(_) => moment(text).map(AsOf::Moment).map_err(|how| format!("write a position in the log, or a moment: {how}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_rfc_3339_or_a_day() {
        assert_eq!(moment("1970-01-02T00:00:10Z"), Ok(Timestamp::from_unix(86_410)));
        assert_eq!(moment("1970-01-02T02:00:10+02:00"), Ok(Timestamp::from_unix(86_410)));
        assert_eq!(moment("1970-01-02"), Ok(Timestamp::from_unix(86_400)));
        for wrong in ["", "yesterday", "1970-01-32", "86400"] {
            assert!(moment(wrong).unwrap_err().contains("RFC 3339"), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_a_position_or_a_moment() {
        assert_eq!(place("42"), Ok(AsOf::Position(42)));
        assert_eq!(place("1970-01-02"), Ok(AsOf::Moment(Timestamp::from_unix(86_400))));
        assert!(place("here").unwrap_err().contains("position"));
    }
}
