//! A forgotten password: whoever reads the mails to the verified address of an account chooses another.

use grantlog::log::Actor;
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, Mail, MailServer, PASSWORD, TestApp, both_stores};

use crate::mails::{Sending, enrol_authenticator, go_out, mailing, nothing_is_pending, pending, person, until};

both_stores!(
    a_link_in_a_mail_leads_to_another_password,
    nobody_learns_whether_there_is_such_an_account,
    a_link_goes_to_a_verified_address_alone,
    whoever_has_the_address_is_meant_by_it_too,
    of_two_who_use_a_link_at_once_on_two_nodes_one_does,
    a_link_dies_with_time_the_next_password_or_a_lock,
    the_second_factor_is_still_asked_for,
    requests_are_counted_by_person_and_by_source,
    what_is_refused_leaves_the_link_good,
    the_form_is_ours_alone,
    without_mails_nothing_is_offered,
    whoever_guessed_too_often_and_then_proves_the_mailbox_signs_in,
);

const NEW: &str = "a better password";

/// A user `aoi` with a verified address.
async fn reachable(kind: Kind) -> (TestApp, MailServer, Sending) {
    let (app, server, sending) = mailing(kind).await;
    person(&app, "aoi", json!({"email": "aoi@example.org", "email_verified": true})).await;
    (app, server, sending)
}

async fn ask(browser: &Browser<'_>, who: &str) -> Answer {
    let page = browser.get("/forgotten-password/").await.assert_status(200);
    browser.send(&page.form("send_link").with("username", who)).await
}

/// The path of the link that is sent next.
async fn link(app: &TestApp, server: &MailServer, who: &str) -> String {
    let links = || server.mails().iter().map(Mail::link).filter(|link| link.starts_with("/new-password/")).collect::<Vec<_>>();
    let before = links().len();
    ask(&Browser::new(app), who).await.assert_status(200);
    until("no link was sent", async || links().get(before).cloned()).await
}

async fn choose(browser: &Browser<'_>, link: &str, password: &str) -> Answer {
    let page = browser.get(link).await;
    if page.status != 200 { page } else { browser.send(&page.form("set_password").with("new_password", password)).await }
}

async fn signs_in(app: &TestApp, who: &str, password: &str) -> bool {
    Browser::new(app).sign_in(who, password).await.status == 303
}

