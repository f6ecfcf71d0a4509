//! Which grants hold a code or token that stands on this, and has not ended by itself? Asked of the live tokens, for people who end much
//! at once, or look at what was ended: no index helps.

use domain::Timestamp;

use crate::{Db, on_db, token};

/// What codes and tokens stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground<'a> {
    Client(&'a str),
    User(&'a str),
    /// Nothing with offline access stands on a sign-in.
    Session(&'a str),
    Consent(&'a str),
    /// The key that signed it.
    Key(&'a str),
    Issuer,
}

impl<'a> Ground<'a> {
    /// The column of the table, and what stands in it.
    const fn column(self) -> (&'static str, &'a str) {
        match self {
            Self::Client(id) => ("t.client_id", id),
            Self::User(id) => ("t.user_id", id),
            Self::Session(id) => ("t.session_id", id),
            Self::Consent(id) => ("t.consent_id", id),
            Self::Key(kid) => ("t.kid", kid),
            Self::Issuer => ("''", ""),
        }
    }
}

/// The ids of the grants, whether or not something has cut them off since, in their order.
///
/// # Errors
/// What the store says.
pub async fn grants_on(db: &Db, ground: Ground<'_>, now: Timestamp) -> Result<Vec<String>, sqlx::Error> {
    select(db, ground, &format!("t.expires_at > {}", now.unix())).await
}

/// The ids of the grants of which something lives that was issued at a moment or later, in their order.
///
/// # Errors
/// What the store says.
pub async fn live_grants_on(
    db: &Db,
    ground: Ground<'_>,
    (since, now): (Timestamp, Timestamp),
) -> Result<Vec<String>, sqlx::Error> {
    let lives =
        format!("t.expires_at > {} AND t.issued_at >= {} AND NOT {}", now.unix(), since.unix(), token::cut_off(db.dialect()));
    select(db, ground, &lives).await
}

/// All at once: each page would look through the whole table again.
async fn select(db: &Db, ground: Ground<'_>, condition: &str) -> Result<Vec<String>, sqlx::Error> {
    let (column, whose) = ground.column();
    let sql = format!(
        "SELECT DISTINCT t.grant_id FROM token AS t WHERE {column} = $1 AND t.state = 'live' AND {condition} ORDER BY t.grant_id"
    );
    on_db!(db, pool => sqlx::query_scalar(&sql).bind(whose).fetch_all(pool).await)
}
