//! The sign-in page and sessions: who comes in, and with which cookie.

use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, TestApp, USER, both_stores};

both_stores!(
    a_person_signs_in_and_comes_back_to_the_page_they_asked_for,
    a_wrong_password_and_an_unknown_name_look_the_same,
    a_session_cookie_is_for_no_script_and_this_host,
    over_https_cookies_carry_the_host_prefix_and_are_secure,
    the_session_cookie_changes_with_each_sign_in,
    a_planted_session_cookie_is_not_adopted,
    signing_in_as_somebody_else_keeps_the_first_session_beside,
    a_sign_in_without_its_forms_token_is_refused_and_can_be_tried_again,
    a_sign_in_from_another_site_is_refused,
    a_form_of_ours_under_no_referrer_is_accepted,
    nobody_is_sent_to_another_site_after_a_sign_in,
    too_many_failures_end_in_429_with_retry_after_known_or_not,
    a_password_of_a_megabyte_is_refused,
    a_locked_user_does_not_come_in,
    signing_out_asks_first_and_ends_the_session,
    signing_out_needs_the_forms_token,
    changing_the_password_ends_the_session,
    the_current_password_is_not_guessed_at_an_open_browser,
    pages_are_kept_by_nobody_and_framed_by_nobody,
    pages_speak_the_language_that_is_asked_for,
);

fn session_cookie(answer: &Answer) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    set.filter(|cookie| cookie.starts_with("grantlog=") || cookie.starts_with("__Host-grantlog=")).map(str::to_owned).next()
}

async fn a_person_signs_in_and_comes_back_to_the_page_they_asked_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let page = browser.open("/account/").await.assert_status(200);
    let answer = browser.sign_in_on(&page, USER, PASSWORD).await.assert_status(303);
    assert_eq!(answer.location(), "/account/");
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    assert!(browser.get("/account/").await.assert_status(200).text().contains(USER));
}

async fn a_wrong_password_and_an_unknown_name_look_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let wrong = browser.sign_in(USER, "wrong horse").await.assert_status(400);
    let unknown = browser.sign_in("nobody", "wrong horse").await.assert_status(400);
    assert_eq!(wrong.text_of("problem"), unknown.text_of("problem"));
    assert!(session_cookie(&wrong).is_none() && session_cookie(&unknown).is_none());
    assert_eq!(wrong.attribute("#username", "value").as_deref(), Some(USER));
    assert_eq!(wrong.attribute("#password", "value"), None);
    browser.sign_in_on(&wrong, USER, PASSWORD).await.assert_status(303);
}

async fn a_session_cookie_is_for_no_script_and_this_host(kind: Kind) {
    let app = TestApp::start(kind).await;
    let cookie = session_cookie(&Browser::new(&app).sign_in(USER, PASSWORD).await).expect("a cookie");
    for part in ["grantlog=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

async fn over_https_cookies_carry_the_host_prefix_and_are_secure(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.server.public_url = "https://id.example".parse().unwrap()).await;
    let page = app.get("/sign-in/").await;
    let browser_cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let form = page.form("login").with("username", USER).with("password", PASSWORD);
    let request = app.http.post(app.url(&form.action)).form(&form.fields).header("cookie", browser_cookie);
    let cookie = session_cookie(&Answer::of(request).await.assert_status(303)).expect("a cookie");
    assert!(cookie.starts_with("__Host-grantlog=") && cookie.contains("Secure"), "{cookie}");
    let plain = cookie.split(';').next().unwrap().replace("__Host-", "");
    let planted = Answer::of(app.http.get(app.url("/account/")).header("cookie", plain)).await;
    assert_eq!(planted.location(), "/sign-in/?next=%2Faccount%2F");
}

async fn the_session_cookie_changes_with_each_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    let first = session_cookie(&browser.sign_in_on(&page, USER, PASSWORD).await).unwrap();
    let second = session_cookie(&browser.sign_in_on(&page, USER, PASSWORD).await).unwrap();
    assert_ne!(first, second);
    let old = first.split(';').next().unwrap();
    Answer::of(app.http.get(app.url("/account/")).header("cookie", old)).await.assert_status(303);
}

