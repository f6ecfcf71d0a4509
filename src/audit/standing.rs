//! Which grants stand on something: found in the live read models, for what is ended widely.

use domain::{GrantId, Timestamp, cutoff::Subject};
use projections::{
    Db,
    standing::{Ground, grants_on, live_grants_on},
};

use crate::log::Unavailable;

use super::Told;

/// The grants of which something lives that stands on this and was issued at a moment or later.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn living_on(db: &Db, ground: Ground<'_>, since: Timestamp, now: Timestamp) -> Result<Vec<GrantId>, Unavailable> {
    ids(&live_grants_on(db, ground, (since, now)).await?)
}

fn ids(texts: &[String]) -> Result<Vec<GrantId>, Unavailable> {
    texts.iter().map(|text| text.parse().map_err(|_| Unavailable)).collect()
}

/// The grants that an event has ended which is not their own.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn cut_off(db: &Db, told: &Told, now: Timestamp) -> Result<Vec<GrantId>, Unavailable> {
    let Some(cutoff) = told.event.cutoff() else { return Ok(Vec::new()) };
    let id = told.stream.aggregate_id.to_string();
    let ground = match cutoff.subject {
        Subject::Client => Ground::Client(&id),
        Subject::User => Ground::User(&id),
        Subject::Session => Ground::Session(&id),
        Subject::Consent => Ground::Consent(&id),
        Subject::Grant { .. } => return Ok(Vec::new()),
        Subject::Key(kid) => Ground::Key(kid),
        Subject::Issuer => Ground::Issuer,
    };
    ids(&grants_on(db, ground, now).await?)
}
