//! Which grants hold a code or token that stands on this, and has not ended by itself? Asked of the live tokens, for people who end much
//! at once, or look at what was ended: no index helps.

use domain::Timestamp;

use crate::{
    Db,
    query::{self, Page},
};

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

/// The ids of the grants, whether or not something has cut them off since; in their order, a page of them.
///
/// # Errors
/// What the store says.
pub async fn grants_on(db: &Db, ground: Ground<'_>, now: Timestamp, page: Page<'_>) -> Result<Vec<String>, sqlx::Error> {
    let (column, whose) = match ground {
        Ground::Client(id) => ("client_id", id),
        Ground::User(id) => ("user_id", id),
        Ground::Session(id) => ("session_id", id),
        Ground::Consent(id) => ("consent_id", id),
        Ground::Key(kid) => ("kid", kid),
        Ground::Issuer => ("''", ""),
    };
    let sql = format!(
        "SELECT DISTINCT grant_id FROM token WHERE {column} = $3 AND state = 'live' AND expires_at > {now} AND grant_id > $1
         ORDER BY grant_id LIMIT $2",
        now = now.unix()
    );
    let rows: Vec<(String,)> = query::page_of(db, &sql, whose, page).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
