//! What changed between two forms of the same thing, member by member. Pure.

use std::collections::HashMap;

use domain::{
    Event,
    catalogue::{CatalogueEvent, IssuerEntry, ResourceEntry},
    client::ClientEvent,
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

/// The metadata of clients and the catalogue, as far as a story has come.
#[derive(Default)]
pub(super) struct SoFar(HashMap<Uuid, Map<String, Value>>);

impl SoFar {
    /// What the event changes of its client's metadata, or of the catalogue.
    pub(super) fn changes(&mut self, told: &Told) -> Vec<Change> {
        let after = match &told.event {
            Event::Client(ClientEvent::Registered { metadata, .. } | ClientEvent::Updated { metadata, .. }) => members(metadata),
            Event::Catalogue(CatalogueEvent::Adopted { scopes, resources, issuers, .. }) => {
                let scopes = scopes.iter().map(|entry| (format!("scope {}", entry.name), entry_without("name", entry)));
                let resource =
                    |entry: &ResourceEntry| (format!("resource {}", entry.identifier), entry_without("identifier", entry));
                let issuer = |entry: &IssuerEntry| (format!("issuer {}", entry.identifier), entry_without("identifier", entry));
                scopes.chain(resources.iter().map(resource)).chain(issuers.iter().map(issuer)).collect()
            }
            Event::Client(_)
            | Event::User(_)
            | Event::Session(_)
            | Event::Consent(_)
            | Event::Grant(_)
            | Event::KeySet(_)
            | Event::Audit(_)
            | Event::Invitation(_)
            | Event::DeviceAuthorization(_) => return Vec::new(),
        };
        let before = self.0.insert(told.stream.aggregate_id, after.clone()).unwrap_or_default();
        between(&before, &after)
    }
}

/// All that an entry says but what it is called.
fn entry_without(name: &str, entry: &impl Serialize) -> Value {
    let mut members = members(entry);
    members.remove(name);
    Value::Object(members)
}

fn members(of: &impl Serialize) -> Map<String, Value> {
    match json!(of) {
        Value::Object(members) => members,
        other => unreachable!("metadata and entries are objects: {other}"),
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
