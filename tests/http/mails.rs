//! Mails go out to people, whatever becomes of the mail server meanwhile, and what came of each is in the log.

use std::time::{Duration, Instant};

use domain::UserId;
use grantlog::{
    config::{MailTls, Settings},
    dispatch::{NewUser, Profile},
    follow::mail,
    log::{Actor, PendingMail},
    mail::Mailer,
    state::App,
};
use serde_json::{Value, json};
use support::{Kind, MailServer, PASSWORD, TestApp, both_stores};
use tokio::task::JoinHandle;
use totp_rs::{Builder, Secret};

both_stores!(
    a_mail_waits_for_a_server_that_is_down,
    what_is_pending_goes_out_after_a_restart,
    a_mail_that_is_refused_for_good_is_given_up_and_the_log_says_so,
    a_mail_that_is_not_taken_now_is_tried_again_and_holds_up_no_other,
    a_mail_that_is_never_taken_is_given_up_in_the_end,
    people_are_told_of_what_happened_to_their_account_in_their_language,
    whoever_has_no_verified_address_gets_no_mail,
    what_happened_before_mails_went_out_is_not_told,
);

/// A node that sends mails, until it is dropped.
pub(crate) struct Sending(JoinHandle<()>);

impl Sending {
    pub(crate) fn start(app: &App) -> Self {
        let mailer = Mailer::of_settings(&app.settings).unwrap().expect("mails go out");
        Self(tokio::spawn(mail::run(app.clone(), mailer)))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A server whose mails go to a mail server of the test's own.
pub(crate) async fn mailing(kind: Kind) -> (TestApp, MailServer, Sending) {
    let server = MailServer::start().await;
    let app = TestApp::start_in_real_time(kind, |settings| go_out(settings, &server)).await;
    begun(app, server).await
}

/// As `mailing`, but it tries again only when its clock is advanced, which is later than the store's, which says when something happened.
async fn mailing_when_advanced(kind: Kind) -> (TestApp, MailServer, Sending) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(kind, |settings| go_out(settings, &server)).await;
    app.app.clock.advance(600);
    begun(app, server).await
}

async fn begun(app: TestApp, server: MailServer) -> (TestApp, MailServer, Sending) {
    app.app.log.followed_to(mail::NAME).await.unwrap();
    let sending = Sending::start(&app.app);
    (app, server, sending)
}

pub(crate) fn go_out(settings: &mut Settings, server: &MailServer) {
    settings.mail.host = server.address.ip().to_string();
    settings.mail.port = Some(server.address.port());
    settings.mail.tls = MailTls::None;
    settings.mail.name = Some("Example".to_owned());
}

/// A user with what is known of them, who signs in with `PASSWORD`.
pub(crate) async fn person(app: &TestApp, username: &str, claims: Value) -> UserId {
    let profile = Profile { username: username.to_owned(), claims: serde_json::from_value(claims).unwrap() };
    let new = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator: false };
    app.app.dispatch.create_user(Actor::Operator, new).await.unwrap().answer
}

/// A user sets an authenticator application up.
pub(crate) async fn enrol_authenticator(app: &TestApp, user: UserId) {
    let secret = Secret::try_from_base32("A4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYH").unwrap();
    let now = u64::try_from(app.app.clock.now().unix()).unwrap();
    let code = Builder::new().with_secret(secret).build().unwrap().generate(now).to_string();
    app.app.dispatch.enrol_authenticator(user, &[7; 20], &code).await.unwrap();
}

/// What came of mails to a user: for each event the purpose, the outcome and the tries.
async fn mailed(app: &TestApp, user: UserId) -> Vec<(String, String, u64)> {
    let events = app.app.log.history(&["user"], user.uuid(), 0, 100).await.unwrap();
    let mails = events.iter().filter(|event| event.event_type == "user.mailed");
    mails
        .map(|event| {
            assert_eq!(event.actor(), "system");
            let mail = &serde_json::from_str::<Value>(&event.payload).unwrap()["mail"];
            let text = |name: &str| mail[name].as_str().unwrap().to_owned();
            (text("purpose"), text("outcome"), mail["tries"].as_u64().unwrap())
        })
        .collect()
}

pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn mailed_to(app: &TestApp, user: UserId, count: usize) -> Vec<(String, String, u64)> {
    until("what came of it is not in the log", async || Some(mailed(app, user).await).filter(|mails| mails.len() >= count)).await
}

pub(crate) async fn pending(app: &TestApp) -> Vec<PendingMail> {
    app.app.log.pending_mails(100).await.unwrap()
}

pub(crate) async fn nothing_is_pending(app: &TestApp) {
    until("something is still pending", async || pending(app).await.is_empty().then_some(())).await;
}

/// Waits until a mail was tried so often, and gives it.
async fn tried(app: &TestApp, times: i64) -> PendingMail {
    until("it was not tried", async || pending(app).await.into_iter().find(|mail| mail.tries >= times)).await
}

fn sent(purpose: &str, tries: u64) -> (String, String, u64) {
    (purpose.to_owned(), "sent".to_owned(), tries)
}

/// The user `who`, with a verified address.
async fn reachable(app: &TestApp, who: &str) -> UserId {
    person(app, who, json!({"email": format!("{who}@example.org"), "email_verified": true})).await
}

async fn set_password(app: &TestApp, user: UserId) {
    app.app.dispatch.set_password(Actor::Operator, user, "another password".into()).await.unwrap();
}

