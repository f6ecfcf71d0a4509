//! What is said to whoever types something that cannot be done, and the exit codes.

use support::{Kind, both_stores};

use crate::place::Place;

both_stores! {
    migrating_makes_a_store_and_can_be_repeated,
}

#[tokio::test]
async fn every_command_explains_itself_with_an_example_and_the_exit_codes_are_told() {
    let place = Place::empty(Kind::Sqlite).await;
    let help = place.run(&["--help"]).succeeded().out;
    for said in ["grantlog serve --dev", "Exit codes:", "--config"] {
        assert!(help.contains(said), "{help}");
    }
    let commands: &[&[&str]] = &[
        &["serve"],
        &["migrate"],
        &["client"],
        &["client", "register"],
        &["client", "import"],
        &["client", "list"],
        &["client", "show"],
        &["client", "rotate-secret"],
        &["client", "disable"],
        &["client", "enable"],
        &["user"],
        &["user", "create"],
        &["user", "import"],
        &["user", "show"],
        &["user", "remove-second-factor"],
        &["user", "list"],
        &["user", "show"],
        &["user", "set-email"],
        &["user", "set-password"],
        &["user", "lock"],
        &["user", "unlock"],
        &["user", "erase"],
        &["keys"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "retire"],
        &["keys", "rewrap"],
        &["log"],
        &["log", "tail"],
        &["log", "show"],
        &["logout"],
        &["logout", "pending"],
        &["mail"],
        &["mail", "test"],
        &["mail", "pending"],
        &["audit"],
        &["audit", "replay"],
        &["audit", "grant"],
        &["audit", "token"],
        &["audit", "client"],
        &["audit", "user"],
        &["audit", "catalogue"],
        &["audit", "who"],
        &["audit", "diff"],
        &["audit", "revoke"],
        &["audit", "prove"],
        &["audit", "verify"],
        &["audit", "verify-log"],
        &["audit", "check-token"],
        &["projections"],
        &["projections", "status"],
        &["projections", "verify"],
        &["projections", "rebuild"],
        &["projections", "clean"],
        &["backup"],
        &["restore"],
        &["explain"],
    ];
    for command in commands {
        let help = place.run(&[command, &["--help"][..]].concat()).succeeded().out;
        assert!(help.contains("Example"), "{command:?}: {help}");
    }
    assert!(!place.exists("data"), "help makes nothing");
}

#[tokio::test]
async fn without_a_store_every_command_says_so_and_makes_none() {
    let place = Place::empty(Kind::Sqlite).await;
    let commands: &[&[&str]] = &[
        &["client", "list"],
        &["client", "register", "--client-name", "App"],
        &["user", "list"],
        &["keys", "list"],
        &["log", "tail"],
        &["audit", "replay"],
        &["projections", "status"],
        &["backup", "file"],
        &["explain", "x"],
    ];
    for command in commands {
        place.run(command).failed(4, "there is no store yet: data/grantlog.db does not exist");
    }
    assert!(!place.exists("data") && !place.exists("file"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_exit_code_4() {
    let place = Place::empty(Kind::Sqlite).await;
    let mut command = place.command(&["client", "list"]);
    let done = command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing").output().unwrap();
    crate::place::Done::from(done).failed(4, "the store does not answer");
}

#[tokio::test]
async fn a_wrong_command_or_setting_is_exit_code_2() {
    let place = Place::empty(Kind::Sqlite).await;
    place.run(&["clinet"]).failed(2, "client");
    place.run(&["client", "register", "--grant-types", "implicit"]).failed(2, "authorization_code");
    place.run(&["--config", "nowhere.toml", "client", "list"]).failed(2, "nowhere.toml");
    let done = place.command(&["client", "list"]).env("GRANTLOG_SERVER__LISTEN", "here").output().unwrap();
    crate::place::Done::from(done).failed(2, "listen");
    let done = place.command(&["client", "list"]).env("DATABASE_URL", "mysql://x").output().unwrap();
    crate::place::Done::from(done).failed(2, "DATABASE_URL");
}

#[tokio::test]
async fn another_master_key_than_the_stores_is_told_and_changes_nothing() {
    let place = Place::ready(Kind::Sqlite).await;
    place.run(&["client", "register", "--grant-types", "client_credentials", "--scope", "read"]).succeeded();
    place.write("data/master.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    place.run(&["user", "list"]).failed(2, "another master key");
    std::fs::remove_file(place.path("data/master.key")).unwrap();
    place.run(&["user", "list"]).failed(2, "there is no master key");
    place.run(&["client", "list"]).succeeded();
    let done = place.command(&["serve", "--dev"]).env("GRANTLOG_SERVER__LISTEN", "127.0.0.1:0").output().unwrap();
    crate::place::Done::from(done).failed(2, "another master key");
    assert!(!place.exists("data/master.key"), "a key that opens nothing does not stay");
}

async fn migrating_makes_a_store_and_can_be_repeated(kind: Kind) {
    let place = Place::empty(kind).await;
    let first = place.json(&["migrate"]);
    assert_eq!(first["position"], 0);
    assert_eq!(place.json(&["migrate"]), first);
    place.run(&["client", "list"]).succeeded();
}
