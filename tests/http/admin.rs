//! `/admin/`: administrators see all clients and users, disable and lock them; nobody else does.

use std::collections::BTreeMap;

use domain::UserId;
use grantlog::{
    dispatch::{NewUser, Profile},
    log::Actor,
};
use serde_json::json;
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, PageForm, TestApp, USER, both_stores};

both_stores!(
    only_administrators_come_in,
    an_administrator_who_is_one_no_longer_is_out_at_once,
    clients_are_found_by_name_and_by_client_id,
    an_administrator_disables_and_enables_a_client,
    users_are_listed_with_their_names_and_found_by_their_exact_sign_in_name,
    an_administrator_locks_and_unlocks_a_user,
    nobody_locks_their_own_account,
    an_erased_user_has_no_name_any_more,
    what_is_done_is_recorded_as_the_administrators,
    lists_are_bounded,
    names_are_escaped,
    forms_need_their_token_and_our_own_page,
);

async fn administrator(app: &TestApp) -> Browser<'_> {
    let browser = Browser::new(app);
    browser.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    browser
}

async fn user(app: &TestApp, name: &str, claimed: &str) -> UserId {
    let claims = BTreeMap::from([("name".to_owned(), claimed.into())]);
    let profile = Profile { username: name.to_owned(), claims };
    let new = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator: false };
    app.app.dispatch.create_user(Actor::Operator, new).await.unwrap().answer
}

fn rows(page: &Answer) -> usize {
    page.body.matches("class=\"row-text\"").count()
}

async fn only_administrators_come_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let mine = Browser::signed_in(&app).await;
    let token = mine.get("/o/logout/").await.form("logout");
    let (clients, users) = (format!("/admin/clients/{}/", client.id), format!("/admin/users/{}/", app.user));
    for path in ["/admin/", "/admin", "/admin/users/", &clients, &users, "/admin/clients/x/"] {
        assert!(app.get(path).await.assert_status(303).location().starts_with("/sign-in/?next=%2Fadmin"), "{path}");
        let refused = mine.get(path).await.assert_error_page(403, "insufficient_scope");
        assert!(refused.text().contains("Your account may not see this page") && !refused.body.contains("Ordinary"));
    }
    for path in [format!("{clients}disable/"), format!("{clients}enable/"), format!("{users}lock/"), format!("{users}unlock/")] {
        mine.send(&PageForm { action: path, ..token.clone() }).await.assert_error_page(403, "insufficient_scope");
    }
    assert!(!mine.get("/account/").await.body.contains("/admin/"));
    app.token_of(&client, "read").await;

    let browser = Browser::new(&app);
    let page = browser.open("/admin/").await;
    let answer = browser.sign_in_on(&page, ADMINISTRATOR, PASSWORD).await.assert_status(303);
    assert_eq!(answer.location(), "/admin/");
    assert!(browser.get("/admin/").await.assert_status(200).text().contains("Ordinary"));
}

async fn an_administrator_who_is_one_no_longer_is_out_at_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = administrator(&app).await;
    browser.get("/admin/").await.assert_status(200);
    app.app.dispatch.set_administrator(Actor::Operator, app.administrator, false).await.unwrap();
    browser.get("/admin/").await.assert_error_page(403, "insufficient_scope");
}

async fn clients_are_found_by_name_and_by_client_id(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.client(json!({"client_name": "100% Shop_", "grant_types": ["client_credentials"]})).await;
    let browser = administrator(&app).await;
    assert_eq!(rows(&browser.get("/admin/").await), 2);
    for (search, found) in [
        ("ordin", 1),
        ("ORDINARY", 1),
        (client.identifier.as_str(), 1),
        ("%25", 1),
        ("_", 1),
        ("0%25+s", 1),
        ("%27+OR+1%3D1+--", 0),
        (&client.identifier[..8], 0),
    ] {
        let page = browser.get(&format!("/admin/?q={search}")).await.assert_status(200);
        assert_eq!(rows(&page), found, "{search}");
    }
    let page = browser.get(&format!("/admin/clients/{}/", client.id)).await.assert_status(200);
    let text = page.text();
    assert!(text.contains(&client.identifier) && text.contains("Read your data"), "{text}");
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    assert!(text.contains(&registered.state.registration().unwrap().secrets[0].id.to_string()));
    for nowhere in ["/admin/clients/00000000-0000-7000-8000-000000000000/", "/admin/clients/x/", "/admin/users/x/"] {
        browser.get(nowhere).await.assert_error_page(404, "invalid_request");
    }
}

async fn an_administrator_disables_and_enables_a_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.token_of(&client, "read").await;
    let browser = administrator(&app).await;
    let path = format!("/admin/clients/{}/", client.id);
    let form = browser.get(&path).await.form("disable");
    let answer = browser.send(&form).await.assert_status(303);
    assert_eq!(answer.location(), path);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    app.client_credentials(&client, "read").await.assert_error(401, "invalid_client");
    let page = browser.get(&path).await;
    browser.press(&page, "enable").await.assert_status(200);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    app.token_of(&client, "read").await;
}

