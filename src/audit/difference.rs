//! What changed between two forms of the same thing, member by member. Pure.

use std::collections::HashMap;

use domain::{
    Event,
    client::{ClientEvent, ClientMetadata},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Told;

/// A member that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub member: String,
    /// Null where it was not there.
    pub before: Value,
    /// Null where it is not there any more.
    pub after: Value,
}

/// The members in which two objects differ, in the order of their names.
#[must_use]
pub fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let mut members: Vec<&String> = before.keys().chain(after.keys()).collect();
    members.sort_unstable();
    members.dedup();
    let value = |of: &Map<String, Value>, member: &str| of.get(member).cloned().unwrap_or_default();
    let changes = members.into_iter().map(|member| Change {
        before: value(before, member),
        after: value(after, member),
        member: member.clone(),
    });
    changes.filter(|change| change.before != change.after).collect()
}

/// The metadata of clients, as far as a story has come.
#[derive(Default)]
pub(super) struct MetadataSoFar(HashMap<Uuid, Map<String, Value>>);

impl MetadataSoFar {
    /// What the event changes of its client's metadata.
    pub(super) fn changes(&mut self, told: &Told) -> Vec<Change> {
        let Event::Client(event) = &told.event else { return Vec::new() };
        let after = match event {
            ClientEvent::Registered { metadata, .. } | ClientEvent::Updated { metadata, .. } => members(metadata),
            ClientEvent::SecretAdded { .. }
            | ClientEvent::SecretExpirySet { .. }
            | ClientEvent::Disabled { .. }
            | ClientEvent::Enabled { .. }
            | ClientEvent::RegistrationTokenSet { .. }
            | ClientEvent::Deregistered { .. } => return Vec::new(),
        };
        let before = self.0.insert(told.stream.aggregate_id, after.clone()).unwrap_or_default();
        between(&before, &after)
    }
}

fn members(metadata: &ClientMetadata) -> Map<String, Value> {
    match json!(metadata) {
        Value::Object(members) => members,
        other => unreachable!("metadata is an object: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_what_went_and_what_changed_is_told_and_nothing_else() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let before = object(json!({"a": 1, "b": [1], "c": "x"}));
        let after = object(json!({"a": 1, "b": [1, 2], "d": true}));
        let change = |member: &str, before, after| Change { member: member.to_owned(), before, after };
        let expected =
            [change("b", json!([1]), json!([1, 2])), change("c", json!("x"), Value::Null), change("d", Value::Null, json!(true))];
        assert_eq!(between(&before, &after), expected);
        assert_eq!(between(&before, &before), []);
    }
}
