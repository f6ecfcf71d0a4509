//! `grantlog client`.

use serde_json::{Value, json};
use support::{Kind, both_stores};

use crate::place::Place;

both_stores! {
    a_registration_answers_as_rfc_7591_says_and_is_listed,
    a_client_is_found_by_name_or_id_unless_the_name_is_ambiguous,
    a_secret_is_rotated_and_a_client_disabled_and_enabled,
    an_import_takes_every_entry_whole_or_not_at_all,
    an_invitation_is_made_listed_and_withdrawn,
}

const SERVICE: [&str; 8] =
    ["client", "register", "--client-name", "Service", "--grant-types", "client_credentials", "--scope", "read write"];

async fn a_registration_answers_as_rfc_7591_says_and_is_listed(kind: Kind) {
    let place = Place::ready(kind).await;
    let client = place.json(&[
        "client",
        "register",
        "--client-name",
        "Shop",
        "--redirect-uris",
        "https://shop.example/cb,https://shop.example/other",
        "--grant-types",
        "authorization_code,refresh_token",
        "--scope",
        "openid profile",
        "--token-endpoint-auth-method",
        "client_secret_post",
        "--contacts",
        "a@shop.example",
        "--post-logout-redirect-uris",
        "https://shop.example/bye",
        "--default-max-age",
        "60",
        "--access-token-format",
        "opaque",
        "--policy",
        "compatible",
        "--skip-consent",
    ]);
    assert!(client["client_secret"].as_str().unwrap().len() >= 43);
    assert_eq!(client["client_secret_expires_at"], 0);
    assert!(client["client_id_issued_at"].as_i64().unwrap() > 1_700_000_000);
    let metadata = json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb", "https://shop.example/other"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid profile",
        "token_endpoint_auth_method": "client_secret_post",
        "contacts": ["a@shop.example"],
        "post_logout_redirect_uris": ["https://shop.example/bye"],
        "default_max_age": 60,
        "access_token_format": "opaque",
        "policy": "compatible",
        "skip_consent": true,
    });
    for (member, value) in metadata.as_object().unwrap() {
        assert_eq!(&client[member], value, "{member}");
    }
    let listed = place.json(&["client", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["client_id"], &listed[0]["state"]), (&client["client_id"], &json!("enabled")));
    assert!(listed[0].get("client_secret").is_none());
    let table = place.run(&["client", "list"]).succeeded().out;
    assert!(table.contains("Shop") && table.contains(client["client_id"].as_str().unwrap()), "{table}");
}

async fn a_client_is_found_by_name_or_id_unless_the_name_is_ambiguous(kind: Kind) {
    let place = Place::ready(kind).await;
    let first = place.json(&SERVICE);
    let id = first["client_id"].as_str().unwrap();
    assert_eq!(place.json(&["client", "show", "Service"])["client_id"], id);
    assert_eq!(place.json(&["client", "show", id])["client_name"], "Service");
    let chosen = place.json(&[&SERVICE[..], &["--client-id", "chosen"]].concat());
    assert_eq!(chosen["client_id"], "chosen");
    place.run(&["client", "show", "chosen"]).succeeded();
    let refused = place.run(&["client", "disable", "Service"]).failed(3, "2 clients are called `Service`");
    assert!(refused.err.contains(id) && refused.err.contains("chosen"));
    place.run(&["client", "show", "nobody"]).failed(3, "there is no client `nobody`");
    place.run(&[&SERVICE[..], &["--client-id", "chosen"]].concat()).failed(3, "the client exists already");
}

async fn a_secret_is_rotated_and_a_client_disabled_and_enabled(kind: Kind) {
    let place = Place::ready(kind).await;
    let first = place.json(&SERVICE);
    let rotated = place.json(&["client", "rotate-secret", "Service", "--overlap", "3600"]);
    assert_eq!(rotated["client_id"], first["client_id"]);
    assert_eq!(rotated["client_id_issued_at"], first["client_id_issued_at"]);
    assert_ne!(rotated["client_secret"], first["client_secret"]);
    let secrets = place.json(&["client", "show", "Service"])["secrets"].clone();
    assert_eq!(secrets.as_array().unwrap().len(), 2);
    assert!(secrets[0]["expires_at"].is_i64() && secrets[1]["expires_at"].is_null());

    assert_eq!(place.json(&["client", "disable", "Service"])["state"], "disabled");
    assert_eq!(place.json(&["client", "show", "Service"])["state"], "disabled");
    assert_eq!(place.json(&["client", "enable", "Service"])["state"], "enabled");
    assert_eq!(place.json(&["client", "show", "Service"])["state"], "enabled");
}

