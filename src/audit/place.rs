//! Places in the log: a position, and the moment at which it was recorded. Positions and moments run the same way, so that either finds
//! the other.

use domain::Timestamp;
use serde::Serialize;

use crate::{
    clock,
    log::{Log, StoredEvent, Unavailable},
};

const MICROSECONDS: i64 = 1_000_000;

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

impl Place {
    /// Where a stored event stands.
    #[must_use]
    pub const fn of(stored: &StoredEvent) -> Self {
        Self { position: stored.position, at: Timestamp::from_unix(stored.recorded_at.div_euclid(MICROSECONDS)) }
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
