//! `/o/applications/`: people register, edit and disable applications of their own, and see a secret once.

use grantlog::log::Actor;
use support::{ADMINISTRATOR, Answer, Browser, Kind, PASSWORD, PageForm, TestApp, TestClient, both_stores};

both_stores!(
    whoever_is_not_signed_in_signs_in_and_comes_back,
    a_registered_application_gets_tokens_and_its_secret_is_shown_once,
    a_public_application_has_no_secret,
    what_is_refused_is_told_beside_the_form_with_what_was_entered,
    an_application_is_edited_and_what_the_form_does_not_have_stays,
    of_two_who_edit_at_once_the_second_is_told,
    a_new_secret_is_shown_once_and_the_old_one_works_for_the_overlap,
    a_disabled_applications_tokens_are_dead_at_once_and_stay_so,
    an_owner_does_not_enable_what_an_administrator_disabled,
    another_persons_application_is_not_there,
    a_form_without_its_token_or_from_another_site_changes_nothing,
    a_form_cannot_set_what_its_owner_does_not_own,
    an_administrator_gives_privileged_scopes,
    names_of_applications_are_escaped,
    a_list_goes_page_by_page,
    a_read_waits_for_the_position_it_names,
    the_pages_speak_japanese,
);

const LIST: &str = "/o/applications/";

async fn new_form(browser: &Browser<'_>) -> PageForm {
    let form = browser.get("/o/applications/register/").await.assert_status(200).form("register");
    let form = form.with("client_name", "Shop").with("redirect_uris", "https://shop.example/cb");
    form.with("grant.client_credentials", "on").with("scope.read", "on")
}

/// Registers an application; gives the path of its page.
async fn register(browser: &Browser<'_>) -> String {
    browser.send(&new_form(browser).await).await.assert_status(303).location().to_owned()
}

fn client(page: &Answer) -> TestClient {
    let (identifier, secret) = (page.text_of("client_id").unwrap(), page.text_of("new_secret").unwrap());
    TestClient { id: identifier.parse().unwrap(), identifier, secret: secret.into() }
}

fn fields(form: &PageForm) -> Vec<(&str, &str)> {
    form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn whoever_is_not_signed_in_signs_in_and_comes_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    for path in [LIST, "/o/applications", "/o/applications/register/", "/o/applications/x/", "/o/authorized_tokens/", "/admin/"] {
        let sent = app.get(path).await.assert_status(303);
        assert!(sent.location().starts_with("/sign-in/?next=%2F"), "{path}");
    }
    let browser = Browser::new(&app);
    let page = browser.open(LIST).await;
    assert!(browser.sign_in_and_go_on(&page).await.body.contains("/o/applications/register/"));
}

async fn a_registered_application_gets_tokens_and_its_secret_is_shown_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.send(&new_form(&browser).await).await.assert_status(303);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let path = answer.location().to_owned();
    assert!(path.starts_with(LIST) && !path.contains('?'), "{path}");
    assert_eq!(answer.body, "");
    browser.head(&path).await.assert_status(200);

    let page = browser.get(&path).await.assert_status(200);
    let client = client(&page);
    assert!(page.text().contains("Shop"));
    app.token_of(&client, "read").await;

    let secret = page.text_of("new_secret").unwrap();
    for later in [&path, LIST, &format!("{path}update/"), &format!("{path}delete/")] {
        let page = browser.get(later).await.assert_status(200);
        assert!(!page.has("new_secret") && !page.body.contains(&secret), "{later}");
    }
    assert!(browser.get(LIST).await.text().contains("Shop"));
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    assert_eq!(registered.state.registration().unwrap().owner, Some(app.user));
}

async fn a_public_application_has_no_secret(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let mut form = new_form(&browser).await.with("kind", "native").with("redirect_uris", "com.example.app:/cb");
    let refused = browser.send(&form).await.assert_status(400);
    assert!(refused.text_of("problem").unwrap().contains("cannot act for itself"));
    form.fields.retain(|(name, _)| name != "grant.client_credentials");
    let path = browser.send(&form).await.assert_status(303).location().to_owned();
    let page = browser.get(&path).await;
    assert!(!page.has("new_secret") && !page.has("rotate"));
    let question = browser.get(&format!("{path}delete/")).await.form("disable");
    let forged = PageForm { action: format!("{path}secret/"), ..question }.with("overlap", "0");
    browser.send(&forged).await.assert_error_page(400, "invalid_request");
}

