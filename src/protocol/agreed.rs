//! What is different now from what somebody agreed to: how the application shows itself, where they would be sent, and what it asks for. Pure. What
//! people do not go by (lifetimes, algorithms, keys) is no difference.

use domain::{claim::is_opened_by, client::ClientMetadata, consent::ConsentTerms};
use serde_json::{Map, Value, json};

use crate::audit::{Change, between};

use super::landing::place;

/// An application as somebody was shown it, and what it asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub metadata: &'a ClientMetadata,
    pub terms: &'a ConsentTerms,
}

/// The member of a [`Change`] that says where people would be sent.
pub const REDIRECT: &str = "redirect_uri";
/// Those that say what is asked for beyond what was agreed to.
pub const SCOPE: &str = "scope";
pub const CLAIMS: &str = "claims";
pub const RESOURCES: &str = "resources";
/// The one that says that what the scopes mean was put in other words.
pub const WORDS: &str = "catalogue_version";

/// What differs, member by member: names and hosts from what to what; of scopes, claims and resources those that are asked for beside the ones agreed to.
#[must_use]
pub fn differences(agreed: Shown<'_>, asked: Shown<'_>, redirect_uri: Option<&str>) -> Vec<Change> {
    let mut changes = between(&face(agreed.metadata), &face(asked.metadata));
    changes.extend(redirect_uri.and_then(|uri| elsewhere(agreed.metadata, uri)));
    let (before, now) = (agreed.terms, asked.terms);
    let known: Vec<String> = before.scope.names().map(str::to_owned).collect();
    let scopes: Vec<String> =
        now.scope.names().filter(|scope| !known.iter().any(|known| known == scope)).map(str::to_owned).collect();
    changes.extend(further(SCOPE, &known, &scopes));
    let is_known = |claim: &&String| before.claims.contains(*claim) || is_opened_by(&before.scope, claim);
    let claims: Vec<String> = now.claims.iter().filter(|claim| !is_known(claim)).cloned().collect();
    changes.extend(further(CLAIMS, &before.claims.iter().cloned().collect::<Vec<_>>(), &claims));
    let resources: Vec<String> = now.resources.iter().filter(|resource| !before.resources.contains(resource)).cloned().collect();
    changes.extend(further(RESOURCES, &before.resources, &resources));
    if before.catalogue_version != now.catalogue_version {
        let (before, after) = (before.catalogue_version.into(), now.catalogue_version.into());
        changes.push(Change { member: WORDS.to_owned(), before, after });
    }
    changes
}

/// What people know an application by.
fn face(metadata: &ClientMetadata) -> Map<String, Value> {
    let host = |uri: &Option<String>| uri.as_deref().map(place).map(str::to_owned);
    let face = json!({
        "client_name": metadata.client_name,
        "client_uri": host(&metadata.client_uri),
        "logo_uri": metadata.logo_uri,
        "policy_uri": host(&metadata.policy_uri),
        "tos_uri": host(&metadata.tos_uri),
    });
    match face {
        Value::Object(members) => members,
        other => unreachable!("a face is an object: {other}"),
    }
}

/// That people would be sent where the application could not have them sent then.
fn elsewhere(agreed: &ClientMetadata, redirect_uri: &str) -> Option<Change> {
    let after = host(redirect_uri);
    let mut before: Vec<&str> = agreed.redirect_uris.iter().map(|uri| host(uri)).collect();
    before.sort_unstable();
    before.dedup();
    let change = || Change { member: REDIRECT.to_owned(), before: json!(before), after: after.into() };
    (!before.contains(&after)).then(change)
}

/// Where a URI leads. On this machine any port will do (RFC 8252 section 7.3).
fn host(uri: &str) -> &str {
    let place = place(uri);
    let loopback =
        ["127.0.0.1", "[::1]"].into_iter().find(|host| place.strip_prefix(host).is_some_and(|port| port.starts_with(':')));
    loopback.unwrap_or(place)
}

