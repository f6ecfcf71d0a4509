//! What happened, told: the key of a sentence and its details, chosen one by one. Pure. Nothing of it is a secret or the digest of one.

mod device;
mod grant;
mod user;

use domain::{
    ClientId, Event, UserId,
    audit::AuditEvent,
    catalogue::CatalogueEvent,
    client::{ByItself, ClientEvent, DeregistrationReason},
    consent::{ConsentEvent, ConsentTerms, GivenBy},
    invitation::InvitationEvent,
    key_set::KeySetEvent,
    session::{LogoutNotice, NoticeOutcome, SessionEvent, SignIn},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::clock::rfc3339;

use super::{Change, Names, Place, Told, Words, difference};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chapter {
    #[serde(flatten)]
    pub place: Place,
    /// `system`, `operator`, or `user:`, `client:`, `administrator:` and an id.
    pub by: String,
    /// What the actor is called.
    pub by_name: String,
    /// For example `grant-019ab3c0-5f2e-7d10-8c5a-0123456789ab`.
    pub stream: String,
    /// For example `grant.approved`.
    pub r#type: String,
    pub details: Map<String, Value>,
    /// What of its metadata or profile, or of the catalogue, changed with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// All of it in a sentence.
    pub said: String,
}

/// A sentence's key and its details.
pub(super) struct Telling {
    key: &'static str,
    details: Map<String, Value>,
}

fn telling(key: &'static str, details: Value) -> Telling {
    let Value::Object(details) = details else { unreachable!("details are written as an object") };
    Telling { key, details }
}

/// Tells events, in their order.
#[must_use]
pub fn tell<'a>(events: impl IntoIterator<Item = &'a Told>, names: &Names, words: &Words) -> Vec<Chapter> {
    let mut so_far = difference::SoFar::default();
    let chapter = |told: &Told| {
        let Telling { key, details } = telling_of(told, names);
        Chapter {
            place: told.place,
            by: told.by.clone(),
            by_name: names.actor(&told.by),
            stream: told.stream.to_string(),
            r#type: told.event.event_type(),
            said: words.say(key, &details),
            details,
            changes: so_far.changes(told),
        }
    };
    events.into_iter().map(chapter).collect()
}

fn telling_of(told: &Told, names: &Names) -> Telling {
    let id = told.stream.aggregate_id;
    match &told.event {
        Event::Client(event) => client(ClientId::new(id), event, names),
        Event::User(event) => user::user(UserId::new(id), event, names),
        Event::Session(event) => session(event, names),
        Event::Consent(event) => consent(event, names),
        Event::Grant(event) => grant::grant(event, names),
        Event::KeySet(event) => key_set(event),
        Event::Catalogue(CatalogueEvent::Adopted { version, scopes, resources, issuers, .. }) => {
            let scopes: Vec<_> = scopes.iter().map(|entry| &entry.name).collect();
            let resources: Vec<_> = resources.iter().map(|entry| &entry.identifier).collect();
            let issuers: Vec<_> = issuers.iter().map(|entry| &entry.identifier).collect();
            let details = json!({"catalogue_version": version, "scopes": scopes, "resources": resources, "issuers": issuers});
            telling("catalogue.adopted", details)
        }
        Event::Invitation(event) => invitation(event, names),
        Event::DeviceAuthorization(event) => device::device_authorization(event, names),
        Event::Audit(AuditEvent::Read { read, .. }) => {
            let (client, user) = (read.client_id.map(|id| names.client(id)), read.user_id.map(|id| names.user(id)));
            let mut details = json!({"question": read.question, "grant_id": read.grant_id, "client": client, "user": user});
            details["about"] = json!([read.grant_id.map(|id| id.to_string()), client, user]);
            telling("audit.read", details)
        }
        Event::Audit(AuditEvent::PassedOver { position, reason, .. }) => {
            telling("audit.passed_over", json!({"passed_over": position, "reason": reason}))
        }
    }
}

fn client(id: ClientId, event: &ClientEvent, names: &Names) -> Telling {
    let client = names.client(id);
    match event {
        ClientEvent::Registered { identifier, owner, metadata, by_itself, .. } => {
            let owner_name = owner.map(|owner| names.user(owner));
            let client = metadata.client_name.as_deref().unwrap_or(identifier);
            let mut details = json!({"client": client, "client_id": identifier, "owner": owner, "owner_name": owner_name});
            let key = match by_itself {
                None => "client.registered",
                Some(ByItself::Open) => "client.registered_openly",
                Some(ByItself::Document) => "client.registered_by_document",
                Some(ByItself::Invited { invitation_id }) => {
                    details["invitation_id"] = json!(invitation_id);
                    "client.registered_invited"
                }
            };
            telling(key, details)
        }
        ClientEvent::Updated { metadata_version, .. } => {
            telling("client.updated", json!({"client": client, "metadata_version": metadata_version}))
        }
        ClientEvent::SecretAdded { secret, .. } => telling(
            "client.secret_added",
            json!({"client": client, "secret_id": secret.id, "expires_at": secret.expires_at.map(rfc3339)}),
        ),
        ClientEvent::SecretExpirySet { secret_id, expires_at, .. } => telling(
            "client.secret_expiry_set",
            json!({"client": client, "secret_id": secret_id, "expires_at": rfc3339(*expires_at)}),
        ),
        ClientEvent::Disabled { .. } => telling("client.disabled", json!({"client": client})),
        ClientEvent::Enabled { .. } => telling("client.enabled", json!({"client": client})),
        ClientEvent::RegistrationTokenSet { .. } => telling("client.registration_token_set", json!({"client": client})),
        ClientEvent::Deregistered { reason, .. } => {
            let key = match reason {
                DeregistrationReason::ByItself => "client.deregistered",
                DeregistrationReason::Unused => "client.deregistered_unused",
            };
            telling(key, json!({"client": client, "reason": reason}))
        }
    }
}