async fn a_mail_waits_for_a_server_that_is_down(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    let user = reachable(&app, "aoi").await;
    server.stop().await;
    set_password(&app, user).await;
    let waiting = tried(&app, 1).await;
    assert!(waiting.problem.as_ref().unwrap().contains("the mail server cannot be reached"), "{waiting:?}");
    assert!(!format!("{waiting:?}").contains("aoi@"), "an address stands in no row");
    server.resume().await;
    app.app.clock.advance(3600);
    let mail = server.after(0).await;
    assert_eq!((mail.to.as_str(), mail.header("Auto-Submitted").as_str()), ("aoi@example.org", "auto-generated"));
    nothing_is_pending(&app).await;
    let outcome = mailed_to(&app, user, 1).await;
    assert_eq!((outcome.len(), outcome[0].1.as_str()), (1, "sent"));
    assert!(outcome[0].2 >= 2, "{outcome:?}");
}

async fn what_is_pending_goes_out_after_a_restart(kind: Kind) {
    let (app, server, sending) = mailing(kind).await;
    let user = reachable(&app, "aoi").await;
    server.stop().await;
    set_password(&app, user).await;
    tried(&app, 1).await;
    drop(sending);
    server.resume().await;
    let node = app.another_node().await;
    node.clock.advance(3600);
    let _other = Sending::start(&node);
    assert_eq!(server.after(0).await.to, "aoi@example.org");
    mailed_to(&app, user, 1).await;
    nothing_is_pending(&app).await;
    assert_eq!(server.mails().len(), 1);
}

async fn a_mail_that_is_refused_for_good_is_given_up_and_the_log_says_so(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    let user = reachable(&app, "aoi").await;
    server.answer(&[550]);
    set_password(&app, user).await;
    assert_eq!(mailed_to(&app, user, 1).await, [("password_set".to_owned(), "given_up".to_owned(), 1)]);
    nothing_is_pending(&app).await;
    assert!(server.mails().is_empty());
}

async fn a_mail_that_is_not_taken_now_is_tried_again_and_holds_up_no_other(kind: Kind) {
    let (app, server, _sending) = mailing_when_advanced(kind).await;
    let (first, second) = (reachable(&app, "aoi").await, reachable(&app, "ren").await);
    server.answer(&[451]);
    set_password(&app, first).await;
    let waiting = tried(&app, 1).await;
    assert!(waiting.problem.as_ref().unwrap().contains("451"), "{waiting:?}");
    server.answer(&[450]);
    app.app.clock.advance(2);
    tried(&app, 2).await;
    set_password(&app, second).await;
    assert_eq!(mailed_to(&app, second, 1).await, [sent("password_set", 1)]);
    app.app.clock.advance(3600);
    assert_eq!(mailed_to(&app, first, 1).await, [sent("password_set", 3)]);
}

async fn a_mail_that_is_never_taken_is_given_up_in_the_end(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    let user = reachable(&app, "aoi").await;
    server.stop().await;
    set_password(&app, user).await;
    tried(&app, 1).await;
    app.app.clock.advance(86_401);
    let outcome = mailed_to(&app, user, 1).await;
    assert_eq!(outcome[0].1, "given_up");
    nothing_is_pending(&app).await;
}

async fn people_are_told_of_what_happened_to_their_account_in_their_language(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    let english = reachable(&app, "aoi").await;
    let claims = json!({"email": "ren@example.org", "email_verified": true, "locale": "ja-JP"});
    let japanese = person(&app, "ren", claims).await;
    set_password(&app, english).await;
    let mail = server.after(0).await;
    assert_eq!(mail.subject(), "Your password for Example was changed");
    assert!(mail.text().contains("the account aoi at Example") && mail.text().contains(&app.url("/forgotten-password/")));
    assert!(mail.html().contains("lang=\"en\"") && !mail.html().contains("<img"), "{}", mail.html());
    set_password(&app, japanese).await;
    let mail = server.after(1).await;
    assert_eq!((mail.to.as_str(), mail.subject().as_str()), ("ren@example.org", "Example のパスワードが変更されました"));
    assert!(mail.html().contains("lang=\"ja\""));
    let dispatch = &app.app.dispatch;
    enrol_authenticator(&app, english).await;
    dispatch.remove_authenticator(english).await.unwrap();
    let mail = server.after(2).await;
    assert_eq!((mail.to.as_str(), mail.subject().as_str()), ("aoi@example.org", "A way to sign in was removed at Example"));
    assert_eq!(mailed_to(&app, english, 2).await, [sent("password_set", 1), sent("second_factor_removed", 1)]);
}

async fn whoever_has_no_verified_address_gets_no_mail(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    let unverified = person(&app, "aoi", json!({"email": "aoi@example.org"})).await;
    let nowhere = person(&app, "ren", json!({})).await;
    let erased = reachable(&app, "sora").await;
    for user in [unverified, nowhere, erased] {
        set_password(&app, user).await;
    }
    app.app.dispatch.erase_user(Actor::Operator, erased).await.unwrap();
    let last = reachable(&app, "mio").await;
    set_password(&app, last).await;
    mailed_to(&app, last, 1).await;
    nothing_is_pending(&app).await;
    let to: Vec<_> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert!(to.iter().all(|to| to == "mio@example.org" || to == "sora@example.org"), "{to:?}");
    assert!(mailed(&app, unverified).await.is_empty() && mailed(&app, nowhere).await.is_empty());
}

async fn what_happened_before_mails_went_out_is_not_told(kind: Kind) {
    let server = MailServer::start().await;
    let app = TestApp::start_in_real_time(kind, |settings| go_out(settings, &server)).await;
    let user = reachable(&app, "aoi").await;
    set_password(&app, user).await;
    let _sending = Sending::start(&app.app);
    until("nobody follows the log", async || (app.app.log.followed_to(mail::NAME).await.unwrap() > 0).then_some(())).await;
    let other = reachable(&app, "ren").await;
    set_password(&app, other).await;
    assert_eq!(server.after(0).await.to, "ren@example.org");
    mail::leave_off(&app.app.log).await.unwrap();
}
