//! Which grants stand on something: found in the live read models, for what is ended widely.

use domain::{GrantId, Timestamp, cutoff::Subject};
use projections::{
    Db, Page,
    standing::{Ground, grants_on, live_grants_on},
};

use crate::log::Unavailable;

use super::Told;

/// Grants looked up at a time.
const PAGE: u32 = 500;

/// The grants of which something lives that stands on this and was issued at a moment or later.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn living_on(db: &Db, ground: Ground<'_>, since: Timestamp, now: Timestamp) -> Result<Vec<GrantId>, Unavailable> {
    all(async |after| Ok(live_grants_on(db, ground, (since, now), page(&after)).await?)).await
}

const fn page(after: &str) -> Page<'_> {
    Page { after: Some(after), limit: PAGE }
}

/// All pages, each asked for by the last id of the one before.
async fn all(page: impl AsyncFn(String) -> Result<Vec<String>, Unavailable>) -> Result<Vec<GrantId>, Unavailable> {
    let (mut grants, mut after) = (Vec::new(), String::new());
    loop {
        let ids = page(after).await?;
        for id in &ids {
            grants.push(id.parse().map_err(|_| Unavailable)?);
        }
        let Some(last) = ids.into_iter().next_back() else { return Ok(grants) };
        after = last;
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
    all(async |after| Ok(grants_on(db, ground, now, page(&after)).await?)).await
}
