//! Live: which clients are there, by id, by `client_id`, by owner?

use domain::{
    Event, Timestamp,
    client::{ByItself, ClientEvent},
};
use serde_json::{Value, json};

use crate::{
    Changes, Db, Dialect, Recorded, Table,
    changes::row,
    on_db,
    query::{self, Page},
    table::{integer, nullable_text, position, text},
};

/// One row a registered client.
pub static TABLE: Table = Table {
    name: "client",
    form: 2,
    question: "which clients are there?",
    key: &["id"],
    columns: &[
        text("id"),
        text("client_id"),
        nullable_text("owner"),
        text("name"),
        text("state"),
        text("metadata"),
        integer("metadata_version"),
        integer("created_at"),
        nullable_text("by_itself"),
        position(),
    ],
    indexes: &[&["client_id"], &["owner", "id"], &["by_itself", "created_at"]],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::Client(event) = recorded.event else { return };
    let (id, position) = (recorded.stream.aggregate_id, recorded.position);
    match event {
        ClientEvent::Registered { identifier, owner, metadata, by_itself, at } => changes.put(
            &TABLE,
            row! {
                id: id, client_id: identifier, owner: owner, name: name(metadata.client_name.as_deref()), state: "enabled",
                metadata: json!(metadata).to_string(), metadata_version: 1, created_at: at,
                by_itself: by_itself.as_ref().map(way), position: position,
            },
        ),
        ClientEvent::Updated { metadata, metadata_version, .. } => changes.set(
            &TABLE,
            row! {
                id: id, name: name(metadata.client_name.as_deref()), metadata: json!(metadata).to_string(),
                metadata_version: metadata_version, position: position,
            },
        ),
        ClientEvent::Disabled { .. } => changes.set(&TABLE, row! { id: id, state: "disabled", position: position }),
        ClientEvent::Enabled { .. } => changes.set(&TABLE, row! { id: id, state: "enabled", position: position }),
        ClientEvent::Deregistered { .. } => changes.set(&TABLE, row! { id: id, state: "deregistered", position: position }),
        ClientEvent::SecretAdded { .. } | ClientEvent::SecretExpirySet { .. } | ClientEvent::RegistrationTokenSet { .. } => {}
    }
}

/// How a client registered itself.
const fn way(by_itself: &ByItself) -> &'static str {
    match by_itself {
        ByItself::Open => OPEN,
        ByItself::Invited { .. } => "invited",
        ByItself::Document => "document",
    }
}

/// The way that the settings let anybody take.
const OPEN: &str = "open";

/// The name it goes by; empty where it has none and is called by its `client_id`.
fn name(client_name: Option<&str>) -> Value {
    client_name.unwrap_or_default().into()
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClientRow {
    pub id: String,
    /// As it stands on the wire.
    pub client_id: String,
    /// The user who registered it.
    pub owner: Option<String>,
    /// Empty where it was given none.
    pub name: String,
    /// `enabled`, `disabled` or, for good, `deregistered`.
    pub state: String,
    /// RFC 7591 metadata in JSON.
    pub metadata: String,
    pub metadata_version: i64,
    /// In seconds since the Unix epoch.
    pub created_at: i64,
    /// How it registered itself, `open` or `invited`.
    pub by_itself: Option<String>,
    pub position: i64,
}

/// The clients with these ids.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, ids: &[String]) -> Result<Vec<ClientRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE id IN {}", db.keys(1)), ids).await
}

/// The clients with these `client_id`s.
///
/// # Errors
/// What the store says.
pub async fn by_identifier(db: &Db, identifiers: &[String]) -> Result<Vec<ClientRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE client_id IN {}", db.keys(1)), identifiers).await
}

/// The clients with these names, of which several may have one. No index helps: for people who look at all clients anyway.
///
/// # Errors
/// What the store says.
pub async fn by_name(db: &Db, names: &[String]) -> Result<Vec<ClientRow>, sqlx::Error> {
    query::by_keys(db, &format!("{SELECT} WHERE name IN {} ORDER BY id", db.keys(1)), names).await
}

/// The clients that a user registered.
///
/// # Errors
/// What the store says.
pub async fn of_owner(db: &Db, user_id: &str, page: Page<'_>) -> Result<Vec<ClientRow>, sqlx::Error> {
    query::page_of(db, &format!("{SELECT} WHERE owner = $3 AND id > $1 ORDER BY id LIMIT $2"), user_id, page).await
}

/// The clients with this `client_id`, or with a name that holds the text in whatever case. No index helps, as with `by_name`.
///
/// # Errors
/// What the store says.
pub async fn search(db: &Db, text: &str, page: Page<'_>) -> Result<Vec<ClientRow>, sqlx::Error> {
    let place = match db.dialect() {
        Dialect::Postgres => "strpos",
        Dialect::Sqlite => "instr",
    };
    let found = format!("(client_id = $3 OR {place}(lower(name), lower($3)) > 0)");
    query::page_of(db, &format!("{SELECT} WHERE {found} AND id > $1 ORDER BY id LIMIT $2"), text, page).await
}

