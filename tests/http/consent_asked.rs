//! Who is asked, what is remembered, and what asks again (OpenID Connect Core section 3.1.2.1, RFC 8252 section 8.6).

use domain::client::ClientMetadata;
use grantlog::log::Actor;
use serde_json::json;
use support::{ADMINISTRATOR, Browser, Kind, PASSWORD, TestApp, TestClient, both_stores};

use super::consent::{asked, client};

both_stores!(
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
);

pub(crate) async fn rename(app: &TestApp, client: &TestClient) {
    let known = app.app.dispatch.client(&client.identifier).await.unwrap().unwrap();
    let metadata = known.state.registration().unwrap().metadata.clone();
    let renamed = ClientMetadata { client_name: Some("Renamed".to_owned()), ..metadata };
    app.app.dispatch.update_client(Actor::Operator, client.id, renamed).await.unwrap();
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
