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
    what_changed_between_two_places_is_shown,
    what_would_end_is_shown_and_then_ended,
    what_was_issued_since_a_moment_is_ended_alone,
    what_cannot_be_revoked_is_said_on_the_page,
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
    for path in
        ["/admin/audit/", "/admin/audit/grants/x/", "/admin/audit/changes/?from=0", "/admin/audit/revoke/?point=key&of=x", &user]
    {
        assert!(app.get(path).await.assert_status(303).location().starts_with("/sign-in/?next=%2Fadmin"), "{path}");
        mine.get(path).await.assert_error_page(403, "insufficient_scope");
    }
    for path in ["/admin/audit/", "/admin/audit/revoke/"] {
        let form = PageForm { action: path.to_owned(), ..token.clone() };
        mine.send(&form).await.assert_error_page(403, "insufficient_scope");
    }
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

async fn what_changed_between_two_places_is_shown(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let browser = administrator(&app).await;
    let from = app.app.log.known_head();
    app.revoke(&client, tokens.refresh_token()).await.assert_status(200);
    let page = browser.get("/admin/audit/changes/").await.assert_status(200);
    assert!(!page.has("found"));
    let page = browser.get(&format!("/admin/audit/changes/?from={from}")).await.assert_status(200);
    let text = page.text();
    assert!(text.contains("ended") && text.contains("revoked_by_client") && text.contains("mika"), "{text}");
    assert_eq!(page.body.matches("/admin/audit/grants/").count(), 1, "it began earlier");
    let head = app.app.log.known_head();
    assert!(browser.get(&format!("/admin/audit/changes/?from={head}")).await.assert_status(200).text().contains("Nothing."));
    for wrong in ["from=then", "to=5", "from=5&to=4"] {
        assert!(browser.get(&format!("/admin/audit/changes/?{wrong}")).await.assert_status(400).has("problem"), "{wrong}");
    }
    let reads = all_events(&app.app.log).await.into_iter().filter(|event| event.event_type == "audit.read").count();
    assert_eq!(reads, 2, "only what was shown is a read");
}

async fn what_would_end_is_shown_and_then_ended(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = [app.grant(&client, "read").await.access, app.grant(&client, "read").await.access];
    let browser = administrator(&app).await;
    let story = browser.get(&found(&browser, "Ordinary").await).await.assert_status(200);
    let ask = story.attribute("#revoke", "href").unwrap();
    let page = browser.get(&ask).await.assert_status(200);
    assert!(page.text().contains("Live grants that would end: 2"), "{}", page.text());
    assert!(page.text_of("besides").unwrap().contains("disabled as well"));
    assert!(app.is_active(&client, &tokens[0]).await, "it was only shown");
    let forged = page.form("revoke").with("csrf_token", "x");
    browser.send(&forged).await.assert_error_page(403, "access_denied");
    assert!(app.is_active(&client, &tokens[0]).await);
    let done = browser.send(&page.form("revoke")).await.assert_status(303);
    assert_eq!(done.location(), format!("/admin/audit/clients/{}/", client.id));
    let last = all_events(&app.app.log).await.pop().unwrap();
    assert_eq!(last.event_type, "client.disabled");
    assert_eq!(
        (last.actor(), done.header("grantlog-position")),
        (format!("administrator:{}", app.administrator), last.position.to_string().as_str())
    );
    for token in &tokens {
        let other = app.ordinary_client().await;
        assert!(!app.is_active(&other, token).await);
    }
    let page = browser.get(&format!("{ask}&ui_locales=ja")).await.assert_status(200).text();
    assert!(page.contains("失効する有効な許可: 0"), "{page}");
}

async fn what_was_issued_since_a_moment_is_ended_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let before = app.token_of(&client, "read").await.access;
    app.app.clock.advance(100);
    let since = grantlog::clock::rfc3339(app.app.clock.now());
    let after = app.token_of(&client, "read").await.access;
    let browser = administrator(&app).await;
    let page = browser.get(&format!("/admin/audit/revoke/?point=all&since={since}")).await.assert_status(200);
    assert!(page.text().contains("Live grants that would end: 1") && !page.has("besides"), "{}", page.text());
    assert_eq!(browser.send(&page.form("revoke")).await.assert_status(303).location(), "/admin/audit/");
    assert!(app.is_active(&client, &before).await && !app.is_active(&client, &after).await);
}

async fn what_cannot_be_revoked_is_said_on_the_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = administrator(&app).await;
    let nobody = "019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    let own = format!("point=user&of={}", app.administrator);
    for (query, said) in [
        ("point=all".to_owned(), "Write since when"),
        ("point=client&of=Nobody".to_owned(), "knows nothing"),
        (format!("point=grant&of={nobody}"), "knows nothing"),
        (format!("point=session&of={nobody}"), "knows nothing"),
        ("point=key&of=x".to_owned(), "knows nothing"),
        ("point=odd&of=x".to_owned(), "knows nothing"),
        ("point=user&of=mika&since=then".to_owned(), "Write since when"),
        (own.clone(), "your own account"),
    ] {
        let page = browser.get(&format!("/admin/audit/revoke/?{query}")).await.assert_status(400);
        assert!(page.text_of("problem").unwrap().contains(said), "{query}: {}", page.text());
        assert!(!page.has("revoke"), "{query}");
    }
    let page = browser.get("/admin/audit/revoke/?point=user&of=mika").await.assert_status(200);
    let of_own = page.form("revoke").with("of", &app.administrator.to_string());
    browser.send(&of_own).await.assert_error_page(400, "invalid_request");
}