async fn a_link_in_a_mail_leads_to_another_password(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let before = Browser::new(&app);
    before.sign_in("aoi", PASSWORD).await.assert_status(303);
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    assert_eq!(page.attribute("#forgotten", "href").as_deref(), Some("/forgotten-password/"));
    let asked = ask(&browser, "AOI ").await.assert_status(200);
    assert!(asked.has("link_sent") && !asked.body.contains("aoi"), "{asked:?}");
    let mail = server.after(0).await;
    assert_eq!((mail.to.as_str(), mail.subject().as_str()), ("aoi@example.org", "A new password for Example"));
    assert!(mail.text().contains("within 60 minutes") && mail.html().contains(&mail.link()), "{mail:?}");
    let link = mail.link();
    for _ in 0..3 {
        let page = browser.get(&link).await.assert_status(200);
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        browser.head(&link).await.assert_status(200);
    }
    let done = choose(&browser, &link, NEW).await.assert_status(303);
    assert!(done.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let page = browser.get(done.location()).await.assert_status(200);
    assert!(page.text().contains("Your password is changed"), "{page:?}");
    assert!(!signs_in(&app, "aoi", PASSWORD).await && signs_in(&app, "aoi", NEW).await);
    assert_eq!(before.get("/account/").await.status, 303, "the sign-in of before has ended");
    browser.get(&link).await.assert_error_page(404, "invalid_request");
    assert_eq!(server.after(1).await.subject(), "Your password for Example was changed");
    let user = app.app.dispatch.user_named("aoi").await.unwrap().unwrap();
    let events = app.app.log.history(&["user"], user.uuid(), 0, 100).await.unwrap();
    let set = events.iter().find(|event| event.event_type == "user.password_set").unwrap();
    let payload: Value = serde_json::from_str(&set.payload).unwrap();
    assert_eq!((&payload["proof"], &payload["by_themselves"]), (&json!("mailed_link"), &json!(true)));
    assert_eq!(set.actor(), format!("user:{user}"));
    let secret = link.split('/').nth(2).unwrap();
    for event in app.app.log.read(0, 1000).await.unwrap() {
        assert!(!event.payload.contains('@') && !event.payload.contains(secret), "{}", event.payload);
    }
}

async fn nobody_learns_whether_there_is_such_an_account(kind: Kind) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(kind, |settings| go_out(settings, &server)).await;
    person(&app, "aoi", json!({"email": "aoi@example.org", "email_verified": true})).await;
    let head = app.app.log.head().await.unwrap();
    let mut answers = Vec::new();
    for who in ["aoi", "aoi@example.org", "nobody", "nobody@example.org", "", "<script>"] {
        let answer = ask(&Browser::new(&app), who).await.assert_status(200);
        answers.push((answer.body, answer.headers.get("content-length").cloned()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // Every one of them wrote the same: a sealed row, which says nothing of whom it is about, and no event.
    let waiting = pending(&app).await;
    assert_eq!((waiting.len(), app.app.log.head().await.unwrap()), (6, head));
    for mail in &waiting {
        assert!(mail.user_id.is_none() && !mail.asked.as_ref().unwrap().contains('@'), "{mail:?}");
    }
    let _sending = Sending::start(&app.app);
    nothing_is_pending(&app).await;
    assert_eq!(server.wait_for(2).await.len(), 2);
}

async fn a_link_goes_to_a_verified_address_alone(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    person(&app, "ren", json!({"email": "ren@example.org"})).await;
    let locked = person(&app, "sora", json!({"email": "sora@example.org", "email_verified": true})).await;
    app.app.dispatch.lock_user(Actor::Operator, locked).await.unwrap();
    for who in ["ren", "ren@example.org", "sora", "mika", "nobody"] {
        ask(&Browser::new(&app), who).await.assert_status(200);
    }
    nothing_is_pending(&app).await;
    ask(&Browser::new(&app), "aoi").await.assert_status(200);
    server.wait_for(1).await;
    nothing_is_pending(&app).await;
    assert_eq!(server.mails().into_iter().map(|mail| mail.to).collect::<Vec<_>>(), ["aoi@example.org"]);
}

async fn whoever_has_the_address_is_meant_by_it_too(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    person(&app, "family", json!({"email": "Aoi@Example.org", "email_verified": true})).await;
    ask(&Browser::with_headers(&app, &[("accept-language", "ja")]), " AOI@example.org").await.assert_status(200);
    let mails = server.wait_for(2).await;
    let mut accounts: Vec<_> = mails.iter().map(|mail| mail.text().contains("family")).collect();
    accounts.sort_unstable();
    assert_eq!(accounts, [false, true], "each names its account");
    assert!(mails.iter().all(|mail| mail.subject() == "Example の新しいパスワード"));
    for mail in mails {
        choose(&Browser::new(&app), &mail.link(), NEW).await.assert_status(303);
    }
    assert!(signs_in(&app, "aoi", NEW).await && signs_in(&app, "family", NEW).await);
}

async fn of_two_who_use_a_link_at_once_on_two_nodes_one_does(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let (first, second) = (link(&app, &server, "aoi").await, link(&app, &server, "aoi").await);
    let token = |link: &str| link.split('/').nth(2).unwrap().to_owned();
    let other = app.another_node().await;
    let (here, there) = (&app.app.dispatch, &other.dispatch);
    let (one, two) = (token(&first), token(&second));
    let results = tokio::join!(
        here.reset_password(&one, "first password".into()),
        there.reset_password(&one, "second password".into()),
        here.reset_password(&two, "third password".into()),
        there.reset_password(&two, "fourth password".into()),
    );
    let done = [results.0.is_ok(), results.1.is_ok(), results.2.is_ok(), results.3.is_ok()];
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    let user = here.user_named("aoi").await.unwrap().unwrap();
    let events = app.app.log.history(&["user"], user.uuid(), 0, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event_type == "user.password_set").count(), 1);
}

async fn a_link_dies_with_time_the_next_password_or_a_lock(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let browser = Browser::new(&app);
    let (first, second) = (link(&app, &server, "aoi").await, link(&app, &server, "aoi").await);
    choose(&browser, &second, NEW).await.assert_status(303);
    choose(&browser, &first, PASSWORD).await.assert_error_page(404, "invalid_request");
    let user = app.app.dispatch.user_named("aoi").await.unwrap().unwrap();
    app.app.clock.advance(3601);
    let third = link(&app, &server, "aoi").await;
    app.app.dispatch.lock_user(Actor::Operator, user).await.unwrap();
    app.app.dispatch.unlock_user(Actor::Operator, user).await.unwrap();
    choose(&browser, &third, PASSWORD).await.assert_error_page(404, "invalid_request");
    let fourth = link(&app, &server, "aoi").await;
    browser.get(&fourth).await.assert_status(200);
    app.app.clock.advance(3601);
    choose(&browser, &fourth, PASSWORD).await.assert_error_page(404, "invalid_request");
    let wrong = format!("{}x/", &fourth[..fourth.len() - 2]);
    for path in [wrong.as_str(), "/new-password/x/", "/new-password/%00/"] {
        app.get(path).await.assert_error_page(404, "invalid_request");
    }
    assert!(signs_in(&app, "aoi", NEW).await);
}

async fn the_second_factor_is_still_asked_for(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let user = app.app.dispatch.user_named("aoi").await.unwrap().unwrap();
    enrol_authenticator(&app, user).await;
    let browser = Browser::new(&app);
    let link = link(&app, &server, "aoi").await;
    choose(&browser, &link, NEW).await.assert_status(303);
    assert_eq!(browser.get("/account/").await.status, 303, "a link signs nobody in");
    let page = browser.sign_in("aoi", NEW).await.assert_status(200);
    assert!(page.has("prove"), "{page:?}");
}

async fn requests_are_counted_by_person_and_by_source(kind: Kind) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(kind, |settings| {
        go_out(settings, &server);
        settings.limits.mails_per_account = 2;
        settings.limits.mails_per_source = 7;
    })
    .await;
    let _sending = Sending::start(&app.app);
    person(&app, "aoi", json!({"email": "aoi@example.org", "email_verified": true})).await;
    let browser = Browser::new(&app);
    for who in ["aoi", "nobody"] {
        ask(&browser, who).await.assert_status(200);
        ask(&browser, who).await.assert_status(200);
        let refused = ask(&browser, who).await.assert_status(429);
        assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0 && refused.has("problem"));
    }
    server.wait_for(2).await;
    // The same person by another name for them: no more mails, and the answer does not say so.
    ask(&browser, "aoi@example.org").await.assert_status(200);
    nothing_is_pending(&app).await;
    assert_eq!(server.mails().len(), 2);
    ask(&browser, "somebody else").await.assert_status(429);
    app.app.clock.advance(3601);
    ask(&browser, "aoi").await.assert_status(200);
    server.wait_for(3).await;
}

