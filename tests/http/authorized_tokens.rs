//! `/o/authorized_tokens/`: people see which applications have access to their account, and take it back.

use serde_json::json;
use support::{ADMINISTRATOR, Browser, Kind, PASSWORD, PageForm, TestApp, both_stores};

both_stores!(
    what_was_allowed_is_listed_by_application_in_words,
    withdrawn_access_is_dead_at_once_and_leaves_the_list,
    a_first_party_application_is_marked,
    the_grants_that_are_shown_are_those_that_live,
    nothing_of_others_is_shown_or_withdrawn,
    withdrawing_needs_the_forms_token_and_our_own_page,
    names_and_scopes_are_escaped,
);

const LIST: &str = "/o/authorized_tokens/";

async fn what_was_allowed_is_listed_by_application_in_words(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    assert!(browser.get(LIST).await.assert_status(200).text().contains("No application has access"));
    let client = app.ordinary_client().await;
    for _ in 0..2 {
        app.grant(&client, "read write").await;
    }
    let consent = app.consent(&client).await.unwrap();
    let page = browser.get(LIST).await.assert_status(200);
    let text = page.text();
    assert!(text.contains("Ordinary") && text.contains("Read your data") && text.contains("Change your data"), "{text}");
    assert!(text.contains("Let in at present: 2") && !text.contains("First-party"), "{text}");
    assert!(page.has(&format!("withdraw_{}", consent.id)));
    assert_eq!(page.body.matches("<h2").count(), 1);
    let japanese = browser.get(&format!("{LIST}?ui_locales=ja")).await.text();
    assert!(japanese.contains("あなたのデータを読む"), "{japanese}");
}

async fn withdrawn_access_is_dead_at_once_and_leaves_the_list(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    for by_question in [false, true] {
        let tokens = app.grant(&client, "read").await;
        app.get_with("/api/resource", &tokens.access).await.assert_status(200);
        let id = app.consent(&client).await.unwrap().id;
        let form = match by_question {
            false => browser.get(LIST).await.form(&format!("withdraw_{id}")),
            true => browser.get(&format!("{LIST}{id}/delete/")).await.assert_status(200).form("withdraw"),
        };
        assert_eq!(form.action, format!("{LIST}{id}/delete/"));
        let answer = browser.send(&form).await.assert_status(303);
        assert_eq!(answer.location(), LIST);
        assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
        app.get_with("/api/resource", &tokens.access).await.assert_status(401);
        assert!(!app.is_active(&client, &tokens.access).await);
        app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
        let page = browser.get(LIST).await;
        assert!(!page.text().contains("Ordinary") && page.text().contains("The access is withdrawn"));
        browser.get(&format!("{LIST}{id}/delete/")).await.assert_error_page(404, "invalid_request");
    }
}

async fn a_first_party_application_is_marked(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata =
        json!({"client_name": "Ours", "redirect_uris": [support::REDIRECT_URI], "scope": "read", "skip_consent": true});
    let client = app.client(metadata).await;
    let browser = Browser::signed_in(&app).await;
    assert!(browser.allow(&app.authorize_path(&client, &[])).await.answered("code").is_some());
    let text = browser.get(LIST).await.text();
    assert!(text.contains("Ours") && text.contains("First-party"), "{text}");
}

async fn the_grants_that_are_shown_are_those_that_live(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({
        "client_name": "Ordinary", "redirect_uris": [support::REDIRECT_URI], "scope": "read offline_access",
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let client = app.client(metadata).await;
    let browser = Browser::signed_in(&app).await;
    let (offline, ends) = (app.grant(&client, "read offline_access").await, Browser::signed_in(&app).await);
    assert!(browser.get(LIST).await.text().contains("Let in at present: 1"));
    assert!(ends.allow(&app.authorize_path(&client, &[("scope", "read")])).await.answered("code").is_some());
    assert!(browser.get(LIST).await.text().contains("Let in at present: 2"));
    let page = ends.get("/o/logout/").await;
    ends.press(&page, "logout").await.assert_status(200);
    assert!(browser.get(LIST).await.text().contains("Let in at present: 1"), "a sign-out ends what was not offline access");
    app.revoke(&client, offline.refresh_token()).await.assert_status(200);
    let text = browser.get(LIST).await.text();
    assert!(text.contains("Ordinary") && text.contains("not let in at present"), "{text}");
}

async fn nothing_of_others_is_shown_or_withdrawn(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let id = app.consent(&client).await.unwrap().id;
    let other = Browser::new(&app);
    other.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    assert!(!other.get(LIST).await.text().contains("Ordinary"));
    let token = other.get("/o/logout/").await.form("logout");
    for id in [id.as_str(), "00000000-0000-7000-8000-000000000000", "x"] {
        let path = format!("{LIST}{id}/delete/");
        other.get(&path).await.assert_error_page(404, "invalid_request");
        other.send(&PageForm { action: path, ..token.clone() }).await.assert_error_page(404, "invalid_request");
    }
    app.get_with("/api/resource", &tokens.access).await.assert_status(200);
}

async fn withdrawing_needs_the_forms_token_and_our_own_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let browser = Browser::signed_in(&app).await;
    let id = app.consent(&client).await.unwrap().id;
    let form = browser.get(LIST).await.form(&format!("withdraw_{id}"));
    browser.send(&form.clone().with("csrf_token", "")).await.assert_error_page(403, "access_denied");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let foreign = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    foreign.assert_error_page(403, "access_denied");
    Browser::new(&app).send(&form).await.assert_error_page(403, "access_denied");
    app.get_with("/api/resource", &tokens.access).await.assert_status(200);
}

async fn names_and_scopes_are_escaped(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        let words = settings.scopes.get_mut("read").unwrap();
        words.descriptions.insert("en".to_owned(), "<img src=x onerror=alert(1)>".to_owned());
    })
    .await;
    let metadata = json!({"client_name": "<script>alert(1)</script>", "redirect_uris": [support::REDIRECT_URI], "scope": "read"});
    let client = app.client(metadata).await;
    app.grant(&client, "read").await;
    let browser = Browser::signed_in(&app).await;
    let id = app.consent(&client).await.unwrap().id;
    for path in [LIST, &format!("{LIST}{id}/delete/")] {
        let page = browser.get(path).await.assert_status(200);
        assert!(!page.body.contains("<script") && !page.body.contains("<img"), "{page:?}");
    }
}
