//! From the sign-in to the decision: who is asked what, what is remembered, and whose answer counts (OpenID Connect Core section 3.1.2,
//! RFC 8252 section 8.6).

use domain::client::ClientMetadata;
use grantlog::log::Actor;
use serde_json::{Value, json};
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, USER, both_stores};

both_stores!(
    a_person_signs_in_allows_and_is_sent_back,
    a_person_who_denies_is_sent_back_with_access_denied,
    the_page_says_who_asks_for_what_in_words,
    the_page_speaks_the_language_of_ui_locales,
    a_name_cannot_turn_the_page_around,
    a_form_may_be_redirected_to_the_client_alone,
    an_abandoned_sign_in_writes_nothing,
    a_consent_is_remembered,
    a_wider_scope_or_another_resource_asks_again,
    a_changed_client_asks_again,
    a_changed_catalogue_asks_again,
    a_withdrawn_consent_asks_again,
    a_public_client_is_asked_for_every_time,
    a_native_client_is_asked_for_every_time,
    a_first_party_client_is_not_asked_for,
    prompt_consent_asks_again_even_for_a_first_party,
    approval_prompt_force_asks_again_and_auto_does_not,
    prompt_none_without_a_session_is_login_required,
    prompt_none_without_consent_is_consent_required,
    prompt_login_asks_for_the_password_once,
    prompt_select_account_asks_who_signs_in,
    a_sign_in_older_than_max_age_is_asked_for_again_once,
    prompt_none_with_an_old_sign_in_is_login_required,
    a_client_may_have_registered_how_old_a_sign_in_may_be,
    a_wrong_password_keeps_the_request,
    what_the_form_posts_never_overrides_the_request,
    a_decision_without_the_forms_token_is_refused,
    a_decision_from_another_site_is_refused,
    another_users_decision_is_refused,
    another_sessions_handle_is_refused,
    a_request_is_answered_once,
    a_denied_request_cannot_be_allowed_afterwards,
    a_request_expires,
    two_tabs_do_not_cross,
    a_tab_left_at_the_sign_in_page_still_works_after_another_signed_in,
    a_person_can_switch_to_another_account,
    a_client_that_is_disabled_or_changed_meanwhile_gets_no_code,
    a_person_who_is_signed_out_or_locked_meanwhile_lets_nothing_happen,
);

async fn asked(browser: &Browser<'_>, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    browser.open(&browser.app.authorize_path(client, changes)).await
}

/// A client with more scopes, and these members.
async fn client(app: &TestApp, members: Value) -> TestClient {
    let mut metadata = json!({"client_name": "App", "redirect_uris": [REDIRECT_URI], "scope": "openid profile read write"});
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client(metadata).await
}

async fn a_person_signs_in_allows_and_is_sent_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(page.has("login") && page.text().contains("Ordinary"));
    let page = browser.sign_in_and_go_on(&page).await.assert_status(200);
    assert!(page.has("allow") && page.has("deny") && !page.has("login"));
    let answer = browser.press(&page, "allow").await.assert_status(303);
    let code = answer.answered("code").unwrap();
    app.redeem(&client, &code).await.assert_status(200);
}

async fn a_person_who_denies_is_sent_back_with_access_denied(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let answer = browser.press(&page, "deny").await.assert_status(303).assert_error_redirect("access_denied");
    assert_eq!(answer.answered("state").as_deref(), Some("af0ifjsldkj"));
}

async fn the_page_says_who_asks_for_what_in_words(kind: Kind) {
    let app = TestApp::start(kind).await;
    let links = json!({
        "client_name": "Kakeibo", "client_uri": "https://app.example", "policy_uri": "https://app.example/privacy",
        "tos_uri": "https://app.example/terms", "resources": ["https://api.example/v1"],
    });
    let client = client(&app, links).await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[("scope", "read profile"), ("resource", "https://api.example/v1")]).await;
    for text in ["Kakeibo", "Read your data", "See your name and profile", "https://api.example/v1", USER, "app.example"] {
        assert!(page.text().contains(text), "{text}: {page:?}");
    }
    assert!(!page.text().contains("Change your data"));
    assert_eq!(page.attribute("#client_policy", "href").as_deref(), Some("https://app.example/privacy"));
    assert_eq!(page.attribute("#client_tos", "href").as_deref(), Some("https://app.example/terms"));
}

async fn the_page_speaks_the_language_of_ui_locales(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[("ui_locales", "fr ja")]).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    let page = browser.sign_in_and_go_on(&page).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("ja"));
    assert!(page.text().contains("あなたのデータを読む"));
}

