//! The pages on which people let devices in (RFC 8628 sections 3.3 and 5), under django-oauth-toolkit's paths.

use serde_json::json;
use support::{Answer, Browser, DEVICE_CODE, Device, Kind, PASSWORD, TestApp, TestClient, USER, both_stores};

both_stores!(
    a_code_is_typed_as_people_type,
    a_link_fills_the_code_in_and_decides_nothing,
    the_question_shows_who_asks_for_what_and_warns,
    whoever_is_signed_out_signs_in_first_and_comes_back,
    a_known_client_asks_again,
    what_is_different_is_shown,
    a_code_is_decided_on_once,
    what_somebody_decided_is_told_to_them_alone,
    django_oauth_toolkits_paths_lead_there,
    another_clients_path_finds_nothing,
    codes_are_not_guessed,
    a_device_of_ones_own_wipes_out_no_guesses,
    a_form_of_another_session_decides_nothing,
    an_expired_code_is_told_kindly,
    a_picture_leads_to_our_own_page_alone,
);

async fn asked(app: &TestApp) -> (TestClient, Device) {
    let client = app.device_client().await;
    let device = app.device(&client, "read write").await;
    (client, device)
}

async fn a_code_is_typed_as_people_type(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    let plain = device.user_code.replace('-', "");
    for typed in [device.user_code.clone(), plain.to_lowercase(), format!(" {} {} ", &plain[..2], &plain[2..])] {
        assert!(browser.question_of(&typed).await.assert_status(200).has("allow"), "{typed}");
    }
    for wrong in ["", "BBBB-BBBB", "AAAA-AAAA", &plain[1..]] {
        let page = browser.question_of(wrong).await.assert_status(400);
        assert!(page.text_of("problem").is_some() && page.has("next"), "{wrong}");
    }
}

async fn a_link_fills_the_code_in_and_decides_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get(&format!("/o/device/?user_code={}", device.user_code.to_lowercase())).await.assert_status(200);
    assert_eq!(page.attribute("#user_code", "value"), Some(device.user_code.clone()));
    assert!(!page.has("allow"));
    let page = browser.press(&page, "next").await.assert_status(200);
    for _ in 0..2 {
        browser.get(&page.form("allow").action).await.assert_status(200);
    }
    app.poll(&client, &device).await.assert_error(400, "authorization_pending");
    let odd = browser.get("/o/device/?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await.assert_status(200);
    assert!(!odd.body.contains("<script"), "{odd:?}");
}

async fn the_question_shows_who_asks_for_what_and_warns(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app
        .client(json!({
            "client_name": "Living room", "grant_types": [DEVICE_CODE], "scope": "read write", "resources": ["https://films.example/"],
            "policy_uri": "https://films.example/privacy", "tos_uri": "https://films.example/terms",
        }))
        .await;
    let form = [("scope", "read"), ("resource", "https://films.example/")];
    let device = Device::of(&app.ask_on_device(&client, &form).await.assert_status(200));
    let browser = Browser::signed_in(&app).await;
    let page = browser.question_of(&device.user_code).await.assert_status(200);
    let text = page.text();
    for words in ["Living room", "Read your data", "https://films.example/", USER] {
        assert!(text.contains(words), "the page does not say {words}: {text}");
    }
    assert!(!text.contains("Change your data"));
    assert_eq!(page.text_of("user_code"), Some(device.user_code.clone()));
    assert!(page.text_of("warning").unwrap().contains("Deny"));
    assert!(page.has("client_policy") && page.has("client_tos") && page.has("allow") && page.has("deny"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let japanese = Browser::with_headers(&app, &[("accept-language", "ja")]);
    japanese.sign_in(USER, PASSWORD).await.assert_status(303);
    let page = japanese.question_of(&device.user_code).await.assert_status(200);
    assert!(page.text_of("warning").unwrap().contains("許可しない"));
}

async fn whoever_is_signed_out_signs_in_first_and_comes_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let browser = Browser::new(&app);
    let page = browser.open(&format!("/o/device/?user_code={}", device.user_code)).await.assert_status(200);
    let page = browser.sign_in_and_go_on(&page).await.assert_status(200);
    assert_eq!(page.attribute("#user_code", "value"), Some(device.user_code.clone()));
    let page = browser.press(&page, "next").await;
    assert!(browser.press(&page, "allow").await.assert_status(200).has("device_allowed"));
    app.poll(&client, &device).await.assert_status(200);
}

async fn a_known_client_asks_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let first_party = app.client(json!({"grant_types": [DEVICE_CODE], "scope": "read", "skip_consent": true})).await;
    for _ in 0..2 {
        let device = app.device(&first_party, "read").await;
        app.poll(&first_party, &device).await.assert_error(400, "authorization_pending");
        app.let_in(&device).await;
        app.poll(&first_party, &device).await.assert_status(200);
    }
    assert_eq!(app.consent(&first_party).await.unwrap().scope, "read");
}