async fn what_is_refused_is_told_beside_the_form_with_what_was_entered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let form = new_form(&browser).await;
    let without = |name: &str| {
        let mut form = form.clone();
        form.fields.retain(|(own, _)| own != name);
        form
    };
    let no_grants = PageForm {
        fields: form.fields.iter().filter(|(name, _)| !name.starts_with("grant.")).cloned().collect(),
        ..form.clone()
    };
    for (form, field, words) in [
        (form.clone().with("redirect_uris", "http://shop.example/cb"), "redirect_uris", "http is for localhost"),
        (form.clone().with("redirect_uris", ""), "redirect_uris", "at least one"),
        (form.clone().with("redirect_uris", "https://shop.example/*"), "redirect_uris", "wildcard"),
        (form.clone().with("redirect_uris", "javascript:alert(1)"), "redirect_uris", "scheme"),
        (form.clone().with("client_name", "  "), "client_name", "name"),
        (form.clone().with("client_name", "a\u{202e}b"), "client_name", "control character"),
        (form.clone().with("logo_uri", "http://shop.example/logo.png"), "logo_uri", "https"),
        (form.clone().with("tos_uri", "javascript:alert(1)"), "tos_uri", "https"),
        (without("scope.read"), "scope", "at least one"),
        (no_grants, "grant_types", "at least one"),
    ] {
        let page = browser.send(&form).await.assert_status(400);
        assert!(page.text_of("problem").unwrap().contains(words), "{field}: {page:?}");
        assert!(page.body.contains(&format!("href=\"#field_{field}\"")) && page.has(&format!("field_{field}")), "{field}");
        let again = page.form("register");
        for (name, value) in form.fields.iter().filter(|(name, value)| name != "client_name" && !value.is_empty()) {
            assert!(again.fields.contains(&(name.clone(), value.clone())), "{field}: {name} {value:?}");
        }
    }
    browser.send(&form.clone().with("kind", "toaster")).await.assert_error_page(400, "invalid_request");
    browser.send(&form.with("policy", "none")).await.assert_error_page(400, "invalid_request");
    assert!(browser.get(LIST).await.text().contains("have not registered"));
}

async fn an_application_is_edited_and_what_the_form_does_not_have_stays(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let client = client(&browser.get(&path).await);
    let before = app.app.dispatch.client_by_id(client.id).await.unwrap().state.registration().unwrap().metadata.clone();
    let mut given = before.clone();
    given.access_token_lifetime = Some(90);
    given.scope = "read introspection".parse().unwrap();
    app.app.dispatch.update_client(Actor::Operator, client.id, given).await.unwrap();

    let form = browser.get(&format!("{path}update/")).await.assert_status(200).form("save");
    let form = form.with("client_name", "Store").with("access_token_format", "opaque").with("scope.write", "on");
    let saved = browser.send(&form).await.assert_status(303);
    assert_eq!(saved.location(), path);
    assert!(saved.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let page = browser.get(&path).await;
    assert!(page.text().contains("Store") && page.text().contains("Your changes are saved"));
    let after = app.app.dispatch.client_by_id(client.id).await.unwrap().state.registration().unwrap().metadata.clone();
    assert_eq!(after.client_name.as_deref(), Some("Store"));
    assert_eq!(after.access_token_lifetime, Some(90));
    assert_eq!(after.scope.to_string(), "read write introspection");
    assert_eq!((after.redirect_uris, after.grant_types), (before.redirect_uris, before.grant_types));
    assert_eq!(app.token_of(&client, "read").await.expires_in, 90);
}

async fn of_two_who_edit_at_once_the_second_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let form = browser.get(&format!("{path}update/")).await.form("save");
    browser.send(&form.clone().with("client_name", "First")).await.assert_status(303);
    let told = browser.send(&form.with("client_name", "Second")).await.assert_status(400);
    assert!(told.text_of("problem").unwrap().contains("changed elsewhere"));
    assert!(browser.get(&path).await.text().contains("First"));
    browser.send(&told.form("save")).await.assert_status(303);
    assert!(browser.get(&path).await.text().contains("Second"));
}