async fn a_name_cannot_turn_the_page_around(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"client_name": "x".repeat(200)})).await;
    let page = asked(&Browser::signed_in(&app).await, &client, &[("login_hint", "\u{202e}evil\u{2066}")]).await;
    assert!(!page.body.contains(['\u{202e}', '\u{2066}']) && !page.text().contains(&"x".repeat(100)));
}

async fn a_form_may_be_redirected_to_the_client_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let sign_in = asked(&browser, &client, &[]).await;
    let consent = browser.sign_in_and_go_on(&sign_in).await;
    for page in [sign_in, consent] {
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    }
}

async fn an_abandoned_sign_in_writes_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let head = app.app.log.known_head();
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    browser.sign_in_on(&page, USER, "wrong horse").await.assert_status(400);
    assert_eq!(app.app.log.known_head(), head);
    assert!(page.text_of("error").is_none());
}

async fn a_consent_is_remembered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[("scope", "read write")])).await;
    let answer = asked(&browser, &client, &[]).await.assert_status(303);
    assert!(answer.answered("code").is_some());
    let elsewhere = Browser::new(&app);
    let page = asked(&elsewhere, &client, &[]).await;
    assert!(elsewhere.sign_in_and_go_on(&page).await.answered("code").is_some());
}

async fn a_wider_scope_or_another_resource_asks_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"resources": ["https://api.example/v1"]})).await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    for wider in [[("scope", "read write"), ("resource", "")], [("scope", "read"), ("resource", "https://api.example/v1")]] {
        let page = asked(&browser, &client, &wider).await.assert_status(200);
        browser.press(&page, "allow").await.assert_status(303);
        asked(&browser, &client, &wider).await.assert_status(303);
    }
    asked(&browser, &client, &[]).await.assert_status(303);
}

async fn a_changed_client_asks_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    rename(&app, &client).await;
    let page = asked(&browser, &client, &[]).await.assert_status(200);
    assert!(page.has("allow") && page.text().contains("Renamed"));
}

async fn rename(app: &TestApp, client: &TestClient) {
    let known = app.app.dispatch.client(&client.identifier).await.unwrap().unwrap();
    let metadata = known.state.registration().unwrap().metadata.clone();
    let renamed = ClientMetadata { client_name: Some("Renamed".to_owned()), ..metadata };
    app.app.dispatch.update_client(Actor::Operator, client.id, renamed).await.unwrap();
}

async fn a_changed_catalogue_asks_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    let mut entries = app.app.settings.catalogue();
    for scope in entries.scopes.iter_mut().filter(|scope| scope.name == "read") {
        scope.descriptions.insert("en".to_owned(), "Read everything".to_owned());
    }
    app.app.dispatch.adopt_catalogue(entries).await.unwrap();
    assert!(asked(&browser, &client, &[]).await.assert_status(200).text().contains("Read everything"));
}

async fn a_withdrawn_consent_asks_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    let (user, id) = (app.user.to_string(), client.id.to_string());
    let db = app.app.log.db();
    let row = projections::consent::of_user_and_client(db, &user, &id).await.unwrap().unwrap();
    app.app.dispatch.withdraw_consent(app.user, row.id.parse().unwrap()).await.unwrap();
    assert!(asked(&browser, &client, &[]).await.assert_status(200).has("allow"));
}

async fn a_public_client_is_asked_for_every_time(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"token_endpoint_auth_method": "none"})).await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    assert!(asked(&browser, &client, &[]).await.assert_status(200).has("allow"));
    asked(&browser, &client, &[("prompt", "none")]).await.assert_error_redirect("consent_required");
}

async fn a_native_client_is_asked_for_every_time(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"application_type": "native", "skip_consent": true})).await;
    let browser = Browser::signed_in(&app).await;
    browser.allow(&app.authorize_path(&client, &[])).await;
    assert!(asked(&browser, &client, &[]).await.assert_status(200).has("allow"));
}

async fn a_first_party_client_is_not_asked_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true})).await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    assert!(browser.sign_in_and_go_on(&page).await.answered("code").is_some());
    let forced = asked(&browser, &client, &[("approval_prompt", "force"), ("scope", "read write")]).await;
    assert!(forced.answered("code").is_some());
}

async fn prompt_consent_asks_again_even_for_a_first_party(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true})).await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[("prompt", "consent")]).await.assert_status(200);
    assert!(browser.press(&page, "allow").await.answered("code").is_some());
}

