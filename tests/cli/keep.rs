//! `grantlog projections`, `backup` and `restore`.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use support::{Kind, both_stores};

use crate::place::{Done, Place};

both_stores! {
    projections_are_verified_rebuilt_and_cleaned_beside_a_running_server,
    a_backup_is_restored_as_a_new_epoch,
    a_log_is_exported_and_imported_with_its_vault,
    old_events_move_to_an_archive_that_every_command_reads,
}

async fn projections_are_verified_rebuilt_and_cleaned_beside_a_running_server(kind: Kind) {
    let place = Place::empty(kind).await;
    let _server = place.serve();
    let status = place.json(&["projections", "status"]);
    let states: Vec<_> = status.as_array().unwrap().iter().map(|one| (&one["generation"], &one["state"])).collect();
    assert!(states.len() >= 8 && states.iter().all(|state| *state == (&json!(1), &json!("active"))), "{status}");
    assert_eq!(place.json(&["projections", "verify"])["equal"], true);
    let rebuilt = place.json(&["projections", "rebuild", "client", "account"]);
    assert_eq!(rebuilt["projections"].as_array().unwrap().len(), 2);
    place.run(&["client", "disable", "Demo"]).succeeded();
    assert_eq!(place.json(&["client", "show", "Demo"])["state"], "disabled");
    assert_eq!(place.json(&["projections", "clean"])["dropped"], 2);
    place.json(&["projections", "rebuild", "token", "--no-switch"]);
    place.json(&["projections", "switch", "token"]);
    assert_eq!(place.json(&["projections", "rollback", "token"])["projections"][0]["generation"], 1);
    place.run(&["projections", "switch"]).failed(3, "there is no generation that is ready");
    let listed = place.json(&["projections", "list"]);
    assert!(listed.as_array().unwrap().iter().any(|one| one["name"] == "token" && one["key"] == json!(["digest"])));
    assert_eq!(place.json(&["projections", "verify", "--sample", "50"])["streams"], 50);
    assert!(place.run(&["projections", "verify"]).succeeded().out.contains("they equal what the log gives"));
    place.run(&["projections", "rebuild", "nothing"]).failed(3, "there is no projection nothing");
}

async fn a_backup_is_restored_as_a_new_epoch(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run_with(&["user", "create", "--username", "mika", "--password-stdin"], "correct horse battery").succeeded();
    let backup = place.json(&["backup", "grantlog.backup"]);
    assert!(backup["events"].as_u64().unwrap() >= 7, "{backup}");
    let mode = std::fs::metadata(place.path("grantlog.backup")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    place.run(&["backup", "grantlog.backup"]).failed(3, "is there already");
    place.run(&["restore", "grantlog.backup"]).failed(3, "the store is not empty");

    let other = Place::empty(kind).await;
    std::fs::create_dir(other.path("data")).unwrap();
    std::fs::copy(place.path("data/master.key"), other.path("data/master.key")).unwrap();
    let file = place.path("grantlog.backup").display().to_string();
    let restored = other.json(&["restore", &file]);
    assert_ne!(restored["epoch"], backup["epoch"]);
    assert_eq!(other.json(&["user", "list"]), place.json(&["user", "list"]));
    other.run(&["restore", "nowhere"]).failed(3, "there is no file nowhere");
}

async fn a_log_is_exported_and_imported_with_its_vault(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run_with(&["user", "create", "--username", "mika", "--password-stdin"], "correct horse battery").succeeded();
    let exported = place.json(&["log", "export", "log.jsonl.zst", "--zstd", "--vault", "vault.sealed"]);
    let mode = std::fs::metadata(place.path("vault.sealed")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    place.run(&["log", "export", "log.jsonl.zst"]).failed(3, "is there already");
    let lines = place.run(&["log", "export"]).json_lines();
    let last = place.json(&["log", "tail", "-n", "1"]);
    assert_eq!(lines[lines.len() - 3]["event"]["position"], last["position"]);
    assert_eq!(lines[lines.len() - 2]["digest"], exported["digest"]);
    place.run(&["log", "import", "log.jsonl.zst"]).failed(3, "the store is not empty");

    let other = Place::empty(kind).await;
    std::fs::create_dir(other.path("data")).unwrap();
    std::fs::copy(place.path("data/master.key"), other.path("data/master.key")).unwrap();
    let [file, vault] = ["log.jsonl.zst", "vault.sealed"].map(|name| place.path(name).display().to_string());
    let imported = other.json(&["log", "import", &file, "--vault", &vault]);
    for member in ["digest", "epoch", "position", "vault"] {
        assert_eq!(imported[member], exported[member]);
    }
    assert_eq!(other.json(&["user", "list"]), place.json(&["user", "list"]));
    other.run(&["log", "import", "nowhere"]).failed(1, "nowhere");
}

async fn old_events_move_to_an_archive_that_every_command_reads(kind: Kind) {
    let place = Place::ready(kind).await;
    for name in ["mika", "noor", "otto"] {
        place.run_with(&["user", "create", "--username", name, "--password-stdin"], "correct horse battery").succeeded();
    }
    // Takes all that is there into the tree.
    place.run(&["audit", "prove", "1"]).succeeded();
    let all = place.run(&["log", "tail", "--all", "--json"]).succeeded().out;
    place.run(&["log", "archive"]).failed(2, "archive.folder");
    let archive = |arguments: &[&str]| -> Done {
        let mut command = place.command(arguments);
        command.env("GRANTLOG_ARCHIVE__FOLDER", place.path("archive"));
        command.env("GRANTLOG_ARCHIVE__AFTER_EVENTS", "2").env("GRANTLOG_ARCHIVE__SEGMENT_EVENTS", "2");
        command.output().unwrap().into()
    };
    let plan = archive(&["log", "archive", "--dry-run", "--json"]).json();
    assert!(plan["segments"].as_u64().unwrap() >= 2, "{plan}");
    assert!(!place.exists("archive"));
    let done = archive(&["log", "archive", "--json"]).json();
    assert_eq!(done["segments"].as_array().unwrap().len() as u64, plan["segments"].as_u64().unwrap());
    let segments = archive(&["log", "segments", "--json"]).json();
    assert_eq!(segments.as_array().unwrap().last().unwrap()["last"], plan["until"]);
    let manifest = place.json_file("archive/00000000000000000001.json");
    assert_eq!((&manifest["last"], &manifest["digest"]), (&json!(2), &segments[0]["digest"]));
    assert!(manifest["tree_size"] == 2 && manifest["tree_root"].is_string(), "{manifest}");
    let verified = archive(&["log", "segments", "--verify", "--json"]).json();
    assert_eq!(
        (&verified["segments"], &verified["until"], &verified["wrong"]),
        (&plan["segments"], &plan["until"], &Value::Null)
    );
    assert_eq!(verified["rooted"], verified["segments"]);
    let path = place.path("archive/00000000000000000003.json");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, "{}").unwrap();
    let wrong = archive(&["log", "segments", "--verify"]);
    assert!(wrong.out.starts_with("1 segments hold what was archived, up to position 2"), "{}", wrong.out);
    wrong.failed(5, "archive/00000000000000000003.json does not hold what was archived");
    std::fs::write(&path, whole).unwrap();
    assert_eq!(archive(&["log", "tail", "--all", "--json"]).succeeded().out, all);
    assert!(archive(&["log", "archive"]).succeeded().out.contains("Nothing is old enough"));
}