async fn what_is_different_is_shown(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.question_of(&device.user_code).await;
    assert!(!page.has("differences"));
    browser.press(&page, "allow").await.assert_status(200);
    let device = app.device(&client, "read write").await;
    let page = browser.question_of(&device.user_code).await;
    assert!(page.has("different_scope") && !page.has("different_redirect_uri"));
    browser.press(&page, "allow").await.assert_status(200);
    assert_eq!(app.consent(&client).await.unwrap().scope, "read write");
}

async fn a_code_is_decided_on_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let (one, other) = (Browser::signed_in(&app).await, Browser::signed_in(&app).await);
    let (allow, deny) = (one.question_of(&device.user_code).await, other.question_of(&device.user_code).await);
    let (allow, deny) = (allow.form("allow"), deny.form("deny"));
    let (allowed, denied) = tokio::join!(one.send(&allow), other.send(&deny));
    let mut statuses = [allowed.status.as_u16(), denied.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400], "{allowed:?} {denied:?}");
    let error = if allowed.status == 303 { None } else { Some("access_denied") };
    match (app.poll(&client, &device).await, error) {
        (answer, None) => drop(answer.assert_status(200)),
        (answer, Some(error)) => drop(answer.assert_error(400, error)),
    }
    one.send(&allow).await.assert_status(400);
    other.send(&deny).await.assert_status(400);
}

async fn what_somebody_decided_is_told_to_them_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let status = format!("/o/device-grant-status/{}/{}", client.identifier, device.user_code);
    let browser = Browser::signed_in(&app).await;
    assert!(browser.open(&status).await.assert_status(200).has("allow"), "nobody has decided");
    let page = browser.question_of(&device.user_code).await;
    assert!(browser.press(&page, "deny").await.assert_status(200).has("device_denied"));
    assert!(browser.open(&status).await.assert_status(200).has("device_denied"));
    assert!(browser.question_of(&device.user_code).await.assert_status(200).has("device_denied"));
    let other = Browser::new(&app);
    other.sign_in(support::ADMINISTRATOR, PASSWORD).await.assert_status(303);
    for page in [other.open(&status).await, other.question_of(&device.user_code).await] {
        assert!(!page.has("device_denied") && page.text_of("problem").is_some() && page.status == 400, "{page:?}");
    }
}

async fn django_oauth_toolkits_paths_lead_there(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    for slash in ["", "/"] {
        let confirm = format!("/o/device-confirm/{}/{}{slash}", client.identifier, device.user_code);
        assert!(browser.get(&confirm).await.assert_status(200).has("allow"), "{confirm}");
        browser.get(&format!("/o/device{slash}")).await.assert_status(200);
    }
    let page = browser.question_of(&device.user_code).await;
    let done = browser.send(&page.form("allow")).await.assert_status(303);
    assert!(done.location().starts_with("/o/device-grant-status/"), "{done:?}");
    assert!(done.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let signed_out = Browser::new(&app);
    for path in ["/o/device/", done.location(), &page.form("allow").action] {
        assert!(signed_out.get(path).await.assert_status(303).location().starts_with("/sign-in/"), "{path}");
    }
}

async fn another_clients_path_finds_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, device) = asked(&app).await;
    let other = app.device_client().await;
    let browser = Browser::signed_in(&app).await;
    for client_id in [other.identifier.as_str(), "nobody", "%22%3E"] {
        for path in ["device-confirm", "device-grant-status"] {
            let page = browser.get(&format!("/o/{path}/{client_id}/{}", device.user_code)).await.assert_status(400);
            assert!(page.text_of("problem").is_some() && !page.has("allow"));
        }
    }
}

