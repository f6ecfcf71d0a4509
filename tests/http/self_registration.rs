//! Clients register themselves (RFC 7591), and manage their registration (RFC 7592).

use std::net::SocketAddr;

use domain::client::Policy;
use grantlog::log::Actor;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Kind, TestApp, both_stores};

both_stores!(
    nobody_registers_without_an_invitation_unless_the_settings_say_so,
    an_invited_client_registers_and_is_told_all_that_it_is_registered_with,
    a_registered_client_gets_tokens,
    an_invitation_is_good_so_often_and_so_long,
    one_of_many_registers_with_an_invitation_for_one_over_two_nodes,
    what_is_refused_uses_no_invitation_up,
    refusals_are_told_as_the_standard_says,
    rights_are_not_taken_by_oneself,
    who_names_few_scopes_is_registered_for_all_where_the_settings_say_so,
    a_client_reads_changes_and_takes_back_its_registration,
    a_change_is_whole_and_held_to_the_same_rules,
    of_two_changes_with_one_token_one_is_made,
    a_registration_token_is_for_its_own_client_alone,
    open_registrations_are_counted_by_source_and_in_all,
    an_open_client_that_nobody_uses_is_gone_after_a_while,
    a_disabled_client_manages_nothing,
);

/// Sends JSON, with a bearer token if there is one.
async fn send(app: &TestApp, method: Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
    send_to(app, app.address, (method, path), token, body).await
}

async fn send_to(app: &TestApp, node: SocketAddr, (method, path): (Method, &str), token: Option<&str>, body: &Value) -> Answer {
    let request = app.http.request(method, format!("http://{node}{path}")).json(body);
    Answer::of(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

async fn register(app: &TestApp, token: Option<&str>, metadata: &Value) -> Answer {
    send(app, Method::POST, "/o/register/", token, metadata).await
}

async fn invitation(app: &TestApp, uses: u32, lifetime: u32) -> String {
    let invitation = app.app.dispatch.invite(Actor::Operator, uses, lifetime).await.unwrap().answer;
    invitation.token.expose_secret().to_owned()
}

async fn open(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| settings.registration.open = true).await
}

fn web() -> Value {
    json!({"client_name": "Web", "redirect_uris": ["https://web.example/cb"], "scope": "openid read"})
}

fn text<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member}: {answer}"))
}

/// The path and the token by which a client manages its registration.
fn management(answer: &Value) -> (String, String) {
    let path = format!("/o/register/{}/", text(answer, "client_id"));
    assert!(text(answer, "registration_client_uri").ends_with(&path), "{answer}");
    (path, text(answer, "registration_access_token").to_owned())
}

async fn nobody_registers_without_an_invitation_unless_the_settings_say_so(kind: Kind) {
    let app = TestApp::start(kind).await;
    let refused = register(&app, None, &web()).await.assert_error(401, "invalid_token");
    assert!(refused.header("www-authenticate").starts_with("Bearer "));
    register(&app, Some("invented"), &web()).await.assert_error(401, "invalid_token");
    let app = open(kind).await;
    register(&app, None, &web()).await.assert_status(201);
    register(&app, Some("invented"), &web()).await.assert_error(401, "invalid_token");
}

async fn an_invited_client_registers_and_is_told_all_that_it_is_registered_with(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({
        "client_name": "Web", "client_name#ja": "\u{30a6}\u{30a7}\u{30d6}", "redirect_uris": ["https://web.example/cb"],
        "contacts": ["a@web.example"], "logo_uri": "https://web.example/logo.png", "default_max_age": 60,
        "id_token_signed_response_alg": "ES256", "favourite_colour": "blue", "client_id": "mine", "client_secret": "mine",
    });
    let answer = register(&app, Some(&invitation(&app, 1, 60).await), &metadata).await.assert_status(201);
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let told = answer.json();
    for member in ["client_name", "client_name#ja", "redirect_uris", "contacts", "logo_uri", "default_max_age"] {
        assert_eq!(told[member], metadata[member], "{member}");
    }
    let defaults = json!({
        "token_endpoint_auth_method": "client_secret_basic", "grant_types": ["authorization_code"], "response_types": ["code"],
        "application_type": "web", "scope": "address email offline_access openid phone profile read write", "client_secret_expires_at": 0,
    });
    for (member, value) in defaults.as_object().unwrap() {
        assert_eq!(&told[member], value, "{member}");
    }
    assert!(told.get("favourite_colour").is_none() && told["client_id"] != "mine" && text(&told, "client_secret").len() >= 43);
    assert!(told["client_id_issued_at"].as_i64().unwrap() > 1_700_000_000);
    management(&told);
}

