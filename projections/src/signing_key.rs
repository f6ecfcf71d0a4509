//! Live: which keys does the issuer sign with and publish (RFC 7517)?

use domain::{Event, key_set::KeySetEvent};

use crate::{
    Changes, Db, Recorded, Table,
    changes::row,
    on_db,
    table::{integer, position, text},
};

/// One row a key.
pub static TABLE: Table = Table {
    name: "signing_key",
    form: 1,
    question: "which keys does the issuer sign with and publish?",
    key: &["kid"],
    columns: &[text("kid"), text("alg"), text("jwk"), text("state"), integer("added_at"), position()],
    indexes: &[],
};

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) {
    let Event::KeySet(event) = recorded.event else { return };
    let position = recorded.position;
    match event {
        KeySetEvent::Added { key, at } => changes.put(
            &TABLE,
            row! { kid: key.kid, alg: key.alg, jwk: key.jwk.to_string(), state: "added", added_at: at, position: position },
        ),
        KeySetEvent::Activated { kid, .. } => changes.set(&TABLE, row! { kid: kid, state: "active", position: position }),
        KeySetEvent::Retired { kid, .. } => changes.set(&TABLE, row! { kid: kid, state: "retired", position: position }),
        KeySetEvent::EpochBegun { .. } => {}
    }
}

/// A signing key's public half.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SigningKeyRow {
    pub kid: String,
    /// As in JOSE headers.
    pub alg: String,
    /// The public JWK without kid, alg and use.
    pub jwk: String,
    /// `added`, `active` (the one that signs for its algorithm), `superseded` or `retired`.
    pub state: String,
    /// In seconds since the Unix epoch.
    pub added_at: i64,
    pub position: i64,
}

/// All keys, in the order they were added.
///
/// # Errors
/// What the store says.
pub async fn all(db: &Db) -> Result<Vec<SigningKeyRow>, sqlx::Error> {
    on_db!(db, pool => sqlx::query_as(ALL).fetch_all(pool).await)
}

/// Of the keys that were activated for an algorithm, the last one signs. A row is set by its own key alone, so that this is decided here.
const ALL: &str = "SELECT k.kid, k.alg, k.jwk, k.added_at, k.position,
        CASE WHEN k.state = 'active' AND EXISTS (SELECT 1 FROM signing_key AS later
            WHERE later.alg = k.alg AND later.state = 'active' AND later.position > k.position) THEN 'superseded' ELSE k.state END AS state
     FROM signing_key AS k ORDER BY k.added_at, k.kid";

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        client::SigningAlgorithm,
        key_set::{KeySetEvent, PublicKey},
    };
    use serde_json::json;

    use super::TABLE;
    use crate::testing::{project, puts, sets, stream};

    const AT: Timestamp = Timestamp::from_unix(10);

    #[test]
    fn a_key_is_added_activated_and_retired_in_its_own_row() {
        let key = PublicKey { kid: "key".to_owned(), alg: SigningAlgorithm::ES256, jwk: json!({"kty": "EC"}) };
        let events = [KeySetEvent::Added { key, at: AT }, KeySetEvent::Activated { kid: "key".to_owned(), at: AT }];
        let changes = project(&stream("key_set", 1), &events);
        let row =
            json!({"kid": "key", "alg": "ES256", "jwk": "{\"kty\":\"EC\"}", "state": "active", "added_at": 10, "position": 2});
        assert_eq!(puts(&changes, &TABLE), [row]);
        let changes = project(&stream("key_set", 1), &[KeySetEvent::Retired { kid: "key".to_owned(), at: AT }]);
        assert_eq!(sets(&changes, &TABLE), [json!({"kid": "key", "state": "retired", "position": 1})]);
    }
}
