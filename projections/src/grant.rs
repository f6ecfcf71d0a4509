//! Live: what was approved by whom for whom, and did it end before its time? The table is `authorization_grant`, because `grant` is a
//! word of SQL's own. A client that acts for itself has no row here: its token says all.

use domain::{
    Event, Scope, Timestamp,
    grant::{Approved, GrantEvent},
};

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    cutoff::ISSUER,
    on_db,
    query::{self, Page},
    table::{EXPIRES_AT, integer, nullable_text, position, text},
};

/// One row an approval.
pub static TABLE: Table = Table {
    name: "authorization_grant",
    form: 2,
    question: "what was approved by whom for whom, and did it end before its time?",
    key: &["id"],
    columns: &[
        text("id"),
        text("client_id"),
        text("user_id"),
        text("session_id"),
        text("consent_id"),
        text("scope"),
        text("state"),
        integer("started_at"),
        integer("ends_at"),
        integer("expires_at"),
        nullable_text("ended_reason"),
        position(),
    ],
    indexes: &[&["consent_id", "id"], &["session_id"], &[EXPIRES_AT]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::Grant(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        GrantEvent::Approved(approved) => changes.put(
            &TABLE,
            row! {
                id: id, client_id: approved.client_id, user_id: approved.user_id, session_id: approved.session_id,
                consent_id: approved.consent_id, scope: approved.scope, state: "live", started_at: approved.at,
                ends_at: approved.ends_at, expires_at: matters_until(approved), ended_reason: None::<&str>, position: position,
            },
        ),
        GrantEvent::Revoked { reason, .. } => {
            changes.set(&TABLE, row! { id: id, state: "revoked", ended_reason: reason, position: position });
        }
        GrantEvent::CodeRedeemed { .. }
        | GrantEvent::TokensIssued { .. }
        | GrantEvent::ClientCredentialsIssued { .. }
        | GrantEvent::JwtBearerIssued(_)
        | GrantEvent::Refreshed { .. }
        | GrantEvent::AccessTokenRefreshed { .. }
        | GrantEvent::TokenExchanged(_)
        | GrantEvent::RefreshRetried { .. }
        | GrantEvent::CodeReplayed { .. }
        | GrantEvent::RefreshReplayed { .. }
        | GrantEvent::AccessTokenRevoked { .. } => {}
    }
}

/// A client that learned who the user is is told when the sign-in ends in which it did, which may be later than the end of all its tokens.
/// Whoever signs in anew in the same browser renews that sign-in: it is remembered for as long again.
fn matters_until(approved: &Approved) -> Timestamp {
    let learned = approved.session_ends_at.filter(|_| approved.scope.contains(Scope::OPENID));
    let Some(session_ends_at) = learned else { return approved.ends_at };
    let lifetime = session_ends_at.seconds_since(approved.auth_time);
    approved.ends_at.max(Timestamp::from_unix(session_ends_at.unix().saturating_add(lifetime)))
}

/// What a user approved for a client.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GrantRow {
    pub id: String,
    pub client_id: String,
    pub user_id: String,
    pub session_id: String,
    pub consent_id: String,
    /// Names separated by spaces.
    pub scope: String,
    /// `live` or `revoked`; what it stands on may have ended all the same: its tokens know.
    pub state: String,
    /// In seconds since the Unix epoch.
    pub started_at: i64,
    /// The end of all its tokens, whatever is refreshed.
    pub ends_at: i64,
    /// Why it was revoked.
    pub ended_reason: Option<String>,
    pub position: i64,
}

/// The grants with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<GrantRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE id IN {}", db.keys(1)), ids).await
}

/// The grants that were approved under a consent.
///
/// # Errors
/// What the store says.
pub async fn of_consent(db: &Db, consent_id: &str, page: Page<'_>) -> Result<Vec<GrantRow>, sqlx::Error> {
    query::page_of(db, &format!("{SELECT} WHERE consent_id = $3 AND id > $1 ORDER BY id LIMIT $2"), consent_id, page).await
}

