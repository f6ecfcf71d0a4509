//! Who can do something: the grants of a replay, put together by user and client.

use std::collections::{BTreeMap, HashMap};

use domain::{ClientId, Timestamp, UserId};
use serde::Serialize;

use crate::clock;

use super::GrantRecord;

/// What a client can do in a user's name, or in its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// `None` where the client acts for itself.
    pub user_id: Option<UserId>,
    /// If it can be opened.
    pub username: Option<String>,
    /// As it stands on the wire.
    pub client_id: String,
    pub client_name: Option<String>,
    /// By so many grants.
    pub grants: u64,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub since: Timestamp,
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub until: Timestamp,
}

/// Puts grants together. Its memory grows with the answer.
#[derive(Debug, Default)]
pub struct Accesses(BTreeMap<(Option<UserId>, Option<ClientId>), Access>);

impl Accesses {
    /// Takes a grant that is asked for.
    pub fn take(&mut self, record: GrantRecord) {
        let GrantRecord { user_id, client, begun, ends_at, .. } = record;
        let access = self.0.entry((user_id, client.id)).or_insert_with(|| Access {
            user_id,
            username: None,
            client_id: client.client_id,
            client_name: client.name,
            grants: 0,
            since: begun.at,
            until: ends_at,
        });
        access.grants += 1;
        access.since = access.since.min(begun.at);
        access.until = access.until.max(ends_at);
    }

    /// The users among them.
    #[must_use]
    pub fn users(&self) -> Vec<UserId> {
        self.0.keys().filter_map(|(user, _)| *user).collect()
    }

    /// All of them, with the names that could be opened.
    pub fn named(self, names: &HashMap<UserId, String>) -> impl Iterator<Item = Access> {
        self.0.into_values().map(|access| Access { username: access.user_id.and_then(|id| names.get(&id)).cloned(), ..access })
    }
}