async fn a_new_secret_is_shown_once_and_the_old_one_works_for_the_overlap(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let page = browser.get(&path).await;
    let first = client(&page);
    browser.send(&page.form("rotate").with("overlap", "86400")).await.assert_status(303);
    let second = client(&browser.get(&path).await);
    assert!(!browser.get(&path).await.has("new_secret"));
    app.token_of(&first, "read").await;
    app.token_of(&second, "read").await;
    app.app.clock.advance(86_401);
    app.client_credentials(&first, "read").await.assert_error(401, "invalid_client");
    app.token_of(&second, "read").await;

    let form = browser.get(&path).await.form("rotate");
    browser.send(&form.clone().with("overlap", "31536000")).await.assert_error_page(400, "invalid_request");
    browser.send(&form.with("overlap", "0")).await.assert_status(303);
    app.client_credentials(&second, "read").await.assert_error(401, "invalid_client");
    let other = Browser::signed_in(&app).await;
    assert!(!other.get(&path).await.has("new_secret"), "another session takes it");
    app.token_of(&client(&browser.get(&path).await), "read").await;
}

async fn a_disabled_applications_tokens_are_dead_at_once_and_stay_so(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let client = client(&browser.get(&path).await);
    let tokens = app.token_of(&client, "read").await;
    app.get_with("/api/resource", &tokens.access).await.assert_status(200);

    let question = browser.get(&format!("{path}delete/")).await.assert_status(200);
    app.get_with("/api/resource", &tokens.access).await.assert_status(200);
    let answer = browser.send(&question.form("disable")).await.assert_status(303);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    app.client_credentials(&client, "read").await.assert_error(401, "invalid_client");

    let page = browser.get(&path).await;
    browser.press(&page, "enable").await.assert_status(200);
    app.get_with("/api/resource", &tokens.access).await.assert_status(401);
    app.token_of(&client, "read").await;
}

async fn an_owner_does_not_enable_what_an_administrator_disabled(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let client = client(&browser.get(&path).await);
    app.app.dispatch.disable_client(Actor::Administrator(app.administrator), client.id).await.unwrap();
    let page = browser.get(&path).await;
    browser.send(&page.form("enable")).await.assert_error_page(400, "invalid_request");
    app.client_credentials(&client, "read").await.assert_error(401, "invalid_client");
}

async fn another_persons_application_is_not_there(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (owner, other) = (Browser::signed_in(&app).await, Browser::new(&app));
    other.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let (path, others_path) = (register(&owner).await, register(&other).await);
    let unowned = app.ordinary_client().await;
    let invented = ["00000000-0000-7000-8000-000000000000", "x", "..%2F..%2Fadmin", "%00"].map(|id| format!("{LIST}{id}/"));
    let token = other.get(&others_path).await.form("rotate");
    for path in [vec![path.clone(), format!("{LIST}{}/", unowned.id)], invented.to_vec()].concat() {
        for part in ["", "update/", "delete/"] {
            other.get(&format!("{path}{part}")).await.assert_error_page(404, "invalid_request");
        }
        for part in ["update/", "delete/", "enable/", "secret/"] {
            let form = PageForm { action: format!("{path}{part}"), ..token.clone() };
            other.send(&form).await.assert_error_page(404, "invalid_request");
        }
    }
    assert!(owner.get(&path).await.assert_status(200).has("new_secret"));
}

async fn a_form_without_its_token_or_from_another_site_changes_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let path = register(&browser).await;
    let client = client(&browser.get(&path).await);
    let (page, question) = (browser.get(&path).await, browser.get(&format!("{path}delete/")).await);
    let edit = browser.get(&format!("{path}update/")).await.form("save");
    let enable = PageForm { action: format!("{path}enable/"), ..question.form("disable") };
    let stranger = Browser::signed_in(&app).await;
    for form in [new_form(&browser).await, edit, page.form("rotate"), question.form("disable"), enable] {
        browser.send(&form.clone().with("csrf_token", "")).await.assert_error_page(403, "access_denied");
        browser.send(&form.clone().with("csrf_token", "AAAAAAAAAAAAAAAAAAAAAA")).await.assert_error_page(403, "access_denied");
        stranger.send(&form).await.assert_error_page(403, "access_denied");
        let foreign = browser.post_with(&form.action, &fields(&form), ("origin", "https://evil.example")).await;
        foreign.assert_error_page(403, "access_denied");
        Browser::new(&app).send(&form).await.assert_error_page(403, "access_denied");
    }
    app.token_of(&client, "read").await;
}