/// The grants under a consent that have not ended: by their time, by a revocation, or with what they stand on. Offline access outlives
/// the sign-in.
///
/// # Errors
/// What the store says.
pub async fn live_of_consent(db: &Db, consent_id: &str, now: Timestamp, page: Page<'_>) -> Result<Vec<GrantRow>, sqlx::Error> {
    let sql = format!(
        "{SELECT} AS g WHERE consent_id = $3 AND id > $1 AND state = 'live' AND ends_at > {now}
            AND NOT EXISTS (SELECT 1 FROM cutoff
                WHERE cutoff.position > g.position AND (cutoff.subject IN (g.id, g.client_id, g.user_id, g.consent_id, '{ISSUER}')
                    OR (cutoff.subject = g.session_id AND (' ' || g.scope || ' ') NOT LIKE '% offline_access %')))
         ORDER BY id LIMIT $2",
        now = now.unix()
    );
    query::page_of(db, &sql, consent_id, page).await
}

/// The clients, by the ids of their streams, that learned in a sign-in who the user is: there they hold, or may hold, an ID token of it.
///
/// # Errors
/// What the store says.
pub async fn clients_of_session(db: &Db, session_id: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = format!(
        "SELECT DISTINCT client_id FROM authorization_grant WHERE session_id = $1 AND (' ' || scope || ' ') LIKE '% {} %'
         ORDER BY client_id",
        Scope::OPENID
    );
    on_db!(db, pool => sqlx::query_scalar(&sql).bind(session_id).fetch_all(pool).await)
}

/// When these sign-ins were last used to let a client in: the sign-in, and the moment in seconds since the Unix epoch.
///
/// # Errors
/// What the store says.
pub async fn last_in_sessions(db: &Db, session_ids: &[String]) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let sql = format!(
        "SELECT session_id, MAX(started_at) FROM authorization_grant WHERE session_id IN {} GROUP BY session_id",
        db.keys(1)
    );
    query::by_keys(db, &sql, session_ids).await
}

const SELECT: &str =
    "SELECT id, client_id, user_id, session_id, consent_id, scope, state, started_at, ends_at, ended_reason, position
     FROM authorization_grant";

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        grant::{GrantEvent, RevocationReason},
    };
    use serde_json::{Value, json};

    use super::TABLE;
    use crate::testing::{approved, id, project, project_grant, puts, sets, stream};

    #[test]
    fn an_approval_makes_a_live_grant() {
        let changes = project_grant(&[approved()]);
        let row = json!({
            "id": id(1), "client_id": id(2), "user_id": id(3), "session_id": id(4), "consent_id": id(5), "scope": "read write",
            "state": "live", "started_at": 100, "ends_at": 1000, "expires_at": 1000, "ended_reason": Value::Null, "position": 1,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn where_a_client_learned_who_the_user_is_a_grant_matters_as_long_as_the_sign_in_and_as_long_again() {
        let matters_until = |scope: &str, session_ends_at| {
            let GrantEvent::Approved(mut approved) = approved() else { unreachable!("it is an approval") };
            approved.scope = scope.parse().unwrap();
            approved.session_ends_at = Some(Timestamp::from_unix(session_ends_at));
            puts(&project_grant(&[GrantEvent::Approved(approved)]), &TABLE)[0]["expires_at"].clone()
        };
        assert_eq!(matters_until("openid read", 400), 1000);
        assert_eq!(matters_until("openid read", 800), 1510);
        assert_eq!(matters_until("read", 800), 1000);
    }

    #[test]
    fn a_revocation_says_why() {
        let (ends_at, at) = (Timestamp::from_unix(1000), Timestamp::from_unix(200));
        let revoked = GrantEvent::Revoked { reason: RevocationReason::RefreshReplayed, ends_at, at };
        let changes = project(&stream("grant", 1), &[revoked]);
        assert_eq!(
            sets(&changes, &TABLE),
            [json!({"id": id(1), "state": "revoked", "ended_reason": "refresh_replayed", "position": 1})]
        );
    }
}
