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
    let mut pages = Pages::default();
    while !pages.over {
        pages.take(live_grants_on(db, ground, (since, now), pages.next()).await?)?;
    }
    Ok(pages.grants)
}

/// Grants as they come page by page.
#[derive(Default)]
struct Pages {
    grants: Vec<GrantId>,
    after: String,
    over: bool,
}

impl Pages {
    fn next(&self) -> Page<'_> {
        Page { after: Some(&self.after), limit: PAGE }
    }

    /// Takes a page; an empty one is the last.
    fn take(&mut self, ids: Vec<String>) -> Result<(), Unavailable> {
        for id in &ids {
            self.grants.push(id.parse().map_err(|_| Unavailable)?);
        }
        match ids.into_iter().next_back() {
            Some(last) => self.after = last,
            None => self.over = true,
        }
        Ok(())
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
    let mut pages = Pages::default();
    while !pages.over {
        pages.take(grants_on(db, ground, now, pages.next()).await?)?;
    }
    Ok(pages.grants)
}
