//! `grantlog mail`, and what `grantlog user` says of mail addresses.

use std::fs;

use serde_json::json;
use support::{Kind, MailServer, both_stores};

use crate::place::{Done, Place};

both_stores! {
    an_address_is_set_verified_or_not_and_shown,
    mails_that_wait_are_listed,
}

const PASSWORD: &str = "correct horse battery";

async fn an_address_is_set_verified_or_not_and_shown(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run_with(&["user", "create", "--username", "mika", "--password-stdin"], PASSWORD).succeeded();
    place.run(&["user", "set-email", "mika", "--email", "nowhere"]).failed(3, "no address that mails can be sent to");
    let set = place.json(&["user", "set-email", "mika", "--email", "mika@example.org"]);
    assert_eq!(set["state"], "email_set");
    let shown = place.json(&["user", "show", "mika"]);
    assert_eq!((&shown["email"], &shown["email_verified"]), (&json!("mika@example.org"), &json!(false)));
    assert_eq!((&shown["authenticator"], &shown["state"]), (&json!(false), &json!("active")));
    place.run(&["user", "set-email", "mika", "--email", "mika@example.org", "--verified"]).succeeded();
    assert_eq!(place.json(&["user", "show", "MIKA"])["email_verified"], true);
    let said = place.run(&["user", "show", "mika"]).succeeded().out;
    assert!(said.contains("email verified") && said.contains("mika@example.org"), "{said}");
    place.run(&["user", "show", "nobody"]).failed(3, "there is no user `nobody`");
    let log = place.run(&["log", "tail", "--all", "--json"]).succeeded().out;
    assert!(!log.contains("example.org"), "no address is readable in the log");
}

async fn mails_that_wait_are_listed(kind: Kind) {
    let place = Place::ready(kind).await;
    assert_eq!(place.json(&["mail", "pending"]), json!([]));
    assert!(place.run(&["mail", "pending"]).succeeded().out.contains("No mail waits."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_goes_out_or_it_is_said_what_failed() {
    let place = Place::ready(Kind::Sqlite).await;
    let server = MailServer::start().await;
    let test = ["mail", "test", "--to", "mika@example.org"];
    place.run(&test).failed(2, "mail.host names no mail server");
    let port = server.address.port().to_string();
    let with = |more: &[(&str, &str)]| {
        let mut command = place.command(&test);
        command.env("GRANTLOG_MAIL__HOST", "127.0.0.1").env("GRANTLOG_MAIL__PORT", &port).env("GRANTLOG_MAIL__TLS", "none");
        command.envs(more.iter().copied());
        Done::from(command.output().unwrap())
    };
    assert!(with(&[]).succeeded().out.contains("The mail server took a mail to mika@example.org"));
    assert_eq!(server.wait_for(1).await[0].to, "mika@example.org");
    server.answer(&[550]);
    with(&[]).failed(4, "the mail server knows no such mailbox, or does not reach it (status 550)");
    with(&[("GRANTLOG_MAIL__TLS", "starttls")]).failed(4, "no mail went out to mika@example.org");
    server.stop().await;
    with(&[]).failed(4, "the mail server cannot be reached");
    with(&[("GRANTLOG_MAIL__HOST", "mail.example")]).failed(2, "mail.host is not this machine");
    with(&[("GRANTLOG_MAIL__FROM", "nobody")]).failed(2, "mail.from is nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_writes_mails_to_a_folder_and_says_where() {
    let place = Place::empty(Kind::Sqlite).await;
    let server = place.serve();
    assert!(server.printed.iter().any(|line| line.contains("written to data/mail/")), "{:?}", server.printed);
    let demo = place.json_file("data/dev.json");
    let name = demo["username"].as_str().unwrap_or_default();
    place.run_with(&["user", "set-password", name], "another password").succeeded();
    let folder = place.path("data/mail");
    let begun = std::time::Instant::now();
    let mail = loop {
        let written = fs::read_dir(&folder).unwrap().find_map(|file| fs::read_to_string(file.unwrap().path()).ok());
        if let Some(mail) = written.filter(|mail| mail.contains("Subject")) {
            break mail;
        }
        assert!(begun.elapsed().as_secs() < 30, "no mail was written");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(mail.contains("To: demo@example.org") && mail.contains("was changed"), "{mail}");
}