fn invitation(event: &InvitationEvent, names: &Names) -> Telling {
    match event {
        InvitationEvent::Made { uses, expires_at, .. } => {
            telling("invitation.made", json!({"uses": uses, "expires_at": rfc3339(*expires_at)}))
        }
        InvitationEvent::Used { client_id, uses_left, .. } => {
            telling("invitation.used", json!({"client": names.client(*client_id), "uses_left": uses_left}))
        }
        InvitationEvent::Withdrawn { .. } => telling("invitation.withdrawn", json!({})),
    }
}

fn session(event: &SessionEvent, names: &Names) -> Telling {
    let signed_in = |sign_in: &SignIn| {
        let (user, expires_at) = (names.user(sign_in.user_id), rfc3339(sign_in.expires_at));
        json!({"user_id": sign_in.user_id, "user": user, "amr": sign_in.amr, "acr": sign_in.acr, "expires_at": expires_at})
    };
    match event {
        SessionEvent::Started { sign_in, .. } => telling("session.started", signed_in(sign_in)),
        SessionEvent::Reauthenticated { sign_in, .. } => telling("session.reauthenticated", signed_in(sign_in)),
        SessionEvent::Ended { reason, .. } => telling("session.ended", json!({"reason": reason})),
        SessionEvent::ClientNotified { notice, .. } => client_notified(notice, names),
    }
}

fn client_notified(notice: &LogoutNotice, names: &Names) -> Telling {
    let LogoutNotice { client_id, outcome, tries, status } = notice;
    let key = match outcome {
        NoticeOutcome::Acknowledged => "session.client_notified",
        NoticeOutcome::GivenUp => "session.client_not_notified",
    };
    telling(key, json!({"client": names.client(*client_id), "outcome": outcome, "tries": tries, "status": status}))
}

fn consent(event: &ConsentEvent, names: &Names) -> Telling {
    match event {
        ConsentEvent::Given { terms, .. } => {
            let ConsentTerms { user_id, client_id, scope, resources, client_version, catalogue_version, given_by, claims } =
                terms;
            let key = match given_by {
                GivenBy::User => "consent.given",
                GivenBy::FirstParty => "consent.given_first_party",
            };
            telling(
                key,
                json!({
                    "user_id": user_id, "user": names.user(*user_id), "client": names.client(*client_id), "scope": scope,
                    "resources": resources, "claims": claims, "metadata_version": client_version, "catalogue_version": catalogue_version,
                }),
            )
        }
        ConsentEvent::Withdrawn { .. } => telling("consent.withdrawn", json!({})),
    }
}

fn key_set(event: &KeySetEvent) -> Telling {
    match event {
        KeySetEvent::Added { key, .. } => telling("key_set.key_added", json!({"kid": key.kid, "alg": key.alg})),
        KeySetEvent::Activated { kid, .. } => telling("key_set.key_activated", json!({"kid": kid})),
        KeySetEvent::Retired { kid, .. } => telling("key_set.key_retired", json!({"kid": kid})),
        KeySetEvent::EpochBegun { epoch, .. } => telling("key_set.epoch_begun", json!({"epoch": epoch})),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use domain::{StreamId, upcast};
    use uuid::Uuid;

    use super::*;

    /// Every stored form of every event.
    fn all() -> Vec<Told> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/tests/stored_events");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let told = files.map(|path| {
            let (event_type, form) = path.file_stem().unwrap().to_str().unwrap().rsplit_once(".v").unwrap();
            let version = form.split('.').next().unwrap();
            let (aggregate_type, _) = event_type.split_once('.').unwrap();
            let event = upcast::decode(aggregate_type, event_type, version, &fs::read_to_string(&path).unwrap()).unwrap();
            let stream = StreamId { aggregate_type: event.aggregate_type(), aggregate_id: Uuid::from_u128(7) };
            Told { place: Place::default(), stream, event, by: "operator".to_owned() }
        });
        told.collect()
    }

    #[test]
    fn every_stored_form_of_every_event_is_told_in_every_language_from_its_own_details() {
        for tag in ["en", "ja"] {
            let events = all();
            for chapter in tell(&events, &Names::default(), Words::of(tag)) {
                let key_is_missing = chapter.said.starts_with(&format!("{}.", chapter.r#type.split('.').next().unwrap()));
                assert!(!key_is_missing, "{tag}: no words for {}", chapter.said);
                assert!(!chapter.said.contains("  ") && !chapter.said.contains("()"), "{tag}: {}", chapter.said);
            }
        }
    }
}