fn further(member: &str, before: &[String], after: &[String]) -> Option<Change> {
    (!after.is_empty()).then(|| Change { member: member.to_owned(), before: json!(before), after: json!(after) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{ClientId, UserId, consent::GivenBy};
    use uuid::Uuid;

    use super::*;

    fn metadata(changes: &Value) -> ClientMetadata {
        let mut members = json!({
            "client_name": "Photos", "redirect_uris": ["https://photos.example/cb"], "logo_uri": "https://photos.example/logo.png",
            "policy_uri": "https://photos.example/privacy", "tos_uri": "https://photos.example/terms", "scope": "read write",
        });
        members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(members).unwrap()
    }

    fn terms(scope: &str) -> ConsentTerms {
        ConsentTerms {
            user_id: UserId::new(Uuid::from_u128(1)),
            client_id: ClientId::new(Uuid::from_u128(2)),
            scope: scope.parse().unwrap(),
            resources: Vec::new(),
            client_version: 1,
            catalogue_version: 1,
            given_by: GivenBy::User,
            claims: BTreeSet::new(),
        }
    }

    fn changed(changes: &Value, redirect_uri: &str) -> Vec<(String, Value, Value)> {
        let (before, after, terms) = (metadata(&json!({})), metadata(changes), terms("read"));
        let (before, after) = (Shown { metadata: &before, terms: &terms }, Shown { metadata: &after, terms: &terms });
        let told = differences(before, after, Some(redirect_uri)).into_iter();
        told.map(|change| (change.member, change.before, change.after)).collect()
    }

    const HERE: &str = "https://photos.example/cb";

    #[test]
    fn a_name_a_logo_and_another_host_are_told_from_what_to_what() {
        let told = |member: &str, before: &str, after: &str| vec![(member.to_owned(), json!(before), json!(after))];
        assert_eq!(changed(&json!({"client_name": "Prints"}), HERE), told("client_name", "Photos", "Prints"));
        let logo = "https://photos.example/new.png";
        assert_eq!(changed(&json!({"logo_uri": logo}), HERE), told("logo_uri", "https://photos.example/logo.png", logo));
        assert_eq!(
            changed(&json!({"policy_uri": "https://x.example/"}), HERE),
            told("policy_uri", "photos.example", "x.example")
        );
        assert_eq!(changed(&json!({"tos_uri": "https://x.example/"}), HERE), told("tos_uri", "photos.example", "x.example"));
        assert_eq!(
            changed(&json!({"client_uri": HERE}), HERE),
            [("client_uri".to_owned(), Value::Null, json!("photos.example"))]
        );
        let sent = changed(&json!({"redirect_uris": ["https://x.example/cb"]}), "https://x.example/cb");
        assert_eq!(sent, [(REDIRECT.to_owned(), json!(["photos.example"]), json!("x.example"))]);
    }

    #[test]
    fn what_people_do_not_go_by_is_no_difference() {
        for same in [
            json!({}),
            json!({"policy_uri": "https://photos.example/other", "tos_uri": "https://photos.example/"}),
            json!({"redirect_uris": ["https://photos.example/other", "https://x.example/cb"]}),
            json!({"access_token_lifetime": 60, "scope": "read", "software_version": "2"}),
        ] {
            assert_eq!(changed(&same, HERE), [], "{same}");
        }
    }

    #[test]
    fn what_is_asked_for_beyond_what_was_agreed_to_is_told_and_nothing_less() {
        let metadata = metadata(&json!({}));
        let told = |before: &ConsentTerms, now: &ConsentTerms| {
            let (before, now) = (Shown { metadata: &metadata, terms: before }, Shown { metadata: &metadata, terms: now });
            let told = differences(before, now, Some(HERE)).into_iter();
            told.map(|change| (change.member, change.before, change.after)).collect::<Vec<_>>()
        };
        let agreed = ConsentTerms {
            resources: vec!["urn:a".to_owned()],
            claims: BTreeSet::from(["email".to_owned()]),
            ..terms("openid read")
        };
        assert_eq!(told(&agreed, &terms("read")), []);
        let asked = ConsentTerms {
            resources: vec!["urn:a".to_owned(), "urn:b".to_owned()],
            claims: BTreeSet::from(["email".to_owned(), "phone_number".to_owned()]),
            catalogue_version: 2,
            ..terms("read write")
        };
        let expected = [
            (SCOPE.to_owned(), json!(["openid", "read"]), json!(["write"])),
            (CLAIMS.to_owned(), json!(["email"]), json!(["phone_number"])),
            (RESOURCES.to_owned(), json!(["urn:a"]), json!(["urn:b"])),
            (WORDS.to_owned(), json!(1), json!(2)),
        ];
        assert_eq!(told(&agreed, &asked), expected);
    }

    #[test]
    fn on_this_machine_any_port_is_the_same_place() {
        assert_eq!(host("http://127.0.0.1:4711/cb"), host("http://127.0.0.1/cb"));
        assert_eq!(host("http://[::1]:4711/cb"), "[::1]");
        assert_eq!(host("http://127.0.0.1.evil.example:80/"), "127.0.0.1.evil.example:80");
        assert_ne!(host("https://a.example:8443/"), host("https://a.example/"));
    }
}
