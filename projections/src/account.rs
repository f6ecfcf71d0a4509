//! Live: which users are there, by id, by sign-in name? The table is `account`, because `user` is a word of SQL's own.

use domain::{Event, user::UserEvent};

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    on_db,
    query::{self, Page},
    table::{boolean, integer, position, text},
};

/// One row a user.
pub static TABLE: Table = Table {
    name: "account",
    form: 1,
    question: "which users are there?",
    key: &["id"],
    columns: &[
        text("id"),
        text("sign_in_name"),
        text("profile"),
        text("state"),
        boolean("administrator"),
        integer("created_at"),
        position(),
    ],
    indexes: &[&["sign_in_name"]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::User(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        UserEvent::Created { sign_in_name, profile, administrator, at, .. } => changes.put(
            &TABLE,
            row! {
                id: id, sign_in_name: sign_in_name, profile: profile, state: "active", administrator: administrator, created_at: at,
                position: position,
            },
        ),
        UserEvent::ProfileUpdated { sign_in_name, profile, .. } => {
            changes.set(&TABLE, row! { id: id, sign_in_name: sign_in_name, profile: profile, position: position });
        }
        UserEvent::Locked { .. } => changes.set(&TABLE, row! { id: id, state: "locked", position: position }),
        UserEvent::Unlocked { .. } => changes.set(&TABLE, row! { id: id, state: "active", position: position }),
        UserEvent::AdministratorSet { administrator, .. } => {
            changes.set(&TABLE, row! { id: id, administrator: administrator, position: position });
        }
        // The name is free again, and what was sealed is gone.
        UserEvent::Erased { .. } => changes.set(
            &TABLE,
            row! { id: id, sign_in_name: id, profile: "", state: "erased", administrator: false, position: position },
        ),
        UserEvent::PasswordSet { .. }
        | UserEvent::SignInsBlocked { .. }
        | UserEvent::AuthenticatorEnrolled { .. }
        | UserEvent::AuthenticatorRemoved { .. }
        | UserEvent::PasskeyEnrolled { .. }
        | UserEvent::PasskeyRenamed { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::PasskeyCounterWentBack { .. }
        | UserEvent::PasskeyRemoved { .. }
        | UserEvent::RecoveryCodesMade { .. }
        | UserEvent::RecoveryCodeUsed { .. } => {}
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AccountRow {
    /// The `sub` of their tokens.
    pub id: String,
    /// The blind index of the name they sign in with; their id once they are erased.
    pub sign_in_name: String,
    /// Their OpenID claims, sealed under their own key; empty once they are erased.
    pub profile: String,
    /// `active`, `locked` or `erased`.
    pub state: String,
    pub administrator: bool,
    /// In seconds since the Unix epoch.
    pub created_at: i64,
    pub position: i64,
}

/// The users with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<AccountRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE id IN {}", db.keys(1)), ids).await
}

/// The users with these sign-in names (their blind indexes).
///
/// # Errors
/// What the store says.
pub async fn by_sign_in_name(db: &Db, names: &[String]) -> Result<Vec<AccountRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE state <> 'erased' AND sign_in_name IN {}", db.keys(1)), names).await
}

/// Whether anybody administers the issuer.
///
/// # Errors
/// Where the store does not answer.
pub async fn any_administrator(db: &Db) -> Result<bool, sqlx::Error> {
    let sql = "SELECT count(*) FROM account WHERE administrator AND state <> 'erased'";
    let count: i64 = on_db!(db, pool => sqlx::query_scalar(sql).fetch_one(pool).await)?;
    Ok(count > 0)
}

/// All users, the erased ones too.
///
/// # Errors
/// What the store says.
pub async fn list(db: &Db, page: Page<'_>) -> Result<Vec<AccountRow>, sqlx::Error> {
    query::page(db, &format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"), page).await
}

const SELECT: &str = "SELECT id, sign_in_name, profile, state, administrator, created_at, position FROM account";

#[cfg(test)]
mod tests {
    use domain::{Sealed, Timestamp, sealed::BlindIndex, user::UserEvent};
    use serde_json::json;

    use super::TABLE;
    use crate::testing::{id, project, puts, sets, stream};

    const AT: Timestamp = Timestamp::from_unix(10);

    fn created() -> UserEvent {
        UserEvent::Created {
            sign_in_name: BlindIndex::new("mac".to_owned()),
            profile: Sealed::new("sealed".to_owned()),
            administrator: true,
            has_password: true,
            at: AT,
        }
    }

    #[test]
    fn a_new_user_is_active() {
        let changes = project(&stream("user", 1), &[created()]);
        let row = json!({
            "id": id(1), "sign_in_name": "mac", "profile": "sealed", "state": "active", "administrator": true, "created_at": 10,
            "position": 1,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn an_erased_user_frees_the_name_and_keeps_nothing_personal() {
        let changes = project(&stream("user", 1), &[created(), UserEvent::Erased { at: AT }]);
        let row = json!({
            "id": id(1), "sign_in_name": id(1), "profile": "", "state": "erased", "administrator": false, "created_at": 10,
            "position": 2,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn locking_unlocking_and_the_administrators_right_are_set_alone() {
        let events = [UserEvent::Locked { at: AT }, UserEvent::AdministratorSet { administrator: false, at: AT }];
        let changes = project(&stream("user", 1), &events);
        assert_eq!(sets(&changes, &TABLE), [json!({"id": id(1), "state": "locked", "administrator": false, "position": 2})]);
        let changes = project(&stream("user", 1), &[UserEvent::Unlocked { at: AT }]);
        assert_eq!(sets(&changes, &TABLE), [json!({"id": id(1), "state": "active", "position": 1})]);
    }

    #[test]
    fn a_new_password_changes_no_row_of_the_users() {
        assert!(sets(&project(&stream("user", 1), &[UserEvent::PasswordSet { by_themselves: true, at: AT }]), &TABLE).is_empty());
    }
}
