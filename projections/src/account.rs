//! Live: which users are there, by id, by sign-in name, by mail address? The table is `account`, because `user` is a word of SQL's own.

use domain::{Event, sealed::BlindIndex, user::UserEvent};

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
    form: 2,
    question: "which users are there?",
    key: &["id"],
    columns: &[
        text("id"),
        text("sign_in_name"),
        text("profile"),
        text("verified_email"),
        text("state"),
        boolean("administrator"),
        integer("created_at"),
        position(),
    ],
    indexes: &[&["sign_in_name"], &["verified_email"]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::User(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        UserEvent::Created { sign_in_name, profile, verified_email, administrator, at, .. } => changes.put(
            &TABLE,
            row! {
                id: id, sign_in_name: sign_in_name, profile: profile, verified_email: or_none(verified_email.as_ref()), state: "active",
                administrator: administrator, created_at: at, position: position,
            },
        ),
        UserEvent::ProfileUpdated { sign_in_name, profile, verified_email, .. } => changes.set(
            &TABLE,
            row! {
                id: id, sign_in_name: sign_in_name, profile: profile, verified_email: or_none(verified_email.as_ref()),
                position: position,
            },
        ),
        UserEvent::EmailVerified { address, profile, .. } => {
            changes.set(&TABLE, row! { id: id, profile: profile, verified_email: address, position: position });
        }
        UserEvent::Locked { .. } => changes.set(&TABLE, row! { id: id, state: "locked", position: position }),
        UserEvent::Unlocked { .. } => changes.set(&TABLE, row! { id: id, state: "active", position: position }),
        UserEvent::AdministratorSet { administrator, .. } => {
            changes.set(&TABLE, row! { id: id, administrator: administrator, position: position });
        }
        // The name is free again, and what was sealed is gone.
        UserEvent::Erased { .. } => changes.set(
            &TABLE,
            row! {
                id: id, sign_in_name: id, profile: "", verified_email: or_none(None), state: "erased", administrator: false,
                position: position,
            },
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
        | UserEvent::RecoveryCodeUsed { .. }
        | UserEvent::Mailed { .. } => {}
    }
}

/// As the column keeps it: it cannot be set to nothing.
fn or_none(address: Option<&BlindIndex>) -> &str {
    address.map_or("", BlindIndex::as_str)
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
    /// The blind index of their mail address, where it is known to be theirs; else empty.
    pub verified_email: String,
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

/// The users with this verified mail address (its blind index), so many at most: several may share one.
///
/// # Errors
/// What the store says.
pub async fn by_verified_email(db: &Db, address: &str, limit: u32) -> Result<Vec<AccountRow>, sqlx::Error> {
    let sql = format!("{SELECT} WHERE verified_email = $1 ORDER BY id LIMIT $2");
    on_db!(db, pool => sqlx::query_as(&sql).bind(address).bind(i64::from(limit)).fetch_all(pool).await)
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

const SELECT: &str = "SELECT id, sign_in_name, profile, verified_email, state, administrator, created_at, position FROM account";

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
            verified_email: Some(BlindIndex::new("mail".to_owned())),
            administrator: true,
            has_password: true,
            at: AT,
        }
    }

    #[test]
    fn a_new_user_is_active() {
        let changes = project(&stream("user", 1), &[created()]);
        let row = json!({
            "id": id(1), "sign_in_name": "mac", "profile": "sealed", "verified_email": "mail", "state": "active",
            "administrator": true, "created_at": 10, "position": 1,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn an_erased_user_frees_the_name_and_keeps_nothing_personal() {
        let changes = project(&stream("user", 1), &[created(), UserEvent::Erased { at: AT }]);
        let row = json!({
            "id": id(1), "sign_in_name": id(1), "profile": "", "verified_email": "", "state": "erased",
            "administrator": false, "created_at": 10, "position": 2,
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
    fn an_address_is_verified_and_not_so_when_it_changed() {
        let (profile, address) = (Sealed::new("new".to_owned()), BlindIndex::new("other".to_owned()));
        let verified = UserEvent::EmailVerified { address, profile: profile.clone(), at: AT };
        let changes = project(&stream("user", 1), &[verified]);
        assert_eq!(sets(&changes, &TABLE), [json!({"id": id(1), "profile": "new", "verified_email": "other", "position": 1})]);
        let sign_in_name = BlindIndex::new("mac".to_owned());
        let changed = UserEvent::ProfileUpdated { sign_in_name, profile, verified_email: None, at: AT };
        let changes = project(&stream("user", 1), &[changed]);
        let row = json!({"id": id(1), "sign_in_name": "mac", "profile": "new", "verified_email": "", "position": 1});
        assert_eq!(sets(&changes, &TABLE), [row]);
    }

    #[test]
    fn a_new_password_changes_no_row_of_the_users() {
        assert!(
            sets(&project(&stream("user", 1), &[UserEvent::PasswordSet { by_themselves: true, proof: None, at: AT }]), &TABLE)
                .is_empty()
        );
    }
}