async fn what_is_refused_leaves_the_link_good(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let browser = Browser::new(&app);
    let link = link(&app, &server, "aoi").await;
    for (password, words) in [("short", "at least 8"), ("", "at least 8"), (&"x".repeat(2000), "at most 1024")] {
        let page = choose(&browser, &link, password).await.assert_status(400);
        assert!(page.text_of("problem").unwrap().contains(words), "{page:?}");
    }
    choose(&browser, &link, NEW).await.assert_status(303);
}

async fn the_form_is_ours_alone(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let browser = Browser::new(&app);
    let link = link(&app, &server, "aoi").await;
    let form = browser.get(&link).await.form("set_password").with("new_password", NEW);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post_with(&link, &fields, ("origin", "https://evil.example")).await.assert_error_page(403, "access_denied");
    Browser::new(&app).post(&link, &fields).await.assert_status(403);
    let asking = [("username", "aoi")];
    browser.post_with("/forgotten-password/", &asking, ("origin", "https://evil.example")).await.assert_status(403);
    browser.post("/forgotten-password/", &asking).await.assert_status(403);
    assert!(signs_in(&app, "aoi", PASSWORD).await && pending(&app).await.is_empty());
    browser.send(&form).await.assert_status(303);
}

async fn without_mails_nothing_is_offered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    assert!(!browser.get("/sign-in/").await.assert_status(200).has("forgotten"));
    browser.get("/forgotten-password/").await.assert_status(404);
    browser.post("/forgotten-password/", &[("username", "mika")]).await.assert_status(404);
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/account/").await.assert_status(200);
    assert!(!page.has("change_email") && pending(&app).await.is_empty());
}

async fn whoever_guessed_too_often_and_then_proves_the_mailbox_signs_in(kind: Kind) {
    let (app, server, _sending) = reachable(kind).await;
    let browser = Browser::new(&app);
    until("nobody is blocked", async || (browser.sign_in("aoi", "wrong").await.status == 429).then_some(())).await;
    let link = link(&app, &server, "aoi").await;
    choose(&browser, &link, NEW).await.assert_status(303);
    assert!(signs_in(&app, "aoi", NEW).await);
}