async fn a_planted_session_cookie_is_not_adopted(kind: Kind) {
    let app = TestApp::start(kind).await;
    let planted = "grantlog=AAAAAAAAAAAAAAAAAAAAAA.planted";
    Answer::of(app.http.get(app.url("/account/")).header("cookie", planted)).await.assert_status(303);
    let page = app.get("/sign-in/").await;
    let cookies = format!("{planted}; {}", page.header("set-cookie").split(';').next().unwrap());
    let form = page.form("login").with("username", USER).with("password", PASSWORD);
    let request = app.http.post(app.url(&form.action)).form(&form.fields).header("cookie", cookies);
    let cookie = session_cookie(&Answer::of(request).await.assert_status(303)).unwrap();
    assert!(!cookie.contains("planted") && !cookie.contains("AAAAAAAAAAAAAAAAAAAAAA"), "{cookie}");
}

async fn signing_in_as_somebody_else_keeps_the_first_session_beside(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    let first = session_cookie(&browser.sign_in_on(&page, USER, PASSWORD).await).unwrap();
    browser.sign_in_on(&page, ADMINISTRATOR, PASSWORD).await.assert_status(303);
    assert!(browser.get("/account/").await.text().contains(ADMINISTRATOR));
    let old = first.split(';').next().unwrap();
    let beside = Answer::of(app.http.get(app.url("/account/")).header("cookie", old)).await.assert_status(200);
    assert!(beside.text().contains(USER));
}

async fn a_sign_in_without_its_forms_token_is_refused_and_can_be_tried_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let page = browser.get("/sign-in/").await;
    for token in ["", "AAAAAAAAAAAAAAAAAAAAAA"] {
        let form = page.form("login").with("username", USER).with("password", PASSWORD).with("csrf_token", token);
        let again = browser.send(&form).await.assert_status(403);
        assert!(session_cookie(&again).is_none());
        browser.sign_in_on(&again, USER, PASSWORD).await.assert_status(303);
    }
    let elsewhere = Browser::new(&app);
    elsewhere.get("/sign-in/").await;
    let form = page.form("login").with("username", USER).with("password", PASSWORD);
    elsewhere.send(&form).await.assert_status(403);
}

async fn a_sign_in_from_another_site_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let form = browser.get("/sign-in/").await.form("login").with("username", USER).with("password", PASSWORD);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    answer.assert_error_page(403, "access_denied");
}

async fn a_form_of_ours_under_no_referrer_is_accepted(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    let form = browser.get("/sign-in/").await.form("login").with("username", USER).with("password", PASSWORD);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post_with(&form.action, &fields, ("origin", "null")).await.assert_status(303);
    let own = app.url("");
    browser.post_with(&form.action, &fields, ("origin", &own)).await.assert_status(303);
}

async fn nobody_is_sent_to_another_site_after_a_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\/evil.example"] {
        let browser = Browser::new(&app);
        let page = browser.get("/sign-in/").await;
        let form = page.form("login").with("username", USER).with("password", PASSWORD).with("next", next);
        assert_eq!(browser.send(&form).await.assert_status(303).location(), "/account/", "{next}");
    }
}

async fn too_many_failures_end_in_429_with_retry_after_known_or_not(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.sign_in_failures_per_account = 2).await;
    for name in [USER, "nobody"] {
        let browser = Browser::new(&app);
        for _ in 0..2 {
            browser.sign_in(name, "wrong horse").await.assert_status(400);
        }
        let answer = browser.sign_in(name, PASSWORD).await.assert_status(429);
        assert_eq!(answer.header("retry-after"), "900");
        assert!(answer.has("problem") && session_cookie(&answer).is_none());
    }
    app.app.clock.advance(901);
    Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(303);
}

async fn a_password_of_a_megabyte_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    browser.sign_in(USER, &"x".repeat(1 << 20)).await.assert_error_page(413, "invalid_request");
    browser.sign_in(USER, &"x".repeat(2000)).await.assert_status(400);
}