/// Enters wrong codes, as often as it says.
async fn guess(browser: &Browser<'_>, times: usize) -> Answer {
    let page = browser.open("/o/device/").await;
    let mut answer = page.clone();
    for _ in 0..times {
        answer = browser.send(&page.form("next").with("user_code", "BBBB-BBBB")).await;
    }
    answer
}

async fn codes_are_not_guessed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    guess(&browser, 10).await.assert_status(400);
    let blocked = guess(&browser, 1).await.assert_status(429);
    assert!(blocked.text_of("problem").is_some() && blocked.header("retry-after") == "900");
    browser.question_of(&device.user_code).await.assert_status(429);
    let confirm = format!("/o/device-confirm/{}/{}", "x", device.user_code);
    browser.get(&confirm).await.assert_status(429);
    // Another account from the same address may go on, until the address has had too many.
    let other = Browser::new(&app);
    other.sign_in(support::ADMINISTRATOR, PASSWORD).await.assert_status(303);
    assert!(other.question_of(&device.user_code).await.assert_status(200).has("allow"));
    app.app.clock.advance(900);
    assert!(browser.question_of(&app.device(&app.device_client().await, "read").await.user_code).await.has("allow"));
}

async fn a_device_of_ones_own_wipes_out_no_guesses(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.user_code_failures_per_source = 15).await;
    let (_, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    guess(&browser, 9).await.assert_status(400);
    assert!(browser.question_of(&device.user_code).await.assert_status(200).has("allow"));
    guess(&browser, 1).await.assert_status(400);
    guess(&browser, 1).await.assert_status(429);
    // Eleven of this account, and four more from the address.
    let other = Browser::new(&app);
    other.sign_in(support::ADMINISTRATOR, PASSWORD).await.assert_status(303);
    guess(&other, 4).await.assert_status(400);
    guess(&other, 1).await.assert_status(429);
}

async fn a_form_of_another_session_decides_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    let form = browser.question_of(&device.user_code).await.form("allow");
    let other = Browser::new(&app);
    other.sign_in(support::ADMINISTRATOR, PASSWORD).await.assert_status(303);
    other.send(&form).await.assert_error_page(403, "access_denied");
    let own = other.question_of(&device.user_code).await.form("allow");
    let token = own.fields.iter().find(|(name, _)| name == "csrf_token").unwrap().1.clone();
    other.send(&form.clone().with("csrf_token", &token)).await.assert_error_page(403, "access_denied");
    browser.send(&form.clone().with("csrf_token", "x")).await.assert_error_page(403, "access_denied");
    browser.send(&form.clone().with("question", "x")).await.assert_error_page(400, "invalid_request");
    browser.send(&form.clone().with("decision", "perhaps")).await.assert_error_page(400, "invalid_request");
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await.assert_error_page(403, "access_denied");
    app.poll(&client, &device).await.assert_error(400, "authorization_pending");
    browser.send(&form).await.assert_status(303);
}

async fn an_expired_code_is_told_kindly(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, device) = asked(&app).await;
    let browser = Browser::signed_in(&app).await;
    let form = browser.question_of(&device.user_code).await.form("allow");
    app.app.clock.advance(600);
    for page in [browser.send(&form).await, browser.question_of(&device.user_code).await] {
        assert!(page.status == 400 && page.text_of("problem").is_some_and(|text| text.contains("expired")), "{page:?}");
    }
}

async fn a_picture_leads_to_our_own_page_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let picture = app.get("/o/device/qr?user_code=wdjbmjht").await.assert_status(200);
    assert_eq!((picture.header("content-type"), picture.header("x-content-type-options")), ("image/svg+xml", "nosniff"));
    assert_eq!(picture.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(picture.body.starts_with("<svg") && picture.body.contains("http://www.w3.org/2000/svg"), "{}", picture.body);
    assert_eq!(app.get("/o/device/qr/?user_code=WDJB-MJHT").await.body, picture.body);
    let terminal = Answer::of(app.http.get(app.url("/o/device/qr/?user_code=WDJB-MJHT")).header("accept", "text/plain")).await;
    assert!(terminal.header("content-type").starts_with("text/plain") && terminal.body.contains('\u{2588}'), "{terminal:?}");
    for query in ["", "?user_code=", "?user_code=AAAA-AAAA", "?user_code=https://evil.example/"] {
        app.get(&format!("/o/device/qr{query}")).await.assert_error_page(400, "invalid_request");
    }
}