/// All clients.
///
/// # Errors
/// What the store says.
pub async fn list(db: &Db, page: Page<'_>) -> Result<Vec<ClientRow>, sqlx::Error> {
    query::page(db, &format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"), page).await
}

/// The ids of clients that anybody could register, that were so before a moment, and that nobody lets do anything: so many at most.
///
/// # Errors
/// What the store says.
pub async fn unused(db: &Db, before: Timestamp, limit: u32) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT id FROM client WHERE by_itself = $1 AND created_at < $2 AND state <> 'deregistered' AND NOT EXISTS \
         (SELECT 1 FROM consent WHERE consent.client_id = client.id AND consent.state = 'given') ORDER BY created_at LIMIT $3";
    on_db!(db, pool => sqlx::query_scalar(sql).bind(OPEN).bind(before.unix()).bind(i64::from(limit)).fetch_all(pool).await)
}

/// The longest that a client's metadata lets its access tokens live, in seconds; `None` where none says.
///
/// # Errors
/// What the store says.
pub async fn longest_life(db: &Db) -> Result<Option<i64>, sqlx::Error> {
    let metadata = match db.dialect() {
        Dialect::Postgres => "metadata::json",
        Dialect::Sqlite => "metadata",
    };
    let sql = format!("SELECT MAX(CAST({metadata} ->> 'access_token_lifetime' AS BIGINT)) FROM client");
    on_db!(db, pool => sqlx::query_scalar(&sql).fetch_one(pool).await)
}

const SELECT: &str =
    "SELECT id, client_id, owner, name, state, metadata, metadata_version, created_at, by_itself, position FROM client";

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        client::{ByItself, ClientEvent, ClientMetadata, DeregistrationReason},
    };
    use serde_json::json;

    use super::TABLE;
    use crate::testing::{id, project, puts, sets, stream};

    fn named(name: &str) -> Box<ClientMetadata> {
        Box::new(ClientMetadata { client_name: Some(name.to_owned()), ..ClientMetadata::default() })
    }

    fn registered() -> ClientEvent {
        ClientEvent::Registered {
            identifier: "app".to_owned(),
            owner: None,
            metadata: named("App"),
            by_itself: None,
            at: Timestamp::from_unix(10),
        }
    }

    #[test]
    fn a_registration_makes_an_enabled_client_of_version_1() {
        let changes = project(&stream("client", 1), &[registered()]);
        let row = &puts(&changes, &TABLE)[0];
        assert_eq!(row["id"], id(1));
        assert_eq!((&row["client_id"], &row["name"], &row["state"]), (&json!("app"), &json!("App"), &json!("enabled")));
        assert_eq!((&row["metadata_version"], &row["created_at"], &row["position"]), (&json!(1), &json!(10), &json!(1)));
    }

    #[test]
    fn an_update_brings_the_metadata_its_version_and_also_an_empty_name() {
        let metadata = Box::new(ClientMetadata::default());
        let updated = ClientEvent::Updated { metadata, metadata_version: 2, at: Timestamp::from_unix(11) };
        let changes = project(&stream("client", 1), &[registered(), updated]);
        let row = &puts(&changes, &TABLE)[0];
        assert_eq!((&row["name"], &row["metadata_version"], &row["position"]), (&json!(""), &json!(2), &json!(2)));
    }

    #[test]
    fn disabling_and_enabling_set_the_state_alone() {
        let at = Timestamp::from_unix(12);
        let disabled = project(&stream("client", 1), &[ClientEvent::Disabled { by: None, at }]);
        assert_eq!(sets(&disabled, &TABLE), [json!({"id": id(1), "state": "disabled", "position": 1})]);
        let enabled = project(&stream("client", 1), &[ClientEvent::Enabled { at }]);
        assert_eq!(sets(&enabled, &TABLE), [json!({"id": id(1), "state": "enabled", "position": 1})]);
    }

    #[test]
    fn a_registration_that_is_gone_says_so_and_how_it_was_made() {
        let at = Timestamp::from_unix(12);
        let metadata = named("App");
        let by_itself = Some(ByItself::Open);
        let registered = ClientEvent::Registered { identifier: "app".to_owned(), owner: None, metadata, by_itself, at };
        let gone = ClientEvent::Deregistered { reason: DeregistrationReason::Unused, at };
        let row = &puts(&project(&stream("client", 1), &[registered, gone]), &TABLE)[0];
        assert_eq!((&row["by_itself"], &row["state"]), (&json!("open"), &json!("deregistered")));
    }
}