async fn a_locked_user_does_not_come_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let inside = Browser::signed_in(&app).await;
    app.app.dispatch.lock_user(grantlog::log::Actor::Operator, app.user).await.unwrap();
    inside.get("/account/").await.assert_status(303);
    let answer = Browser::new(&app).sign_in(USER, PASSWORD).await.assert_status(403);
    assert!(session_cookie(&answer).is_none());
}

async fn signing_out_asks_first_and_ends_the_session(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/o/logout/").await.assert_status(200);
    assert!(page.has("logout") && !page.has("logged_out"));
    browser.get("/account/").await.assert_status(200);
    let page = browser.press(&page, "logout").await.assert_status(200);
    assert!(page.has("logged_out") && !page.has("logout"));
    browser.get("/account/").await.assert_status(303);
}

async fn signing_out_needs_the_forms_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    browser.post("/o/logout/decision/", &[]).await.assert_error_page(403, "access_denied");
    let page = browser.get("/o/logout").await;
    let other = Browser::signed_in(&app).await;
    other.send(&page.form("logout")).await.assert_error_page(403, "access_denied");
    let form = page.form("logout");
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let foreign = browser.post_with(&form.action, &fields, ("origin", "https://evil.example")).await;
    foreign.assert_error_page(403, "access_denied");
    browser.get("/account/").await.assert_status(200);
}

async fn changing_the_password_ends_the_session(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let form = browser.get("/account/").await.form("change_password");
    let wrong = form.clone().with("current_password", "wrong horse").with("new_password", "battery staple");
    browser.send(&wrong).await.assert_status(400);
    let short = form.clone().with("current_password", PASSWORD).with("new_password", "short");
    assert!(browser.send(&short).await.assert_status(400).text_of("problem").unwrap().contains('8'));
    let right = form.with("current_password", PASSWORD).with("new_password", "battery staple");
    browser.send(&right).await.assert_status(303);
    let page = browser.open("/account/").await.assert_status(200);
    assert!(page.has("login") && page.text().contains("Your password is changed"));
    browser.sign_in(USER, PASSWORD).await.assert_status(400);
    browser.sign_in(USER, "battery staple").await.assert_status(303);
    assert!(!browser.get("/account/").await.text().contains("Your password is changed"));
}

async fn the_current_password_is_not_guessed_at_an_open_browser(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.sign_in_failures_per_account = 2).await;
    let browser = Browser::signed_in(&app).await;
    let form = browser.get("/account/").await.form("change_password").with("new_password", "battery staple");
    for _ in 0..2 {
        browser.send(&form.clone().with("current_password", "wrong horse")).await.assert_status(400);
    }
    let right = form.with("current_password", PASSWORD);
    let stopped = browser.send(&right).await.assert_error_page(429, "access_denied");
    assert!(!stopped.header("retry-after").is_empty());
    app.app.clock.advance(901);
    browser.send(&right).await.assert_status(303);
}

async fn pages_are_kept_by_nobody_and_framed_by_nobody(kind: Kind) {
    let app = TestApp::start(kind).await;
    let signed_in = Browser::signed_in(&app).await;
    let pages = [
        app.get("/sign-in/").await,
        app.get("/o/authorize/").await,
        app.get("/o/logout/").await,
        signed_in.get("/account/").await,
        signed_in.get("/o/logout/").await,
    ];
    for page in pages {
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !page.body.contains("<script") && !page.body.contains("style="), "{page:?}");
    }
    let style = app.get("/static/style.css").await.assert_status(200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

async fn pages_speak_the_language_that_is_asked_for(kind: Kind) {
    let app = TestApp::start(kind).await;
    let lang = |page: &Answer| page.attribute("html", "lang");
    let japanese = Browser::with_headers(&app, &[("accept-language", "fr, ja;q=0.8, en;q=0.5")]);
    assert_eq!(lang(&japanese.get("/sign-in/").await).as_deref(), Some("ja"));
    assert_eq!(lang(&japanese.get("/o/authorize/").await).as_deref(), Some("ja"));
    assert_eq!(lang(&japanese.get("/sign-in/?ui_locales=en").await).as_deref(), Some("en"));
    assert_eq!(lang(&app.get("/sign-in/").await).as_deref(), Some("en"));
}
