//! `grantlog user`.

use std::process::Command;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Browser, Kind, Passkey, TestApp, both_stores};

use crate::place::{Done, Place};

both_stores! {
    a_user_is_made_listed_locked_and_unlocked,
    an_erased_user_leaves_nothing_personal_and_frees_the_name,
    an_import_reports_each_entry,
    what_somebody_signs_in_with_is_shown_and_removed,
}

const PASSWORD: &str = "correct horse battery";

async fn a_user_is_made_listed_locked_and_unlocked(kind: Kind) {
    let place = Place::ready(kind).await;
    let create = [
        "user",
        "create",
        "--username",
        "mika",
        "--name",
        "Mika K.",
        "--email",
        "mika@example.org",
        "--email-verified",
        "--claim",
        "nickname=mi",
        "--claim",
        r#"address={"country": "JP"}"#,
        "--password-stdin",
        "--json",
    ];
    let made = place.run_with(&create, PASSWORD).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["sub"], &made["username"], &made["email_verified"]), (&json!(id), &json!("mika"), &json!(true)));
    assert_eq!((&made["nickname"], &made["address"]["country"]), (&json!("mi"), &json!("JP")));
    let listed = place.json(&["user", "list"]);
    assert_eq!((&listed[0]["id"], &listed[0]["name"], &listed[0]["state"]), (&json!(id), &json!("Mika K."), &json!("active")));
    assert_eq!(place.json(&["user", "lock", "mika"])["state"], "locked");
    assert_eq!(place.json(&["user", "list"])[0]["state"], "locked");
    assert_eq!(place.json(&["user", "unlock", id])["state"], "active");
    place.run_with(&["user", "set-password", "MIKA"], "another horse\n").succeeded();
    place.run_with(&create, PASSWORD).failed(3, "a user with this name exists already");
    let log = place.run(&["log", "tail", "--all", "--json"]).succeeded().out;
    // Each with something that stands within no sealed data by chance.
    for personal in ["\"mika", "mika@", "Mika K.", PASSWORD, "another horse"] {
        assert!(!log.contains(personal), "{personal} is readable in the log");
    }
}

async fn an_erased_user_leaves_nothing_personal_and_frees_the_name(kind: Kind) {
    let place = Place::ready(kind).await;
    let create = ["user", "create", "--username", "mika", "--email", "mika@example.org"];
    let first = place.json(&create);
    place.run(&["user", "erase", "mika"]).failed(2, "--yes");
    place.run(&["user", "erase", "mika", "--yes"]).succeeded();
    let listed = place.json(&["user", "list"]);
    assert_eq!((&listed[0]["id"], &listed[0]["state"], &listed[0]["username"]), (&first["id"], &json!("erased"), &Value::Null));
    assert!(listed[0].get("email").is_none());
    place.run(&["user", "lock", "mika"]).failed(3, "there is no user `mika`");
    place.run(&create).succeeded();
}

async fn an_import_reports_each_entry(kind: Kind) {
    let place = Place::ready(kind).await;
    let phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Wl7wCw3mYuvGRUEuCyt2i6sBYCbUXVyN2YwB0fjVbZI";
    let entries = json!([
        {"username": "a", "password": PASSWORD, "email": "a@example.org"},
        {"username": "b", "password": phc},
        {"username": "c", "password_hash": phc, "administrator": true},
        {"username": "d", "password": "short"},
        {"username": "a"},
        {"username": "e", "groups": ["x"]},
        {"password": PASSWORD},
        {"username": "f", "password": "$2b$12$abcdefghijklmnopqrstuv"},
    ]);
    place.write("users.json", &entries.to_string());
    let report = place.run(&["user", "import", "users.json", "--json"]).failed(5, "5 of 8 users were refused").out;
    let report: Vec<Value> = serde_json::from_str(&report).unwrap();
    let imported: Vec<_> = report.iter().map(|entry| entry["imported"].as_bool().unwrap()).collect();
    assert_eq!(imported, [true, true, true, false, false, false, false, false]);
    assert!(report[0]["id"].is_string());
    assert_eq!(report[3]["error"], "a password has at least 8 characters");
    assert_eq!(report[5]["error"], "groups is none of OpenID Connect's standard claims, and no scope of the settings names it");
    let table = place.run(&["user", "import", "users.json"]).out;
    assert!(table.contains("refused: a user with this name exists already"), "{table}");
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_password_that_is_refused_or_missing_makes_no_user() {
    let place = Place::ready(Kind::Sqlite).await;
    let create = ["user", "create", "--username", "mika", "--password-stdin"];
    place.run_with(&create, "short").failed(3, "a password has at least 8 characters");
    place.run_with(&create, "\n").failed(2, "standard input holds no password");
    place.run(&["user", "create", "--username", "mika", "--claim", "sub=1"]).failed(2, "sub:");
    assert_eq!(place.json(&["user", "list"]), json!([]));
    assert!(place.run(&["user", "list"]).succeeded().out.starts_with("There are no users yet"));
}

async fn what_somebody_signs_in_with_is_shown_and_removed(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let run = |arguments: &[&str]| -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantlog"));
        command.env("DATABASE_URL", &app.store.settings.url).env("GRANTLOG_VAULT__MASTER_KEY", app.master_key().expose_secret());
        command.args(arguments).current_dir(app.store.folder()).output().unwrap().into()
    };
    let nothing = run(&["user", "show", support::USER, "--json"]).json();
    assert_eq!((&nothing["authenticator"], &nothing["passkeys"]), (&json!(false), &json!([])));
    let browser = Browser::signed_in(&app).await;
    let mut ids = Vec::new();
    for name in ["Phone", "Key on the ring"] {
        let page = browser.get("/account/second-factor/").await;
        let page = browser.send(&page.form("add_passkey").with("current_password", support::PASSWORD)).await;
        let form = Passkey::at(app.app.settings.public_url()).make(&page, name);
        browser.send(&form).await;
        let told = run(&["user", "show", support::USER, "--json"]).json();
        let last = told["passkeys"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["name"], &last["last_used_at"]), (&json!(name), &Value::Null));
        assert_eq!(told["recovery_codes_left"], 10);
        ids.push(last["id"].as_str().unwrap().to_owned());
    }
    let shown = run(&["user", "show", support::USER]).succeeded().out;
    assert!(shown.contains("Key on the ring") && shown.contains(&ids[0]), "{shown}");
    run(&["user", "remove-second-factor", support::USER, "--passkey", "Phone"]).failed(2, "grantlog user show");
    let one = ["user", "remove-second-factor", support::USER, "--passkey", &ids[0], "--json"];
    assert_eq!(run(&one).json()["state"], "passkey_removed");
    run(&one).failed(3, "this is no passkey of the user");
    assert_eq!(run(&["user", "show", support::USER, "--json"]).json()["passkeys"][0]["id"], json!(ids[1]));
    run(&["user", "remove-second-factor", support::USER]).succeeded();
    let nothing = run(&["user", "show", support::USER, "--json"]).json();
    assert_eq!((&nothing["passkeys"], &nothing["recovery_codes_left"]), (&json!([]), &json!(0)));
}
