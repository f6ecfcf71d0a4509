//! What stands around passkeys: whoever lost one is helped, where there can be none, and the script that asks for them.

use super::*;

both_stores!(
    an_operator_and_an_administrator_help_who_lost_it,
    an_address_without_a_name_has_no_passkeys,
    a_script_runs_where_a_passkey_is_asked_for_and_nowhere_else,
);

async fn an_operator_and_an_administrator_help_who_lost_it(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    let mut passkey = made(&app).await;
    app.app.dispatch.remove_second_factors(Actor::Operator, app.user).await.unwrap();
    assert_eq!(last(&app, "user.passkey_removed").await.unwrap()["by_themselves"], false);
    sign_in(&Browser::new(&app), &mut passkey).await.assert_status(400);
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);

    made(&app).await;
    let administrator = Browser::new(&app);
    administrator.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let path = format!("/admin/users/{}/", app.user);
    let page = administrator.get(&path).await.assert_status(200);
    assert!(page.text().contains("Phone"));
    let one = page.form(&format!("remove_{}", only_one(&app).await));
    administrator.send(&one).await.assert_status(303);
    administrator.send(&one).await.assert_status(404);
    assert!(administrator.get(&path).await.has("no_second_factors"));
    made(&app).await;
    let page = administrator.get(&path).await;
    administrator.send(&page.form("remove_second_factors")).await.assert_status(303);
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);

    let (own, _) = made_by(&app, ADMINISTRATOR).await;
    assert!(own.user_handle.is_some());
    let own = format!("/admin/users/{}/", app.administrator);
    let page = administrator.get(&own).await;
    assert!(page.text().contains("Phone") && !page.has("remove_second_factors"));
    let mut forged = administrator.get("/account/").await.form("end_all");
    forged.action = format!("{own}second-factors/remove/");
    administrator.send(&forged).await.assert_status(400);
    let person = Browser::signed_in(&app).await;
    let mut forged = person.get("/account/").await.form("end_all");
    forged.action = format!("{own}second-factors/remove/");
    person.send(&forged).await.assert_status(403);
}

async fn an_address_without_a_name_has_no_passkeys(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    assert!(!page.has("passkey") && !page.header("content-security-policy").contains("script-src"));
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/account/second-factor/").await;
    assert!(page.has("no_passkeys") && !page.has("add_passkey"));
    let mut forged = page.form("set_up").with("current_password", PASSWORD);
    forged.action = "/account/passkeys/new/".to_owned();
    assert!(browser.send(&forged).await.assert_status(400).has("no_passkeys"));
}

async fn a_script_runs_where_a_passkey_is_asked_for_and_nowhere_else(kind: Kind) {
    let app = TestApp::start_at_name(kind).await;
    made(&app).await;
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    let source = page.attribute("script[src]", "src").unwrap();
    for page in [page, asked(&browser).await] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains(" script-src 'self';"), "{policy}");
        assert_eq!(page.attribute("script", "src"), Some(source.clone()));
        assert!(!policy.contains("unsafe") && !policy.contains("connect-src"));
    }
    let script = browser.get(&source).await.assert_status(200);
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(script.header("x-content-type-options"), "nosniff");
    let careless = Browser::new(&app);
    careless.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    for path in ["/account/", "/account/second-factor/", "/o/applications/", "/admin/users/"] {
        let page = careless.get(path).await.assert_status(200);
        assert!(!page.header("content-security-policy").contains("script-src"), "{path}");
        assert_eq!(page.attribute("script", "src"), None, "{path}");
    }
}
