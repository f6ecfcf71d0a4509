//! A grant at a moment, with the names that could be opened: what people and programs are told of it.

use std::collections::HashMap;

use domain::{Timestamp, UserId};
use serde::Serialize;

use super::{GrantRecord, GrantState};

/// A grant as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct GrantAt<'a> {
    #[serde(flatten)]
    pub record: &'a GrantRecord,
    /// At the moment that was asked for.
    pub state: GrantState,
    /// Of the user, if it can be opened.
    pub username: Option<&'a str>,
}

impl<'a> GrantAt<'a> {
    /// A grant at a moment.
    #[must_use]
    pub fn new(record: &'a GrantRecord, moment: Timestamp, names: &'a HashMap<UserId, String>) -> Self {
        let username = record.user_id.and_then(|user| names.get(&user)).map(String::as_str);
        Self { record, state: record.state(moment), username }
    }

    /// What the client was called.
    #[must_use]
    pub fn client(&self) -> &'a str {
        self.record.client.name.as_deref().unwrap_or(&self.record.client.client_id)
    }

    /// What the user is called, else their id; a hyphen where there is none.
    #[must_use]
    pub fn user(&self) -> String {
        match (self.username, self.record.user_id) {
            (Some(name), _) => name.to_owned(),
            (None, Some(id)) => id.to_string(),
            (None, None) => "-".to_owned(),
        }
    }
}