async fn an_import_takes_every_entry_whole_or_not_at_all(kind: Kind) {
    let place = Place::ready(kind).await;
    let hash = place_digest();
    let entries = json!([
        {"client_id": "plain", "client_secret": "kept as it was", "client_name": "Plain", "redirect_uris": ["https://a.example/cb"]},
        {"client_id": "digest", "client_secret": hash, "grant_types": ["client_credentials"]},
        {"client_id": "plain", "redirect_uris": ["https://b.example/cb"]},
        {"client_id": "old", "grant_types": ["implicit"]},
        {"client_id": "unknown-digest", "client_secret": "$pbkdf2-sha256$i=1$c2FsdA$aGFzaA", "grant_types": ["client_credentials"]},
        {"grant_types": ["client_credentials"], "client_name": "New"},
        "nothing",
    ]);
    let report = place.run_with(&["client", "import", "-", "--json"], &entries.to_string());
    let report = report.failed(5, "4 of 7 clients were refused").out;
    let report: Vec<Value> = serde_json::from_str(&report).unwrap();
    let imported: Vec<_> = report.iter().map(|entry| entry["imported"].as_bool().unwrap()).collect();
    assert_eq!(imported, [true, true, false, false, false, true, false]);
    assert_eq!(report[2]["error"], "an entry before it has the same client_id");
    assert!(report[0].get("client_secret").is_none(), "whoever imports a secret knows it");
    assert!(report[5]["client_secret"].is_string(), "one that was made is told");
    assert_eq!(place.json(&["client", "list"]).as_array().unwrap().len(), 3);
    let log = place.run(&["log", "tail", "--all", "--json"]).succeeded().out;
    assert!(!log.contains("kept as it was") && !log.contains(&hash), "no secret and no slow digest is in the log");
}

/// The argon2id PHC string of some secret.
fn place_digest() -> String {
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Wl7wCw3mYuvGRUEuCyt2i6sBYCbUXVyN2YwB0fjVbZI".to_owned()
}

#[tokio::test]
async fn a_chosen_secret_comes_by_standard_input_and_a_public_client_has_none() {
    let place = Place::ready(Kind::Sqlite).await;
    let chosen = place.run_with(&[&SERVICE[..], &["--client-secret-stdin", "--json"]].concat(), "chosen by me\n").json();
    assert_eq!(chosen["client_secret"], "chosen by me");
    let public = ["client", "register", "--token-endpoint-auth-method", "none", "--redirect-uris", "https://a.example/cb"];
    assert!(place.json(&public).get("client_secret").is_none());
    place.run_with(&[&public[..], &["--client-secret-stdin"]].concat(), "x").failed(2, "such a client has no secret");
}

#[tokio::test]
async fn metadata_that_a_rule_refuses_is_exit_code_3_and_names_the_member() {
    let place = Place::ready(Kind::Sqlite).await;
    let refused = ["client", "register", "--client-name", "App", "--redirect-uris", "http://shop.example/cb"];
    place.run(&refused).failed(3, "redirect_uris, number 1: http is for localhost");
    place.run(&["client", "register", "--client-name", "App"]).failed(3, "redirect_uris: authorization_code needs at least one");
    let odd = ["client", "register", "--grant-types", "client_credentials", "--scope", "raed"];
    place.run(&odd).failed(3, "scope: the catalogue has no raed");
}

#[tokio::test]
async fn an_owner_is_named_by_sign_in_name() {
    let place = Place::ready(Kind::Sqlite).await;
    let owner = place.json(&["user", "create", "--username", "mika"]);
    place.run(&[&SERVICE[..], &["--owner", "mika"]].concat()).succeeded();
    assert_eq!(place.json(&["client", "show", "Service"])["owner"], owner["id"]);
    place.run(&[&SERVICE[..], &["--owner", "nobody"]].concat()).failed(3, "there is no user `nobody`");
}

async fn an_invitation_is_made_listed_and_withdrawn(kind: Kind) {
    let place = Place::ready(kind).await;
    assert!(place.run(&["client", "invitations"]).succeeded().out.contains("There are no invitations"));
    let made = place.json(&["client", "invite", "--uses", "3", "--lifetime", "600"]);
    assert!(made["initial_access_token"].as_str().unwrap().len() >= 43);
    let id = made["id"].as_str().unwrap();
    let listed = place.json(&["client", "invitations"]);
    assert_eq!((&listed[0]["id"], &listed[0]["state"], &listed[0]["uses_left"]), (&json!(id), &json!("open"), &json!(3)));
    assert!(!listed.to_string().contains(made["initial_access_token"].as_str().unwrap()));
    place.run(&["client", "withdraw-invitation", id]).succeeded();
    assert_eq!(place.json(&["client", "invitations"])[0]["state"], "withdrawn");
    place.run(&["client", "withdraw-invitation", "00000000-0000-7000-8000-000000000001"]).failed(3, "no such invitation");
    place.run(&["client", "invite", "--uses", "0"]).failed(2, "--uses");
    let log = place.run(&["log", "tail", "--all"]).succeeded().out;
    assert!(log.contains("invitation.made") && !log.contains(made["initial_access_token"].as_str().unwrap()), "{log}");
}