async fn approval_prompt_force_asks_again_and_auto_does_not(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    assert!(asked(&browser, &client, &[("approval_prompt", "auto")]).await.has("allow"));
    browser.allow(&app.authorize_path(&client, &[])).await;
    assert!(asked(&browser, &client, &[("approval_prompt", "auto")]).await.answered("code").is_some());
    assert!(asked(&browser, &client, &[("approval_prompt", "force")]).await.has("allow"));
    assert!(asked(&browser, &client, &[("prompt", "consent")]).await.has("allow"));
}

async fn prompt_none_without_a_session_is_login_required(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for scope in ["read", "write"] {
        let answer = asked(&Browser::new(&app), &client, &[("prompt", "none"), ("scope", scope)]).await;
        answer.assert_error_redirect("login_required");
    }
}

async fn prompt_none_without_consent_is_consent_required(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    asked(&browser, &client, &[("prompt", "none")]).await.assert_error_redirect("consent_required");
    browser.allow(&app.authorize_path(&client, &[])).await;
    assert!(asked(&browser, &client, &[("prompt", "none")]).await.answered("code").is_some());
    let wider = [("prompt", "none"), ("scope", "read write")];
    asked(&browser, &client, &wider).await.assert_error_redirect("consent_required");
}

async fn prompt_login_asks_for_the_password_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true})).await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[("prompt", "login")]).await.assert_status(200);
    assert!(page.has("login"));
    assert!(browser.sign_in_and_go_on(&page).await.answered("code").is_some());
}

async fn prompt_select_account_asks_who_signs_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[("prompt", "select_account"), ("login_hint", ADMINISTRATOR)]).await;
    assert_eq!(page.attribute("#username", "value").as_deref(), Some(ADMINISTRATOR));
    let answer = browser.sign_in_on(&page, ADMINISTRATOR, PASSWORD).await;
    assert!(browser.open(answer.location()).await.text().contains(ADMINISTRATOR));
}

async fn a_sign_in_older_than_max_age_is_asked_for_again_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true})).await;
    let browser = Browser::signed_in(&app).await;
    app.app.clock.advance(100);
    assert!(asked(&browser, &client, &[("max_age", "1000")]).await.answered("code").is_some());
    for max_age in ["99", "0"] {
        let page = asked(&browser, &client, &[("max_age", max_age)]).await.assert_status(200);
        assert!(page.has("login"));
        assert!(browser.sign_in_and_go_on(&page).await.answered("code").is_some());
        app.app.clock.advance(100);
    }
}

async fn prompt_none_with_an_old_sign_in_is_login_required(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true})).await;
    let browser = Browser::signed_in(&app).await;
    app.app.clock.advance(100);
    asked(&browser, &client, &[("prompt", "none"), ("max_age", "60")]).await.assert_error_redirect("login_required");
}

async fn a_client_may_have_registered_how_old_a_sign_in_may_be(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({"skip_consent": true, "default_max_age": 60})).await;
    let browser = Browser::signed_in(&app).await;
    assert!(asked(&browser, &client, &[]).await.answered("code").is_some());
    app.app.clock.advance(100);
    assert!(asked(&browser, &client, &[]).await.has("login"));
    asked(&browser, &client, &[("prompt", "none")]).await.assert_error_redirect("login_required");
    assert!(asked(&browser, &client, &[("max_age", "1000")]).await.answered("code").is_some(), "the request's own word counts");
}

async fn a_wrong_password_keeps_the_request(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    let again = browser.sign_in_on(&page, USER, "wrong horse").await.assert_status(400);
    assert!(again.text().contains("Ordinary"));
    assert!(browser.sign_in_and_go_on(&again).await.has("allow"));
}

async fn what_the_form_posts_never_overrides_the_request(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other = app.client(json!({"redirect_uris": ["https://other.example/cb"], "scope": "read write"})).await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    let form = form.with("scope", "read write").with("redirect_uri", "https://other.example/cb");
    let answer = browser.send(&form.with("client_id", &other.identifier).with("state", "changed")).await.assert_status(303);
    assert!(answer.location().starts_with(REDIRECT_URI), "{answer:?}");
    assert_eq!(answer.answered("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(app.redeem(&client, &answer.answered("code").unwrap()).await.tokens().scope, "read");
}

async fn a_decision_without_the_forms_token_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    for token in ["", "AAAAAAAAAAAAAAAAAAAAAA"] {
        browser.send(&form.clone().with("csrf_token", token)).await.assert_error_page(403, "access_denied");
    }
    for sealed in ["", "AAAA", &"A".repeat(500)] {
        browser.send(&form.clone().with("request", sealed)).await.assert_error_page(400, "invalid_request");
    }
    browser.send(&form.clone().with("decision", "")).await.assert_error_page(400, "invalid_request");
    browser.send(&form).await.assert_status(303);
}

async fn a_decision_from_another_site_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let form = asked(&browser, &client, &[]).await.form("allow");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    answer.assert_error_page(403, "access_denied");
    assert!(browser.post_with(&form.action, &fields, ("origin", "null")).await.answered("code").is_some());
}

