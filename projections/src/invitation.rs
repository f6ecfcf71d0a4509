//! Live: which invitations to register clients are there?

use domain::{Event, invitation::InvitationEvent};

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    query::{self, Page},
    table::{integer, position, text},
};

/// One row an invitation.
pub static TABLE: Table = Table {
    name: "invitation",
    form: 1,
    question: "which invitations to register clients are there?",
    key: &["id"],
    columns: &[text("id"), text("state"), integer("uses_left"), integer("valid_until"), integer("created_at"), position()],
    indexes: &[],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::Invitation(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        InvitationEvent::Made { uses, expires_at, at, digest: _ } => changes.put(
            &TABLE,
            row! { id: id, state: "open", uses_left: uses, valid_until: expires_at, created_at: at, position: position },
        ),
        InvitationEvent::Used { uses_left, .. } => {
            let state = if *uses_left == 0 { "used_up" } else { "open" };
            changes.set(&TABLE, row! { id: id, state: state, uses_left: uses_left, position: position });
        }
        InvitationEvent::Withdrawn { .. } => changes.set(&TABLE, row! { id: id, state: "withdrawn", position: position }),
    }
}

/// An invitation to register clients.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InvitationRow {
    pub id: String,
    /// `open`, `used_up` or `withdrawn`. An open one may have expired.
    pub state: String,
    pub uses_left: i64,
    /// In seconds since the Unix epoch.
    pub valid_until: i64,
    pub created_at: i64,
    pub position: i64,
}

/// The invitations with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<InvitationRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE id IN {}", db.keys(1)), ids).await
}

/// All invitations.
///
/// # Errors
/// What the store says.
pub async fn list(db: &Db, page: Page<'_>) -> Result<Vec<InvitationRow>, sqlx::Error> {
    query::page(db, &format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"), page).await
}

const SELECT: &str = "SELECT id, state, uses_left, valid_until, created_at, position FROM invitation";

#[cfg(test)]
mod tests {
    use domain::{Digest, Timestamp, invitation::InvitationEvent};
    use serde_json::json;

    use super::TABLE;
    use crate::testing::{id, project, puts, stream};

    const AT: Timestamp = Timestamp::from_unix(10);

    fn used(uses_left: u32) -> InvitationEvent {
        InvitationEvent::Used { client_id: id(2).parse().unwrap(), uses_left, at: AT }
    }

    fn after(events: &[InvitationEvent]) -> (serde_json::Value, serde_json::Value) {
        let made = InvitationEvent::Made { digest: Digest::of(b"x"), uses: 2, expires_at: Timestamp::from_unix(20), at: AT };
        let changes = project(&stream("invitation", 1), &[&[made], events].concat());
        let row = &puts(&changes, &TABLE)[0];
        (row["state"].clone(), row["uses_left"].clone())
    }

    #[test]
    fn an_invitation_counts_down_until_it_is_used_up() {
        assert_eq!(after(&[]), (json!("open"), json!(2)));
        assert_eq!(after(&[used(1)]), (json!("open"), json!(1)));
        assert_eq!(after(&[used(1), used(0)]), (json!("used_up"), json!(0)));
    }

    #[test]
    fn a_withdrawn_one_says_so() {
        assert_eq!(after(&[used(1), InvitationEvent::Withdrawn { at: AT }]), (json!("withdrawn"), json!(1)));
    }
}