async fn users_are_listed_with_their_names_and_found_by_their_exact_sign_in_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let id = user(&app, "rin@example.org", "Rin Mori").await;
    let browser = administrator(&app).await;
    let page = browser.get("/admin/users/").await.assert_status(200);
    assert_eq!(rows(&page), 3);
    assert!(page.text().contains("Rin Mori") && page.text().contains(USER) && page.text().contains("Administrator"));
    for (search, found) in [("RIN@example.org", 1), ("rin", 0), ("Rin+Mori", 0), ("%25", 0)] {
        assert_eq!(rows(&browser.get(&format!("/admin/users/?q={search}")).await.assert_status(200)), found, "{search}");
    }
    let client = app.ordinary_client().await;
    app.grant(&client, "read").await;
    let text = browser.get(&format!("/admin/users/{}/", app.user)).await.assert_status(200).text();
    assert!(text.contains("Ordinary") && text.contains("Read your data"), "{text}");
    let text = browser.get(&format!("/admin/users/{id}/")).await.text();
    assert!(text.contains("Rin Mori") && text.contains("Nowhere."), "{text}");
}

async fn an_administrator_locks_and_unlocks_a_user(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let inside = Browser::signed_in(&app).await;
    let browser = administrator(&app).await;
    let path = format!("/admin/users/{}/", app.user);
    let form = browser.get(&path).await.form("lock");
    let answer = browser.send(&form).await.assert_status(303);
    assert_eq!(answer.location(), path);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    inside.get("/account/").await.assert_status(303);
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(403);
    let page = browser.get(&path).await;
    assert!(page.text().contains("Locked"));
    browser.press(&page, "unlock").await.assert_status(200);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    inside.get("/account/").await.assert_status(303);
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);
}

async fn nobody_locks_their_own_account(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = administrator(&app).await;
    let path = format!("/admin/users/{}/", app.administrator);
    let page = browser.get(&path).await.assert_status(200);
    assert!(!page.has("lock"));
    let token = browser.get("/o/logout/").await.form("logout");
    let forged = PageForm { action: format!("{path}lock/"), ..token };
    browser.send(&forged).await.assert_error_page(400, "invalid_request");
    browser.get("/admin/").await.assert_status(200);
}

async fn an_erased_user_has_no_name_any_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    let id = user(&app, "rin@example.org", "Rin Mori").await;
    app.app.dispatch.erase_user(Actor::Operator, id).await.unwrap();
    let browser = administrator(&app).await;
    for path in ["/admin/users/".to_owned(), format!("/admin/users/{id}/")] {
        let page = browser.get(&path).await.assert_status(200);
        assert!(page.text().contains("Erased") && !page.body.contains("Rin") && !page.body.contains("rin@"), "{page:?}");
    }
    let token = browser.get("/o/logout/").await.form("logout");
    let forged = PageForm { action: format!("/admin/users/{id}/lock/"), ..token };
    browser.send(&forged).await.assert_error_page(404, "invalid_request");
}

async fn what_is_done_is_recorded_as_the_administrators(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = administrator(&app).await;
    let disable = browser.get(&format!("/admin/clients/{}/", client.id)).await.form("disable");
    browser.send(&disable).await.assert_status(303);
    let lock = browser.get(&format!("/admin/users/{}/", app.user)).await.form("lock");
    browser.send(&lock).await.assert_status(303);
    let events = app.app.log.read(0, 1000).await.unwrap();
    for event_type in ["client.disabled", "user.locked"] {
        let event = events.iter().find(|event| event.event_type == event_type).unwrap();
        assert!(event.metadata.contains(&format!("administrator:{}", app.administrator)), "{}", event.metadata);
    }
}

async fn lists_are_bounded(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.page_size_max = 2).await;
    for number in 0..3 {
        app.ordinary_client().await;
        user(&app, &format!("user {number}"), "Somebody").await;
    }
    let browser = administrator(&app).await;
    for (list, search) in [("/admin/", "&q=Ordinary"), ("/admin/", ""), ("/admin/users/", "")] {
        let first = browser.get(&format!("{list}?limit=100000{search}")).await.assert_status(200);
        assert_eq!(rows(&first), 2, "{list}");
        let next = first.attribute("#next_page", "href").unwrap();
        assert!((1..=2).contains(&rows(&browser.get(&next).await.assert_status(200))), "{list}");
        browser.get(&format!("{list}?limit=-1")).await.assert_error_page(400, "invalid_request");
        browser.get(&format!("{list}?after=%27")).await.assert_error_page(400, "invalid_request");
    }
}

async fn names_are_escaped(kind: Kind) {
    let app = TestApp::start(kind).await;
    let name = "<script>alert(1)</script>";
    let client = app.client(json!({"client_name": name, "grant_types": ["client_credentials"]})).await;
    let id = user(&app, "<img src=x>", &format!("{name}\u{202e}")).await;
    let browser = administrator(&app).await;
    for path in [
        "/admin/".to_owned(),
        "/admin/users/".to_owned(),
        format!("/admin/clients/{}/", client.id),
        format!("/admin/users/{id}/"),
        "/admin/?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        "/admin/users/?q=%3Cimg+src%3Dx%3E".to_owned(),
    ] {
        let page = browser.get(&path).await.assert_status(200);
        assert!(!page.body.contains("<script") && !page.body.contains("<img") && !page.body.contains('\u{202e}'), "{page:?}");
    }
}

async fn forms_need_their_token_and_our_own_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = administrator(&app).await;
    let disable = browser.get(&format!("/admin/clients/{}/", client.id)).await.form("disable");
    let lock = browser.get(&format!("/admin/users/{}/", app.user)).await.form("lock");
    for form in [disable, lock] {
        browser.send(&form.clone().with("csrf_token", "")).await.assert_error_page(403, "access_denied");
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let foreign = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
        foreign.assert_error_page(403, "access_denied");
        administrator(&app).await.send(&form).await.assert_error_page(403, "access_denied");
    }
    app.token_of(&client, "read").await;
    Browser::signed_in(&app).await;
}
