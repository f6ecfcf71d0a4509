//! Mail addresses: a person changes theirs, and shows by a link in a mail that it is theirs.

use serde_json::{Value, json};
use support::{Answer, Browser, Kind, MailServer, PASSWORD, REDIRECT_URI, TestApp, both_stores};

use crate::mails::{Sending, mailing, nothing_is_pending, person};

both_stores!(
    an_address_is_verified_by_a_button_behind_a_link,
    another_address_is_to_be_verified_again_and_the_former_one_is_told,
    an_address_is_changed_with_the_password_alone,
    of_two_who_use_a_link_at_once_both_find_it_verified_once,
    checks_are_counted,
);

/// A user `aoi` whose address is not verified, in a browser.
async fn unverified(kind: Kind) -> (TestApp, MailServer, Sending) {
    let (app, server, sending) = mailing(kind).await;
    person(&app, "aoi", json!({"email": "aoi@example.org"})).await;
    (app, server, sending)
}

async fn signed_in(app: &TestApp) -> Browser<'_> {
    let browser = Browser::new(app);
    browser.sign_in("aoi", PASSWORD).await.assert_status(303);
    browser
}

async fn change(browser: &Browser<'_>, address: &str, password: &str) -> Answer {
    let form = browser.get("/account/").await.form("change_email");
    browser.send(&form.with("email", address).with("current_password", password)).await
}

/// What an application is told of the address.
async fn told(app: &TestApp) -> Value {
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid email"})).await;
    let session = support::traffic::sign_in(&app.app, "aoi").await.session;
    let code = app.code_of(&app.approval(&session, &client, "openid email").await).await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    let mut claims = app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200).json();
    claims.as_object_mut().unwrap().remove("sub");
    claims
}

async fn an_address_is_verified_by_a_button_behind_a_link(kind: Kind) {
    let (app, server, _sending) = unverified(kind).await;
    let browser = signed_in(&app).await;
    let page = browser.get("/account/").await.assert_status(200);
    let done = browser.press(&page, "check_email").await.assert_status(200);
    assert!(done.text().contains("on its way"), "{done:?}");
    let mail = server.after(0).await;
    assert_eq!((mail.to.as_str(), mail.subject().as_str()), ("aoi@example.org", "Is this your address? (Example)"));
    let elsewhere = Browser::new(&app);
    for _ in 0..2 {
        elsewhere.get(&mail.link()).await.assert_status(200);
    }
    assert_eq!(told(&app).await, json!({"email": "aoi@example.org"}));
    let page = elsewhere.get(&mail.link()).await;
    let done = elsewhere.send(&page.form("verify_email")).await.assert_status(303);
    assert!(done.header("grantlog-position").parse::<i64>().unwrap() > 0);
    assert!(elsewhere.open(done.location()).await.text().contains("Your mail address is confirmed"));
    assert_eq!(told(&app).await, json!({"email": "aoi@example.org", "email_verified": true}));
    assert!(!browser.get("/account/").await.has("check_email"));
    elsewhere.get(&mail.link()).await.assert_error_page(404, "invalid_request");
    let wrong = Browser::new(&app);
    wrong.post(&mail.link(), &[]).await.assert_status(403);
}

async fn another_address_is_to_be_verified_again_and_the_former_one_is_told(kind: Kind) {
    let (app, server, _sending) = mailing(kind).await;
    person(&app, "aoi", json!({"email": "old@example.org", "email_verified": true, "locale": "ja"})).await;
    let browser = signed_in(&app).await;
    change(&browser, "first@example.org", PASSWORD).await.assert_status(303);
    assert_eq!(told(&app).await, json!({"email": "first@example.org", "email_verified": false}));
    let mails = server.wait_for(2).await;
    let of = |to: &str| mails.iter().find(|mail| mail.to == to).unwrap_or_else(|| panic!("nothing went to {to}"));
    assert_eq!(of("old@example.org").subject(), "Example のメールアドレスが変更されました");
    let stale = of("first@example.org").link();
    change(&browser, "second@example.org", PASSWORD).await.assert_status(303);
    let mail = server.after(2).await;
    assert_eq!(mail.to, "second@example.org", "the former address was not verified: it is told nothing");
    browser.get(&stale).await.assert_error_page(404, "invalid_request");
    let page = browser.get(&mail.link()).await;
    browser.send(&page.form("verify_email")).await.assert_status(303);
    assert_eq!(told(&app).await, json!({"email": "second@example.org", "email_verified": true}));
    // The same once more changes nothing, and asks nobody.
    nothing_is_pending(&app).await;
    let head = app.app.log.head().await.unwrap();
    change(&browser, "second@example.org", PASSWORD).await.assert_status(303);
    nothing_is_pending(&app).await;
    assert_eq!((app.app.log.head().await.unwrap(), server.mails().len()), (head, 3));
}

async fn an_address_is_changed_with_the_password_alone(kind: Kind) {
    let (app, _server, _sending) = unverified(kind).await;
    let browser = signed_in(&app).await;
    let refused = change(&browser, "other@example.org", "wrong password").await.assert_status(400);
    assert!(refused.text_of("email_problem").unwrap().contains("current password"), "{refused:?}");
    for address in ["", "nowhere", "a@", "a b@example.org", &format!("{}@example.org", "x".repeat(300))] {
        let refused = change(&browser, address, PASSWORD).await.assert_status(400);
        assert!(refused.text_of("email_problem").unwrap().contains("no mail address"), "{address}: {refused:?}");
    }
    let form = browser.get("/account/").await.form("change_email").with("email", "other@example.org");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post_with("/account/email/", &fields, ("origin", "https://evil.example")).await.assert_status(403);
    browser.post("/account/email/check/", &[]).await.assert_status(403);
    assert_eq!(told(&app).await, json!({"email": "aoi@example.org"}));
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(change(&browser, "other@example.org", "wrong password").await.status.as_u16());
    }
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
}

async fn of_two_who_use_a_link_at_once_both_find_it_verified_once(kind: Kind) {
    let (app, server, _sending) = unverified(kind).await;
    let browser = signed_in(&app).await;
    browser.press(&browser.get("/account/").await, "check_email").await;
    let link = server.after(0).await.link();
    let token = link.split('/').nth(2).unwrap();
    let other = app.another_node().await;
    let (here, there) = tokio::join!(app.app.dispatch.verify_email(token), other.dispatch.verify_email(token));
    assert!(here.is_ok() || there.is_ok());
    let user = app.app.dispatch.user_named("aoi").await.unwrap().unwrap();
    let events = app.app.log.history(&["user"], user.uuid(), 0, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event_type == "user.email_verified").count(), 1);
    assert!(events.iter().all(|event| !event.payload.contains('@')));
}

async fn checks_are_counted(kind: Kind) {
    let (app, _server, _sending) = unverified(kind).await;
    let browser = signed_in(&app).await;
    let form = browser.get("/account/").await.form("check_email");
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(browser.send(&form).await.status.as_u16());
    }
    assert_eq!(answers, [303, 303, 303, 303, 303, 429]);
}
