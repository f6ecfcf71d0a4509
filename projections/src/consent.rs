//! Live: what does a user let a client do?

use domain::{Event, consent::ConsentEvent};
use serde_json::json;

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    on_db,
    query::{self, Page},
    table::{first_integer, integer, position, text},
};

/// One row a user and client.
pub static TABLE: Table = Table {
    name: "consent",
    form: 2,
    question: "what does a user let a client do?",
    key: &["id"],
    columns: &[
        text("id"),
        text("user_id"),
        text("client_id"),
        text("scope"),
        text("resources"),
        text("claims"),
        integer("client_version"),
        integer("catalogue_version"),
        text("given_by"),
        first_integer("given_at"),
        integer("updated_at"),
        text("state"),
        position(),
    ],
    indexes: &[&["user_id", "client_id"], &["client_id"]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::Consent(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        ConsentEvent::Given { terms, at } => changes.put(
            &TABLE,
            row! {
                id: id, user_id: terms.user_id, client_id: terms.client_id, scope: terms.scope,
                resources: json!(terms.resources).to_string(), claims: json!(terms.claims).to_string(), client_version: terms.client_version,
                catalogue_version: terms.catalogue_version, given_by: terms.given_by, given_at: at, updated_at: at, state: "given",
                position: position,
            },
        ),
        ConsentEvent::Withdrawn { at, .. } => {
            changes.set(&TABLE, row! { id: id, state: "withdrawn", updated_at: at, position: position });
        }
    }
}

/// What a user lets a client do.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ConsentRow {
    pub id: String,
    pub user_id: String,
    pub client_id: String,
    /// Names separated by spaces.
    pub scope: String,
    /// A JSON array of URIs (RFC 8707).
    pub resources: String,
    /// A JSON array of the names of claims that it may know beside those of its scopes.
    pub claims: String,
    /// The client's metadata version that was shown.
    pub client_version: i64,
    /// The catalogue version whose words were shown.
    pub catalogue_version: i64,
    /// `user`, or `first_party`.
    pub given_by: String,
    /// When it was first given, in seconds since the Unix epoch.
    pub given_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// `given` or `withdrawn`.
    pub state: String,
    pub position: i64,
    /// The client's `client_id` on the wire.
    pub client_identifier: Option<String>,
    /// The client's name; empty where it has none.
    pub client_name: Option<String>,
}

/// The consents with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<ConsentRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE c.id IN {}", db.keys(1)), ids).await
}

/// The consent of a user to a client, given or withdrawn.
///
/// # Errors
/// What the store says.
pub async fn of_user_and_client(db: &Db, user_id: &str, client_id: &str) -> Result<Option<ConsentRow>, sqlx::Error> {
    let sql = format!("{SELECT} WHERE c.user_id = $1 AND c.client_id = $2 ORDER BY c.id DESC LIMIT 1");
    on_db!(db, pool => sqlx::query_as(&sql).bind(user_id).bind(client_id).fetch_optional(pool).await)
}

/// The consents that a user has given and not withdrawn.
///
/// # Errors
/// What the store says.
pub async fn of_user(db: &Db, user_id: &str, page: Page<'_>) -> Result<Vec<ConsentRow>, sqlx::Error> {
    let sql = format!("{SELECT} WHERE c.user_id = $3 AND c.state = 'given' AND c.id > $1 ORDER BY c.id LIMIT $2");
    query::page_of(db, &sql, user_id, page).await
}

const SELECT: &str =
    "SELECT c.id, c.user_id, c.client_id, c.scope, c.resources, c.claims, c.client_version, c.catalogue_version, c.given_by,
        c.given_at, c.updated_at, c.state, c.position, client.client_id AS client_identifier, client.name AS client_name
     FROM consent AS c LEFT JOIN client ON client.id = c.client_id";

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        consent::{ConsentEvent, ConsentTerms, GivenBy},
    };
    use serde_json::json;

    use super::TABLE;
    use crate::testing::{id, project, puts, sets, stream};

    fn given(scope: &str, at: i64) -> ConsentEvent {
        let terms = ConsentTerms {
            user_id: id(2).parse().unwrap(),
            client_id: id(3).parse().unwrap(),
            scope: scope.parse().unwrap(),
            resources: vec!["https://api.example".to_owned()],
            client_version: 4,
            catalogue_version: 5,
            given_by: GivenBy::FirstParty,
            claims: ["email".to_owned()].into(),
        };
        ConsentEvent::Given { terms, at: Timestamp::from_unix(at) }
    }

    #[test]
    fn a_wider_consent_takes_the_place_of_the_first_and_keeps_when_it_began() {
        let changes = project(&stream("consent", 1), &[given("read", 10), given("read write", 20)]);
        let row = json!({
            "id": id(1), "user_id": id(2), "client_id": id(3), "scope": "read write", "resources": "[\"https://api.example\"]",
            "claims": "[\"email\"]",
            "client_version": 4, "catalogue_version": 5, "given_by": "first_party", "given_at": 10, "updated_at": 20, "state": "given",
            "position": 2,
        });
        assert_eq!(puts(&changes, &TABLE), [row]);
    }

    #[test]
    fn withdrawing_sets_the_state() {
        let changes = project(&stream("consent", 1), &[ConsentEvent::Withdrawn { by: None, at: Timestamp::from_unix(30) }]);
        assert_eq!(sets(&changes, &TABLE), [json!({"id": id(1), "state": "withdrawn", "updated_at": 30, "position": 1})]);
    }
}