async fn a_registered_client_gets_tokens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({"grant_types": ["client_credentials"], "scope": "read"});
    let told = register(&app, Some(&invitation(&app, 1, 60).await), &metadata).await.assert_status(201).json();
    let request = app.http.post(app.url("/o/token/")).form(&[("grant_type", "client_credentials")]);
    let request = request.basic_auth(text(&told, "client_id"), Some(text(&told, "client_secret")));
    assert_eq!(Answer::of(request).await.assert_status(200).tokens().scope, "read");
}

async fn an_invitation_is_good_so_often_and_so_long(kind: Kind) {
    let app = TestApp::start(kind).await;
    let token = invitation(&app, 2, 60).await;
    for _ in 0..2 {
        register(&app, Some(&token), &web()).await.assert_status(201);
    }
    register(&app, Some(&token), &web()).await.assert_error(401, "invalid_token");
    let token = invitation(&app, 2, 60).await;
    app.app.clock.advance(61);
    register(&app, Some(&token), &web()).await.assert_error(401, "invalid_token");
    let made = app.app.dispatch.invite(Actor::Operator, 1, 60).await.unwrap().answer;
    app.app.dispatch.withdraw_invitation(Actor::Operator, made.id).await.unwrap();
    register(&app, Some(made.token.expose_secret()), &web()).await.assert_error(401, "invalid_token");
}

async fn one_of_many_registers_with_an_invitation_for_one_over_two_nodes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let nodes = [app.address, app.another_node_serving().await];
    let token = invitation(&app, 1, 60).await;
    let metadata = web();
    let tries = (0..20).map(|n| send_to(&app, nodes[n % 2], (Method::POST, "/o/register/"), Some(&token), &metadata));
    let statuses: Vec<_> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 19, "{statuses:?}");
}

async fn what_is_refused_uses_no_invitation_up(kind: Kind) {
    let app = TestApp::start(kind).await;
    let token = invitation(&app, 1, 60).await;
    register(&app, Some(&token), &json!({"redirect_uris": ["https://web.example/*"]})).await;
    register(&app, Some(&token), &json!({"redirect_uris": ["https://web.example/cb"], "scope": "fly"})).await;
    register(&app, Some(&token), &web()).await.assert_status(201);
}

async fn refusals_are_told_as_the_standard_says(kind: Kind) {
    let app = open(kind).await;
    let uri = |uri: &str| json!({"redirect_uris": [uri]});
    for metadata in [uri("https://web.example/cb#f"), uri("http://web.example/cb"), uri("javascript:alert(1)"), json!({})] {
        register(&app, None, &metadata).await.assert_error(400, "invalid_redirect_uri");
    }
    let with = |member: &str, value: Value| {
        let mut metadata = web();
        metadata[member] = value;
        metadata
    };
    for metadata in [
        with("redirect_uris", json!("https://web.example/cb")),
        with("grant_types", json!(["implicit"])),
        with("response_types", json!(["token"])),
        with("token_endpoint_auth_method", json!("tls")),
        with("jwks_uri", json!("http://web.example/jwks")),
        with("jwks", json!({"keys": [{"kty": "oct", "k": "AAAA"}]})),
        with("scope", json!("read fly")),
        with("client_name", json!("a\u{202e}b")),
        json!([1]),
        json!("x"),
    ] {
        register(&app, None, &metadata).await.assert_error(400, "invalid_client_metadata");
    }
    let statement = with("software_statement", json!("e30.e30.e30"));
    register(&app, None, &statement).await.assert_error(400, "unapproved_software_statement");
    let post = || app.http.post(app.url("/o/register/"));
    Answer::of(post().header("content-type", "application/json").body("{")).await.assert_error(400, "invalid_client_metadata");
    Answer::of(post().form(&[("client_name", "x")])).await.assert_error(415, "invalid_request");
    Answer::of(post().json(&with("client_name", json!("x".repeat(70_000))))).await.assert_error(413, "invalid_request");
    app.get("/o/register/").await.assert_error(405, "invalid_request");
}

async fn rights_are_not_taken_by_oneself(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        (settings.registration.open, settings.registration.policy) = (true, Policy::Compatible);
    })
    .await;
    let mut metadata = web();
    for (member, value) in
        [("skip_consent", json!(true)), ("policy", json!("default")), ("resources", json!(["https://api.example"]))]
    {
        metadata[member] = value;
    }
    let told = register(&app, None, &metadata).await.assert_status(201).json();
    assert_eq!((&told["skip_consent"], &told["policy"], told.get("resources")), (&json!(false), &json!("compatible"), None));
    let invited = invitation(&app, 5, 60).await;
    for (token, member, value) in [
        (None, "scope", json!("introspection")),
        (Some(invited.as_str()), "scope", json!("read audit")),
        (None, "grant_types", json!(["client_credentials"])),
    ] {
        metadata = web();
        metadata[member] = value;
        register(&app, token, &metadata).await.assert_error(400, "invalid_client_metadata");
    }
}

