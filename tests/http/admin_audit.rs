//! `/admin/audit/`: administrators search the log and read its stories; nobody else does, and each look is remembered.

use support::{
    ADMINISTRATOR, Browser, Kind, PASSWORD, PageForm, TestApp, USER, both_stores,
    traffic::{all_events, history},
};

both_stores!(
    only_administrators_search_the_log,
    a_token_leads_to_its_grant_and_shows_its_lineage,
    people_and_applications_are_found_by_name,
    what_nobody_knows_is_told_on_the_page,
    the_pages_speak_japanese_too,
    what_strangers_wrote_is_escaped,
);

async fn administrator(app: &TestApp) -> Browser<'_> {
    let browser = Browser::new(app);
    browser.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    browser
}

/// The path that a search leads to.
async fn found(browser: &Browser<'_>, text: &str) -> String {
    let form = browser.get("/admin/audit/").await.assert_status(200).form("search").with("q", text);
    browser.send(&form).await.assert_status(303).location().to_owned()
}

async fn only_administrators_search_the_log(kind: Kind) {
    let app = TestApp::start(kind).await;
    let mine = Browser::signed_in(&app).await;
    let token = mine.get("/o/logout/").await.form("logout");
    let user = format!("/admin/audit/users/{}/", app.user);
    for path in ["/admin/audit/", "/admin/audit/grants/x/", &user] {
        assert!(app.get(path).await.assert_status(303).location().starts_with("/sign-in/?next=%2Fadmin"), "{path}");
        mine.get(path).await.assert_error_page(403, "insufficient_scope");
    }
    mine.send(&PageForm { action: "/admin/audit/".to_owned(), ..token }).await.assert_error_page(403, "insufficient_scope");
    let events = all_events(&app.app.log).await;
    assert!(!events.iter().any(|event| event.event_type == "audit.read"));
}

async fn a_token_leads_to_its_grant_and_shows_its_lineage(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let browser = administrator(&app).await;
    let path = found(&browser, history.family.refresh_token()).await;
    assert!(path.contains("/admin/audit/grants/") && path.ends_with("?token=6"), "{path}");
    let page = browser.get(&path).await.assert_status(200).text();
    for said in ["this one", "it came of this", "mika signed in by pwd", "live", "Ordinary", "position "] {
        assert!(page.contains(said), "`{said}` is not on the page: {page}");
    }
    let of_code = browser.get(&path.replace("token=6", "token=0")).await.assert_status(200).text();
    assert!(of_code.contains("came of it"));
    let dead = browser.get(&found(&browser, &history.dead[0]).await).await.assert_status(200).text();
    assert!(dead.contains("refresh_replayed (client Ordinary)"), "{dead}");
    let reads = all_events(&app.app.log).await.into_iter().filter(|event| event.event_type == "audit.read").collect::<Vec<_>>();
    assert_eq!(reads.len(), 3);
    assert!(reads.iter().all(|read| read.metadata.contains(&format!("administrator:{}", app.administrator))));
    browser.get("/admin/audit/grants/019ab3c0-5f2e-7d10-8c5a-0123456789ab/").await.assert_status(404);
}

async fn people_and_applications_are_found_by_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.grant(&client, "read").await;
    let browser = administrator(&app).await;
    let of_user = found(&browser, USER).await;
    assert_eq!(of_user, format!("/admin/audit/users/{}/", app.user));
    assert_eq!(found(&browser, &app.user.to_string()).await, of_user);
    let page = browser.get(&of_user).await.assert_status(200);
    assert!(page.text().contains("mika was made") && page.body.contains("/admin/audit/grants/"), "{}", page.text());
    let of_client = found(&browser, "Ordinary").await;
    assert_eq!(found(&browser, &client.identifier).await, of_client);
    let page = browser.get(&of_client).await.assert_status(200).text();
    assert!(page.contains("was registered with the client_id") && page.contains("read write"), "{page}");
}

async fn what_nobody_knows_is_told_on_the_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = administrator(&app).await;
    for text in ["", "nobody", "019ab3c0-5f2e-7d10-8c5a-0123456789ab"] {
        let form = browser.get("/admin/audit/").await.form("search").with("q", text);
        assert!(browser.send(&form).await.assert_status(404).text().contains("The log knows nothing of that name."));
    }
}

async fn the_pages_speak_japanese_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.grant(&client, "read").await;
    let browser = administrator(&app).await;
    let path = found(&browser, USER).await;
    assert!(browser.get(&format!("{path}?ui_locales=ja")).await.assert_status(200).text().contains("mika が作成されました"));
}

async fn what_strangers_wrote_is_escaped(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(serde_json::json!({"client_name": "<b>Shop</b>", "grant_types": ["client_credentials"]})).await;
    let browser = administrator(&app).await;
    let page = browser.get(&found(&browser, &client.identifier).await).await.assert_status(200);
    assert!(!page.body.contains("<b>Shop") && page.text().contains("<b>Shop</b>"));
}
