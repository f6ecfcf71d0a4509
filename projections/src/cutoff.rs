//! Live: since which position is everything dead that was issued before it? One row a client, user, session, consent, grant or key, however
//! many tokens it kills.

use domain::{Timestamp, cutoff::Subject};
use serde_json::{Value, json};

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    on_db, query,
    table::{EXPIRES_AT, nullable_integer, position, text},
};

/// The subject whose cutoff ends all that the issuer issued before.
pub const ISSUER: &str = "issuer";

/// One row a subject: the id of a client, user, session, consent or grant, a key's `kid`, or [`ISSUER`].
pub static TABLE: Table = Table {
    name: "cutoff",
    form: 1,
    question: "since which position is everything dead that was issued before it?",
    key: &["subject"],
    columns: &[text("subject"), nullable_integer("expires_at"), position()],
    indexes: &[&[EXPIRES_AT]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Some(cutoff) = recorded.event.cutoff() else { return };
    let stream = json!(recorded.stream.aggregate_id);
    let (subject, expires_at) = match cutoff.subject {
        Subject::Client | Subject::User | Subject::Session | Subject::Consent => (stream, Value::Null),
        Subject::Grant { ends_at } => (stream, json!(ends_at)),
        Subject::Key(kid) => (json!(kid), Value::Null),
        Subject::Issuer => (json!(ISSUER), Value::Null),
    };
    changes.put(&TABLE, row! { subject: subject, expires_at: expires_at, position: recorded.position });
}

/// A subject, and the position before which all that stands on it is dead.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CutoffRow {
    pub subject: String,
    /// When nothing that it kills can live any more; `None` where that is not known.
    pub expires_at: Option<i64>,
    pub position: i64,
}

/// The cutoffs of these subjects.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, subjects: &[String]) -> Result<Vec<CutoffRow>, sqlx::Error> {
    query::by_keys(db, &format!("SELECT subject, expires_at, position FROM cutoff WHERE subject IN {}", db.keys(1)), subjects)
        .await
}

/// The positions of the cutoffs that lie above a position and have not come to their own end.
///
/// # Errors
/// What the store says.
pub async fn above(db: &Db, position: i64, now: Timestamp) -> Result<Vec<i64>, sqlx::Error> {
    let sql = "SELECT position FROM cutoff WHERE position > $1 AND (expires_at IS NULL OR expires_at > $2)";
    on_db!(db, pool => sqlx::query_scalar(sql).bind(position).bind(now.unix()).fetch_all(pool).await)
}

#[cfg(test)]
mod tests {
    use domain::{
        Event, Timestamp,
        client::ClientEvent,
        consent::ConsentEvent,
        grant::{GrantEvent, RevocationReason},
        key_set::KeySetEvent,
        session::{SessionEnd, SessionEvent},
        user::UserEvent,
    };
    use serde_json::{Value, json};

    use super::{ISSUER, TABLE};
    use crate::testing::{approved, id, project, project_grant, puts, stream};

    const AT: Timestamp = Timestamp::from_unix(10);

    fn cut(aggregate_type: &'static str, event: impl Into<Event>) -> Vec<Value> {
        puts(&project(&stream(aggregate_type, 1), &[event.into()]), &TABLE)
    }

    #[test]
    fn whatever_ends_access_for_all_is_one_row() {
        let by_id = [json!({"subject": id(1), "expires_at": null, "position": 1})];
        assert_eq!(cut("client", ClientEvent::Disabled { by: None, at: AT }), by_id);
        assert_eq!(cut("user", UserEvent::Locked { at: AT }), by_id);
        assert_eq!(cut("user", UserEvent::PasswordSet { by_themselves: false, proof: None, at: AT }), by_id);
        assert_eq!(cut("user", UserEvent::Erased { at: AT }), by_id);
        assert_eq!(cut("session", SessionEvent::Ended { reason: SessionEnd::SignedOut, at: AT }), by_id);
        assert_eq!(cut("consent", ConsentEvent::Withdrawn { by: None, at: AT }), by_id);
    }

    #[test]
    fn a_revoked_grants_cutoff_ends_with_the_family() {
        let ends_at = Timestamp::from_unix(1000);
        let revoked = GrantEvent::Revoked { reason: RevocationReason::RevokedByClient, ends_at, at: AT };
        assert_eq!(cut("grant", revoked), [json!({"subject": id(1), "expires_at": 1000, "position": 1})]);
    }

    #[test]
    fn a_retired_key_and_a_restored_log_cut_off_by_their_own_names() {
        let retired = KeySetEvent::Retired { kid: "key".to_owned(), at: AT };
        assert_eq!(cut("key_set", retired)[0]["subject"], "key");
        let begun = KeySetEvent::EpochBegun { epoch: "2".to_owned(), at: AT };
        assert_eq!(cut("key_set", begun)[0]["subject"], ISSUER);
    }

    #[test]
    fn enabling_unlocking_and_issuing_cut_nothing_off() {
        assert!(cut("client", ClientEvent::Enabled { at: AT }).is_empty());
        assert!(cut("user", UserEvent::Unlocked { at: AT }).is_empty());
        assert!(puts(&project_grant(&[approved()]), &TABLE).is_empty());
    }
}