async fn who_names_few_scopes_is_registered_for_all_where_the_settings_say_so(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        (settings.registration.open, settings.registration.all_scopes) = (true, true);
    })
    .await;
    let all = "address email offline_access openid phone profile read write";
    for token in [None, Some(invitation(&app, 1, 60).await)] {
        let told = register(&app, token.as_deref(), &web()).await.assert_status(201).json();
        assert_eq!(text(&told, "scope"), all);
        let (path, token) = management(&told);
        let mut replacement = web();
        replacement["client_id"] = told["client_id"].clone();
        let told = send(&app, Method::PUT, &path, Some(&token), &replacement).await.assert_status(200).json();
        assert_eq!(text(&told, "scope"), all);
    }
    let mut metadata = web();
    for scope in ["read introspection", "read fly"] {
        metadata["scope"] = json!(scope);
        register(&app, None, &metadata).await.assert_error(400, "invalid_client_metadata");
    }
}

async fn a_client_reads_changes_and_takes_back_its_registration(kind: Kind) {
    let app = open(kind).await;
    let registered = register(&app, None, &web()).await.assert_status(201).json();
    let (path, first) = management(&registered);
    let read = app.get_with(&path, &first).await.assert_status(200);
    assert_eq!(read.header("cache-control"), "no-store");
    let read = read.json();
    assert!(read.get("client_secret").is_none());
    for member in ["client_id", "client_name", "client_id_issued_at", "registration_access_token", "registration_client_uri"] {
        assert_eq!(read[member], registered[member], "{member}");
    }

    let mut changed = web();
    (changed["client_id"], changed["client_name"]) = (registered["client_id"].clone(), json!("Renamed"));
    changed["client_secret"] = registered["client_secret"].clone();
    let answer = send(&app, Method::PUT, &path, Some(&first), &changed).await.assert_status(200).json();
    let (_, second) = management(&answer);
    assert_eq!((&answer["client_name"], answer.get("client_secret")), (&json!("Renamed"), None));
    assert_ne!(first, second);
    app.get_with(&path, &first).await.assert_error(401, "invalid_token");
    assert_eq!(app.get_with(&path, &second).await.assert_status(200).json()["client_name"], "Renamed");

    let delete = |token: String| Answer::of(app.http.delete(app.url(&path)).bearer_auth(token));
    delete(first).await.assert_error(401, "invalid_token");
    let gone = delete(second.clone()).await.assert_status(204);
    assert_eq!((gone.header("cache-control"), gone.body.as_str()), ("no-store", ""));
    app.get_with(&path, &second).await.assert_error(401, "invalid_token");
    let request = app.http.post(app.url("/o/token/")).form(&[("grant_type", "refresh_token"), ("refresh_token", "x")]);
    let request = request.basic_auth(text(&registered, "client_id"), Some(text(&registered, "client_secret")));
    Answer::of(request).await.assert_error(401, "invalid_client");
    let client = app.app.dispatch.client(text(&registered, "client_id")).await.unwrap().unwrap();
    assert!(app.app.dispatch.enable_client(Actor::Operator, domain::ClientId::new(client.id)).await.is_err());
}

async fn a_change_is_whole_and_held_to_the_same_rules(kind: Kind) {
    let app = open(kind).await;
    let mut metadata = web();
    (metadata["contacts"], metadata["token_endpoint_auth_method"]) = (json!(["a@web.example"]), json!("none"));
    let registered = register(&app, None, &metadata).await.assert_status(201).json();
    assert!(registered.get("client_secret").is_none());
    let (path, token) = management(&registered);
    let change = |member: &str, value: Value| {
        let mut changed = web();
        changed["client_id"] = registered["client_id"].clone();
        changed[member] = value;
        changed
    };
    for (changed, code) in [
        (change("client_id", json!("another")), "invalid_client_metadata"),
        (change("client_id", Value::Null), "invalid_client_metadata"),
        (change("client_secret", json!("wrong")), "invalid_client_metadata"),
        (change("registration_access_token", json!(token)), "invalid_client_metadata"),
        (change("scope", json!("introspection")), "invalid_client_metadata"),
        (change("grant_types", json!(["client_credentials"])), "invalid_client_metadata"),
        (change("redirect_uris", json!(["https://web.example/#"])), "invalid_redirect_uri"),
    ] {
        send(&app, Method::PUT, &path, Some(&token), &changed).await.assert_error(400, code);
    }
    // What is left out is gone, and who becomes confidential gets a secret.
    let changed = change("contacts", Value::Null);
    let answer = send(&app, Method::PUT, &path, Some(&token), &changed).await.assert_status(200).json();
    assert!(answer.get("contacts").is_none() && text(&answer, "client_secret").len() >= 43);
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
}

