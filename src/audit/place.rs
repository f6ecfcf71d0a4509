//! Places in the log: a position, and the moment at which it was recorded. Positions and moments run the same way, so that either finds
//! the other.

use std::str::FromStr;

use domain::Timestamp;
use serde::Serialize;
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::{
    clock,
    log::{Log, StoredEvent, Unavailable},
};

/// Where something stands in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    pub position: i64,
    /// When it was recorded, by the store's clock.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub at: Timestamp,
}

/// Up to where the log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// To its end; what expires is judged by this moment.
    Now(Timestamp),
    Position(i64),
    /// What was recorded after it is left out.
    Moment(Timestamp),
}

/// What is no moment, or no place, as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlace {
    #[error("write a moment in RFC 3339, for example 2026-11-25T14:00:00Z, or a day, for example 2026-11-25")]
    Moment,
    #[error(
        "write a position in the log, a moment in RFC 3339, for example 2026-11-25T14:00:00Z, or a day, for example 2026-11-25"
    )]
    Place,
}

/// A moment in RFC 3339, or a day, which begins at midnight in UTC.
///
/// # Errors
/// How moments are written.
pub fn moment(text: &str) -> Result<Timestamp, InvalidPlace> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        Some(day.midnight().assume_utc())
    });
    moment.map(|moment| Timestamp::from_unix(moment.unix_timestamp())).ok_or(InvalidPlace::Moment)
}

impl FromStr for AsOf {
    type Err = InvalidPlace;

    /// A position, or a moment.
    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let position = text.parse().map(Self::Position);
        position.or_else(|_| moment(text).map(Self::Moment)).map_err(|_| InvalidPlace::Place)
    }
}

impl Place {
    /// Where a stored event stands.
    #[must_use]
    pub const fn of(stored: &StoredEvent) -> Self {
        Self { position: stored.position, at: stored.recorded() }
    }
}

/// The last place to be read, and the moment by which what expires is judged.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn resolve(log: &Log, as_of: AsOf) -> Result<Place, Unavailable> {
    match as_of {
        AsOf::Now(at) => Ok(Place { position: log.known_head(), at }),
        AsOf::Position(position) => {
            let position = position.clamp(0, log.known_head());
            let at = place_at(log, position).await?.map_or(Timestamp::default(), |place| place.at);
            Ok(Place { position, at })
        }
        AsOf::Moment(at) => {
            // The first position that was recorded later, by halving.
            let (mut earlier, mut later) = (0, log.known_head() + 1);
            while later - earlier > 1 {
                let middle = earlier + (later - earlier) / 2;
                match place_at(log, middle).await? {
                    Some(place) if place.at <= at => earlier = middle,
                    Some(_) | None => later = middle,
                }
            }
            Ok(Place { position: earlier, at })
        }
    }
}

async fn place_at(log: &Log, position: i64) -> Result<Option<Place>, Unavailable> {
    if position == 0 {
        return Ok(None);
    }
    Ok(log.read(position - 1, 1).await?.first().map(Place::of))
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
            assert!(moment(wrong).unwrap_err().to_string().contains("RFC 3339"), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_a_position_or_a_moment() {
        assert_eq!("42".parse(), Ok(AsOf::Position(42)));
        assert_eq!("1970-01-02".parse(), Ok(AsOf::Moment(Timestamp::from_unix(86_400))));
        assert!("here".parse::<AsOf>().unwrap_err().to_string().contains("position"));
    }
}
