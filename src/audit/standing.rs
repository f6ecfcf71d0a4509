//! Which grants stand on something: found in the live read models, for what is ended widely.

use domain::{GrantId, Timestamp, cutoff::Subject};
use projections::{
    Db, Page,
    standing::{Ground, grants_on},
};

use crate::log::Unavailable;

use super::Told;

/// Grants looked up at a time.
const PAGE: u32 = 500;

/// All grants with a code or token that stands on this and has not ended by itself, whether or not something has cut them off since.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn standing_on(db: &Db, ground: Ground<'_>, now: Timestamp) -> Result<Vec<GrantId>, Unavailable> {
    let (mut grants, mut after) = (Vec::new(), String::new());
    loop {
        let ids = grants_on(db, ground, now, Page { after: Some(&after), limit: PAGE }).await?;
        let Some(last) = ids.last() else { return Ok(grants) };
        after.clone_from(last);
        for id in &ids {
            grants.push(id.parse().map_err(|_| Unavailable)?);
        }
    }
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
    standing_on(db, ground, now).await
}
