//! Live: which browser sign-ins are there, and which of them still stand?

use domain::{Event, Timestamp, session::SessionEvent};
use serde_json::json;

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    cutoff::ISSUER,
    query::{self, Page},
    table::{EXPIRES_AT, integer, nullable_text, position, text},
};

/// One row a sign-in.
pub static TABLE: Table = Table {
    name: "browser_session",
    form: 1,
    question: "which browser sign-ins are there, and which of them still stand?",
    key: &["id"],
    columns: &[
        text("id"),
        text("user_id"),
        text("state"),
        integer("auth_time"),
        text("amr"),
        nullable_text("acr"),
        integer("started_at"),
        integer("expires_at"),
        nullable_text("browser"),
        position(),
    ],
    indexes: &[&["user_id", "id"], &[EXPIRES_AT]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::Session(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        SessionEvent::Started { sign_in, browser, at } => changes.put(
            &TABLE,
            row! {
                id: id, user_id: sign_in.user_id, state: "started", auth_time: sign_in.auth_time, amr: json!(sign_in.amr).to_string(),
                acr: sign_in.acr, started_at: at, expires_at: sign_in.expires_at, browser: browser, position: position,
            },
        ),
        SessionEvent::Reauthenticated { sign_in, .. } => changes.set(
            &TABLE,
            row! {
                id: id, auth_time: sign_in.auth_time, amr: json!(sign_in.amr).to_string(), acr: sign_in.acr,
                expires_at: sign_in.expires_at, position: position,
            },
        ),
        SessionEvent::Ended { .. } => changes.set(&TABLE, row! { id: id, state: "ended", position: position }),
        // Whether somebody is signed in by it does not hang on who knows of its end.
        SessionEvent::ClientNotified { .. } => {}
    }
}

/// A browser sign-in.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionRow {
    pub id: String,
    pub user_id: String,
    /// `started` or `ended`.
    pub state: String,
    /// When the user last proved who they are, in seconds since the Unix epoch.
    pub auth_time: i64,
    /// How, as a JSON array (RFC 8176).
    pub amr: String,
    pub acr: Option<String>,
    pub started_at: i64,
    pub expires_at: i64,
    /// The browser's address and name, sealed under the user's key.
    pub browser: Option<String>,
    pub position: i64,
    /// Whether its user was cut off after they last signed in in it (locked, a new password, erased), or all the issuer's sessions.
    pub cut_off: bool,
}

impl SessionRow {
    /// Whether the user is signed in by it.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.state == "started" && self.expires_at > now.unix() && !self.cut_off
    }
}

/// The sign-ins with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<SessionRow>, sqlx::Error> {
    query::by_keys(db, &format!("{} WHERE s.id IN {}", select(), db.keys(1)), ids).await
}

/// A user's sign-ins.
///
/// # Errors
/// What the store says.
pub async fn of_user(db: &Db, user_id: &str, page: Page<'_>) -> Result<Vec<SessionRow>, sqlx::Error> {
    query::page_of(db, &format!("{} WHERE s.user_id = $3 AND s.id > $1 ORDER BY s.id LIMIT $2", select()), user_id, page).await
}

fn select() -> String {
    format!(
        "SELECT s.id, s.user_id, s.state, s.auth_time, s.amr, s.acr, s.started_at, s.expires_at, s.browser, s.position,
            EXISTS (SELECT 1 FROM cutoff WHERE cutoff.subject IN (s.user_id, '{ISSUER}') AND cutoff.position > s.position) AS cut_off
         FROM browser_session AS s"
    )
}

#[cfg(test)]
mod tests {
    use domain::{
        Digest, Timestamp,
        session::{SessionEnd, SessionEvent, SignIn},
    };
    use serde_json::{Value, json};

    use super::{SessionRow, TABLE};
    use crate::testing::{id, project, puts, sets, stream};

    fn sign_in(auth_time: i64) -> SignIn {
        SignIn {
            user_id: id(2).parse().unwrap(),
            cookie: Digest::of(b"cookie"),
            auth_time: Timestamp::from_unix(auth_time),
            amr: vec!["pwd".to_owned()],
            acr: None,
            expires_at: Timestamp::from_unix(auth_time + 100),
        }
    }

    fn started() -> SessionEvent {
        SessionEvent::Started { sign_in: sign_in(10), browser: None, at: Timestamp::from_unix(10) }
    }

    #[test]
    fn a_sign_in_starts_a_session_without_the_cookie_in_its_row() {
        let changes = project(&stream("session", 1), &[started()]);
        let row = json!({
            "id": id(1), "user_id": id(2), "state": "started", "auth_time": 10, "amr": "[\"pwd\"]", "acr": Value::Null,
            "started_at": 10, "expires_at": 110, "browser": Value::Null, "position": 1,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn signing_in_again_moves_the_time_and_the_end_but_not_the_start() {
        let again = SessionEvent::Reauthenticated { sign_in: sign_in(50), at: Timestamp::from_unix(50) };
        let row = puts(&project(&stream("session", 1), &[started(), again]), &TABLE).remove(0);
        assert_eq!(
            (&row["auth_time"], &row["started_at"], &row["expires_at"], &row["position"]),
            (&json!(50), &json!(10), &json!(150), &json!(2))
        );
    }

    #[test]
    fn signing_out_ends_it() {
        let ended = SessionEvent::Ended { reason: SessionEnd::SignedOut, at: Timestamp::from_unix(60) };
        let changes = project(&stream("session", 1), &[ended]);
        assert_eq!(sets(&changes, &TABLE), [json!({"id": id(1), "state": "ended", "position": 1})]);
    }

    #[test]
    fn a_session_is_active_until_it_ends_expires_or_is_cut_off() {
        let row = SessionRow {
            id: id(1),
            user_id: id(2),
            state: "started".to_owned(),
            auth_time: 10,
            amr: "[]".to_owned(),
            acr: None,
            started_at: 10,
            expires_at: 110,
            browser: None,
            position: 1,
            cut_off: false,
        };
        assert!(row.is_active(Timestamp::from_unix(109)));
        assert!(!row.is_active(Timestamp::from_unix(110)));
        assert!(!SessionRow { state: "ended".to_owned(), ..row.clone() }.is_active(Timestamp::from_unix(20)));
        assert!(!SessionRow { cut_off: true, ..row }.is_active(Timestamp::from_unix(20)));
    }
}
