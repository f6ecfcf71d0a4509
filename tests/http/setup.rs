//! `/setup/<token>`: the first administrator is made once, by the link that the server printed.

use grantlog::log::Actor;
use secrecy::ExposeSecret;
use support::{Browser, Kind, PASSWORD, TestApp, USER, both_stores};

both_stores!(
    the_link_makes_one_administrator,
    a_link_that_is_wrong_used_or_old_is_not_there,
    what_is_refused_leaves_the_link_good,
    the_link_needs_the_forms_token_and_our_own_page,
    of_two_who_use_the_link_at_once_one_becomes_administrator,
);

/// A server without an administrator, and the path of the link.
async fn unadministered(kind: Kind) -> (TestApp, String) {
    let app = TestApp::start(kind).await;
    app.app.dispatch.set_administrator(Actor::Operator, app.administrator, false).await.unwrap();
    let token = app.app.dispatch.setup_token().await.unwrap().expect("there is no administrator");
    let path = format!("/setup/{}", token.expose_secret());
    (app, path)
}

async fn the_link_makes_one_administrator(kind: Kind) {
    let (app, path) = unadministered(kind).await;
    let browser = Browser::new(&app);
    let page = browser.get(&path).await.assert_status(200);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let form = page.form("set_up").with("username", "boss").with("password", PASSWORD);
    let answer = browser.send(&form).await.assert_status(303);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let page = browser.open(answer.location()).await;
    let inside = browser.sign_in_on(&page, "boss", PASSWORD).await.assert_status(303);
    assert_eq!(inside.location(), "/admin/");
    assert!(browser.get("/admin/users/").await.assert_status(200).text().contains("boss"));
    browser.get(&path).await.assert_error_page(404, "invalid_request");
    browser.send(&form.with("username", "second")).await.assert_error_page(404, "invalid_request");
    assert_eq!(app.app.dispatch.user_named("second").await.unwrap(), None);
    assert!(app.app.dispatch.setup_token().await.unwrap().is_none());
}

async fn a_link_that_is_wrong_used_or_old_is_not_there(kind: Kind) {
    let (app, path) = unadministered(kind).await;
    let wrong = format!("{}x", &path[..path.len() - 1]);
    for path in ["/setup/x", "/setup/%00", &wrong, &format!("{path}x")] {
        app.get(path).await.assert_error_page(404, "invalid_request");
        app.post(path, &[("username", "boss"), ("password", PASSWORD)]).await.assert_error_page(404, "invalid_request");
    }
    app.app.clock.advance(86_401);
    app.get(&path).await.assert_error_page(404, "invalid_request");
}

async fn what_is_refused_leaves_the_link_good(kind: Kind) {
    let (app, path) = unadministered(kind).await;
    let browser = Browser::new(&app);
    let form = browser.get(&path).await.form("set_up").with("username", "<script>boss").with("password", PASSWORD);
    for (form, words) in [
        (form.clone().with("password", "short"), "at least 8"),
        (form.clone().with("password", &"x".repeat(2000)), "at most 1024"),
        (form.clone().with("username", USER), "already"),
        (form.clone().with("username", ""), "1 to 255"),
    ] {
        let page = browser.send(&form).await.assert_status(400);
        assert!(page.text_of("problem").unwrap().contains(words), "{words}: {page:?}");
        assert!(!page.body.contains("<script") && !page.body.contains(PASSWORD));
    }
    browser.send(&form).await.assert_status(303);
}

async fn the_link_needs_the_forms_token_and_our_own_page(kind: Kind) {
    let (app, path) = unadministered(kind).await;
    let browser = Browser::new(&app);
    let form = browser.get(&path).await.form("set_up").with("username", "boss").with("password", PASSWORD);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post_with(&path, &fields, ("origin", "https://evil.example")).await.assert_error_page(403, "access_denied");
    Browser::new(&app).post(&path, &fields).await.assert_status(403);
    assert_eq!(app.app.dispatch.user_named("boss").await.unwrap(), None);
    browser.post(&path, &fields).await.assert_status(303);
}

async fn of_two_who_use_the_link_at_once_one_becomes_administrator(kind: Kind) {
    let (app, path) = unadministered(kind).await;
    let browsers = [Browser::new(&app), Browser::new(&app)];
    let mut forms = Vec::new();
    for (browser, name) in browsers.iter().zip(["one", "two"]) {
        forms.push(browser.get(&path).await.form("set_up").with("username", name).with("password", PASSWORD));
    }
    let (first, second) = tokio::join!(browsers[0].send(&forms[0]), browsers[1].send(&forms[1]));
    let mut answers = [first.status.as_u16(), second.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [303, 404]);
}
