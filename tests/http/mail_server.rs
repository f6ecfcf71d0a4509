//! How grantlog speaks to a mail server: protected as the settings want it, and let in or not.

use grantlog::{
    config::{MailTls, Settings, Source},
    mail::{About, Mailer},
};
use support::{Authority, Kind, MailServer, TestApp};

/// Sends a mail by a server, and gives what failed.
async fn failed(settings: &mut Settings, server: &MailServer) -> Option<String> {
    let app = TestApp::start(Kind::Sqlite).await;
    let mut all = (*app.app.settings).clone();
    settings.mail.host = server.address.ip().to_string();
    settings.mail.port = Some(server.address.port());
    all.mail = settings.mail.clone();
    let mailer = Mailer::of_settings(&all).unwrap().expect("mails go out");
    let about = About { words: "test", account: String::new(), link: None };
    mailer.send("mika@example.org", &about, (&[], app.app.clock.now())).await.err().map(|failed| failed.problem)
}

fn settings(tls: MailTls) -> Settings {
    let mut settings = Settings::load(&Source::default()).unwrap();
    settings.mail.tls = tls;
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_from_the_first_byte_or_from_starttls_on_with_whom_an_authority_vouches_for() {
    let authority = Authority::new();
    let (certificate, key) = authority.signed("mail");
    for (tls, implicit) in [(MailTls::Implicit, true), (MailTls::Starttls, false)] {
        let server = MailServer::start_with_tls((&certificate, &key), implicit).await;
        let mut trusting = settings(tls);
        trusting.mail.ca_files = vec![authority.certificate()];
        assert_eq!(failed(&mut trusting, &server).await, None, "{tls:?}");
        assert_eq!(server.mails()[0].subject(), format!("A test of the mails of {}", "127.0.0.1"));
        let problem = failed(&mut settings(tls), &server).await.unwrap();
        assert!(problem.contains("certificate"), "{problem}");
        assert_eq!(server.mails().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_unprotected_where_starttls_is_wanted_and_not_offered() {
    let server = MailServer::start().await;
    assert!(failed(&mut settings(MailTls::Starttls), &server).await.is_some());
    assert!(failed(&mut settings(MailTls::Implicit), &server).await.is_some());
    assert!(server.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_signs_in_and_says_where_it_is_not_let_in() {
    let server = MailServer::start_with_login("grantlog", "right").await;
    let with = |password: &str| {
        let mut settings = settings(MailTls::None);
        settings.mail.user = Some("grantlog".to_owned());
        settings.mail.password = Some(password.into());
        settings
    };
    assert_eq!(failed(&mut with("right"), &server).await, None);
    for settings in [&mut with("wrong"), &mut settings(MailTls::None)] {
        let problem = failed(settings, &server).await.unwrap();
        assert!(problem.contains("mail.user") && !problem.contains("wrong"), "{problem}");
    }
    assert_eq!(server.mails().len(), 1);
}