async fn a_form_cannot_set_what_its_owner_does_not_own(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let administrator = app.administrator.to_string();
    let form = new_form(&browser).await;
    let page = browser.get("/o/applications/register/").await;
    assert!(!page.body.contains("skip_consent") && !page.body.contains("scope.introspection"));
    let form = [
        ("owner", administrator.as_str()),
        ("client_id", "chosen"),
        ("id", &administrator),
        ("client_secret", "chosen"),
        ("skip_consent", "on"),
        ("scope.introspection", "on"),
        ("scope", "introspection"),
        ("resources", "https://api.example"),
        ("access_token_lifetime", "999999"),
        ("enabled", "false"),
    ]
    .into_iter()
    .fold(form, |form, (name, value)| form.with(name, value));
    let path = browser.send(&form).await.assert_status(303).location().to_owned();
    let client = client(&browser.get(&path).await);
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    let registration = registered.state.registration().unwrap();
    assert_eq!((registration.owner, registration.identifier.as_str()), (Some(app.user), client.id.to_string().as_str()));
    let metadata = &registration.metadata;
    assert_eq!(metadata.scope.to_string(), "read");
    assert!(!metadata.skip_consent && metadata.resources.is_empty() && metadata.access_token_lifetime.is_none());
}

async fn an_administrator_gives_privileged_scopes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::new(&app);
    browser.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
    let form = new_form(&browser).await.with("scope.introspection", "on").with("resources", "https://api.example");
    let path = browser.send(&form.with("skip_consent", "on")).await.assert_status(303).location().to_owned();
    let client = client(&browser.get(&path).await);
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    let metadata = &registered.state.registration().unwrap().metadata;
    assert_eq!(metadata.scope.to_string(), "introspection read");
    assert!(metadata.skip_consent);
    assert_eq!(metadata.resources, ["https://api.example"]);
}

async fn names_of_applications_are_escaped(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    let name = "<script>alert(1)</script>\"'&";
    let form = new_form(&browser).await.with("client_name", name);
    let path = browser.send(&form).await.assert_status(303).location().to_owned();
    for path in [&path, LIST, &format!("{path}update/"), &format!("{path}delete/")] {
        let page = browser.get(path).await.assert_status(200);
        assert!(!page.body.contains("<script") && page.body.contains("script&"), "{page:?}");
    }
    let form = browser.get(&format!("{path}update/")).await.form("save");
    assert!(form.fields.contains(&("client_name".to_owned(), name.to_owned())));
    let broken = form.with("client_name", "</textarea><script>").with("redirect_uris", "</textarea><script>alert(1)</script>");
    let page = browser.send(&broken).await.assert_status(400);
    assert!(!page.body.contains("<script"), "{page:?}");
}

async fn a_list_goes_page_by_page(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.page_size_max = 2).await;
    let browser = Browser::signed_in(&app).await;
    for _ in 0..3 {
        register(&browser).await;
    }
    let links = |page: &Answer| page.body.matches("class=\"tile\"").count();
    let first = browser.get("/o/applications/?limit=1000").await.assert_status(200);
    assert_eq!(links(&first), 2);
    let next = first.attribute("#next_page", "href").unwrap();
    let second = browser.get(&next).await.assert_status(200);
    assert_eq!((links(&second), second.has("next_page")), (1, false));
    browser.get("/o/applications/?after=x").await.assert_error_page(400, "invalid_request");
}

async fn a_read_waits_for_the_position_it_names(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.read_deadline_ms = 50).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.send(&new_form(&browser).await).await;
    let position: i64 = answer.header("grantlog-position").parse().unwrap();
    for path in [LIST, "/o/authorized_tokens/", "/account/"] {
        browser.get(&format!("{path}?min_position={position}")).await.assert_status(200);
        let behind = browser.get(&format!("{path}?min_position={}", position + 1_000_000)).await;
        assert_ne!(behind.assert_error_page(503, "temporarily_unavailable").header("retry-after"), "");
        browser.get(&format!("{path}?min_position=x")).await.assert_error_page(400, "invalid_request");
    }
}

async fn the_pages_speak_japanese(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::with_headers(&app, &[("accept-language", "ja")]);
    browser.sign_in(support::USER, PASSWORD).await.assert_status(303);
    let path = register(&browser).await;
    let page = browser.get(&path).await;
    assert!(page.text().contains("あなたのデータを読む") && page.text().contains("アプリケーションを登録しました"), "{page:?}");
    assert!(browser.get("/o/authorized_tokens/").await.text().contains("アカウントへのアクセス許可"));
}