async fn of_two_changes_with_one_token_one_is_made(kind: Kind) {
    let app = open(kind).await;
    let nodes = [app.address, app.another_node_serving().await];
    let registered = register(&app, None, &web()).await.assert_status(201).json();
    let (path, token) = management(&registered);
    let mut changed = web();
    changed["client_id"] = registered["client_id"].clone();
    let tries = (0..10).map(|n| send_to(&app, nodes[n % 2], (Method::PUT, &path), Some(&token), &changed));
    let statuses: Vec<_> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 9, "{statuses:?}");
}

async fn a_registration_token_is_for_its_own_client_alone(kind: Kind) {
    let app = open(kind).await;
    let (one, other) = (register(&app, None, &web()).await.json(), register(&app, None, &web()).await.json());
    let ((path, token), (_, others)) = (management(&one), management(&other));
    app.get_with(&path, &others).await.assert_error(401, "invalid_token");
    app.get_with("/o/register/nobody", &token).await.assert_error(401, "invalid_token");
    app.get(&path).await.assert_error(401, "invalid_token");
    register(&app, Some(&token), &web()).await.assert_error(401, "invalid_token");
    let invited = invitation(&app, 1, 60).await;
    app.get_with(&path, &invited).await.assert_error(401, "invalid_token");
}

async fn open_registrations_are_counted_by_source_and_in_all(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        let registration = &mut settings.registration;
        (registration.open, registration.per_source, registration.in_all, registration.window) = (true, 2, 3, 600);
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let from = |source: &'static str| {
        let request = app.http.post(app.url("/o/register/")).json(&web()).header("x-forwarded-for", source);
        Answer::of(request)
    };
    for _ in 0..2 {
        from("192.0.2.1").await.assert_status(201);
    }
    let refused = from("192.0.2.1").await.assert_error(429, "temporarily_unavailable");
    assert_eq!(refused.header("retry-after"), "600");
    from("192.0.2.2").await.assert_status(201);
    from("192.0.2.3").await.assert_error(429, "temporarily_unavailable");
    let invited = invitation(&app, 1, 60).await;
    register(&app, Some(&invited), &web()).await.assert_status(201);
    app.app.clock.advance(601);
    from("192.0.2.3").await.assert_status(201);
}

async fn an_open_client_that_nobody_uses_is_gone_after_a_while(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        (settings.registration.open, settings.registration.unused_lifetime) = (true, 600);
    })
    .await;
    let mut metadata = web();
    (metadata["redirect_uris"], metadata["scope"]) = (json!([support::REDIRECT_URI]), json!("read"));
    let used = register(&app, None, &metadata).await.assert_status(201).json();
    let unused = register(&app, None, &metadata).await.assert_status(201).json();
    let invited = register(&app, Some(&invitation(&app, 1, 60).await), &metadata).await.assert_status(201).json();
    let browser = support::Browser::signed_in(&app).await;
    let authorize = format!(
        "/o/authorize/?response_type=code&client_id={}&redirect_uri={}&scope=read&code_challenge={}&code_challenge_method=S256",
        text(&used, "client_id"),
        support::REDIRECT_URI,
        support::CHALLENGE
    );
    assert!(browser.allow(&authorize).await.answered("code").is_some());
    assert_eq!(app.app.dispatch.deregister_unused().await.unwrap(), 0);
    app.app.clock.advance(601);
    assert_eq!(app.app.dispatch.deregister_unused().await.unwrap(), 1);
    assert_eq!(app.app.dispatch.deregister_unused().await.unwrap(), 0);
    for (client, status) in [(&used, 200), (&unused, 401), (&invited, 200)] {
        let (path, token) = management(client);
        app.get_with(&path, &token).await.assert_status(status);
    }
}

async fn a_disabled_client_manages_nothing(kind: Kind) {
    let app = open(kind).await;
    let registered = register(&app, None, &web()).await.assert_status(201).json();
    let (path, token) = management(&registered);
    let id = text(&registered, "client_id").parse().unwrap();
    app.disable(id).await;
    app.get_with(&path, &token).await.assert_error(401, "invalid_token");
    app.app.dispatch.enable_client(Actor::Operator, id).await.unwrap();
    app.get_with(&path, &token).await.assert_status(200);
}