async fn another_users_decision_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let victim = Browser::signed_in(&app).await;
    let form = asked(&victim, &client, &[]).await.form("allow");
    let attacker = Browser::new(&app);
    attacker.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    attacker.send(&form).await.assert_error_page(403, "access_denied");
    let own = asked(&attacker, &client, &[]).await.form("allow");
    let token = own.fields.iter().find(|(name, _)| name == "csrf_token").unwrap().1.clone();
    attacker.send(&form.clone().with("csrf_token", &token)).await.assert_error_page(403, "access_denied");
    Browser::new(&app).send(&form).await.assert_error_page(403, "access_denied");
    victim.send(&form).await.assert_status(303);
}

async fn another_sessions_handle_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let victim = Browser::new(&app);
    let page = asked(&victim, &client, &[]).await;
    let handle = victim.sign_in_on(&page, USER, PASSWORD).await.location().to_owned();
    assert!(handle.len() < 100, "{handle}");
    Browser::signed_in(&app).await.get(&handle).await.assert_error_page(403, "access_denied");
    app.get(&handle).await.assert_error_page(403, "access_denied");
    app.get("/o/authorize/continue/?request=unknown").await.assert_error_page(400, "invalid_request");
    assert!(victim.get(&handle).await.has("allow"));
}

async fn a_request_is_answered_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    let handle = browser.sign_in_on(&page, USER, PASSWORD).await.location().to_owned();
    let form = browser.get(&handle).await.form("allow");
    let (first, second) = tokio::join!(browser.send(&form), browser.send(&form));
    let codes = [&first, &second].iter().filter(|answer| answer.answered("code").is_some()).count();
    assert_eq!(codes, 1, "{first:?} {second:?}");
    browser.send(&form).await.assert_error_page(400, "invalid_request");
    browser.get(&handle).await.assert_error_page(400, "invalid_request");
}

async fn a_denied_request_cannot_be_allowed_afterwards(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    browser.press(&page, "deny").await.assert_error_redirect("access_denied");
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn a_request_expires(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let page = asked(&browser, &client, &[]).await;
    app.app.clock.advance(3601);
    browser.sign_in_on(&page, USER, PASSWORD).await.assert_error_page(400, "invalid_request");
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    app.app.clock.advance(3601);
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn two_tabs_do_not_cross(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let one = asked(&browser, &client, &[("state", "one"), ("scope", "read")]).await;
    let two = asked(&browser, &client, &[("state", "two"), ("scope", "write")]).await;
    let one = browser.sign_in_and_go_on(&one).await;
    let two = browser.sign_in_and_go_on(&two).await;
    let two = browser.press(&two, "allow").await;
    let one = browser.press(&one, "allow").await;
    for (answer, state, scope) in [(&one, "one", "read"), (&two, "two", "write")] {
        assert_eq!(answer.answered("state").as_deref(), Some(state));
        assert_eq!(app.redeem(&client, &answer.answered("code").unwrap()).await.tokens().scope, scope);
    }
}

async fn a_tab_left_at_the_sign_in_page_still_works_after_another_signed_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::new(&app);
    let left = asked(&browser, &client, &[]).await;
    browser.sign_in(USER, PASSWORD).await.assert_status(303);
    assert!(browser.sign_in_and_go_on(&left).await.has("allow"));
}

async fn a_person_can_switch_to_another_account(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let sign_in = browser.press(&page, "switch").await.assert_status(200);
    assert!(sign_in.has("login") && sign_in.text().contains("Ordinary"));
    let answer = browser.sign_in_on(&sign_in, ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let theirs = browser.open(answer.location()).await.assert_status(200);
    assert!(theirs.text().contains(ADMINISTRATOR));
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
    assert!(browser.press(&theirs, "allow").await.answered("code").is_some());
}

async fn a_client_that_is_disabled_or_changed_meanwhile_gets_no_code(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    rename(&app, &client).await;
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
    let page = asked(&browser, &client, &[]).await;
    app.disable(client.id).await;
    browser.press(&page, "allow").await.assert_error_page(400, "invalid_request");
}

async fn a_person_who_is_signed_out_or_locked_meanwhile_lets_nothing_happen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    let out = browser.get("/o/logout/").await;
    browser.press(&out, "logout").await;
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
    let browser = Browser::signed_in(&app).await;
    let page = asked(&browser, &client, &[]).await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    browser.press(&page, "allow").await.assert_error_page(403, "access_denied");
}
