//! A client proves who it is at the token endpoint (RFC 6749 section 2.3).

use secrecy::ExposeSecret;
use serde_json::json;
use support::{Answer, Kind, TestApp, TestClient, both_stores};

both_stores!(
    basic_and_the_body_are_for_those_who_registered_them,
    a_compatible_client_may_use_either,
    two_methods_at_once_are_refused,
    a_wrong_an_empty_and_a_missing_secret_are_refused,
    an_unknown_client_is_told_the_same_as_one_with_a_wrong_secret,
    a_public_client_with_a_secret_is_refused,
    a_percent_encoded_secret_works,
    a_disabled_client_is_refused_and_works_again_once_enabled,
    a_rotated_secret_works_beside_the_old_one_until_that_expires,
    many_failures_stop_their_source_and_not_the_owner,
    a_node_that_remembers_a_client_finds_out_that_another_node_disabled_it,
);

const BODY: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn basic(app: &TestApp, id: &str, secret: &str) -> Answer {
    Answer::of(app.http.post(app.url("/o/token/")).form(&BODY).basic_auth(id, Some(secret))).await
}

async fn by_body(app: &TestApp, id: &str, secret: &str) -> Answer {
    let form = [BODY[0], ("client_id", id), ("client_secret", secret)];
    app.post("/o/token/", &form).await
}

async fn client(app: &TestApp, method: &str, policy: &str) -> TestClient {
    app.client(json!({
        "grant_types": ["client_credentials"], "scope": "read", "token_endpoint_auth_method": method, "policy": policy,
    }))
    .await
}

async fn basic_and_the_body_are_for_those_who_registered_them(kind: Kind) {
    let app = TestApp::start(kind).await;
    let by_basic = client(&app, "client_secret_basic", "default").await;
    let in_body = client(&app, "client_secret_post", "default").await;
    basic(&app, &by_basic.identifier, by_basic.secret.expose_secret()).await.assert_status(200);
    by_body(&app, &in_body.identifier, in_body.secret.expose_secret()).await.assert_status(200);
    let refused = basic(&app, &in_body.identifier, in_body.secret.expose_secret()).await.assert_error(401, "invalid_client");
    assert!(refused.header("www-authenticate").starts_with("Basic "));
    let refused = by_body(&app, &by_basic.identifier, by_basic.secret.expose_secret()).await.assert_error(401, "invalid_client");
    assert_eq!(refused.header("www-authenticate"), "", "only who used Basic is challenged");
}

async fn a_compatible_client_may_use_either(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "compatible").await;
    basic(&app, &client.identifier, client.secret.expose_secret()).await.assert_status(200);
    by_body(&app, &client.identifier, client.secret.expose_secret()).await.assert_status(200);
}

async fn two_methods_at_once_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "compatible").await;
    let secret = client.secret.expose_secret();
    let form = [BODY[0], ("client_id", client.identifier.as_str()), ("client_secret", secret)];
    let request = app.http.post(app.url("/o/token/")).form(&form).basic_auth(&client.identifier, Some(secret));
    Answer::of(request).await.assert_error(400, "invalid_request");
}

async fn a_wrong_an_empty_and_a_missing_secret_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "compatible").await;
    for secret in ["wrong", ""] {
        basic(&app, &client.identifier, secret).await.assert_error(401, "invalid_client");
        by_body(&app, &client.identifier, secret).await.assert_error(401, "invalid_client");
    }
    app.post("/o/token/", &[BODY[0], ("client_id", &client.identifier)]).await.assert_error(401, "invalid_client");
    app.post("/o/token/", &BODY).await.assert_error(401, "invalid_client");
    for header in ["Basic", "Basic !", "Bearer x", "Basic Og=="] {
        let request = app.http.post(app.url("/o/token/")).form(&BODY).header("authorization", header);
        Answer::of(request).await.assert_error(401, "invalid_client");
    }
}

async fn an_unknown_client_is_told_the_same_as_one_with_a_wrong_secret(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "default").await;
    let wrong = basic(&app, &client.identifier, "wrong").await.assert_error(401, "invalid_client").json();
    for unknown in ["nobody", "01890a5d-ac96-774b-bcce-b302099a8057"] {
        let unknown = basic(&app, unknown, "wrong").await.assert_error(401, "invalid_client").json();
        assert_eq!(unknown["error_description"], wrong["error_description"]);
    }
}

async fn a_public_client_with_a_secret_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app
        .client(json!({"redirect_uris": ["https://app.example/callback"], "token_endpoint_auth_method": "none", "scope": "read"}))
        .await;
    basic(&app, &client.identifier, "anything").await.assert_error(401, "invalid_client");
    by_body(&app, &client.identifier, "anything").await.assert_error(401, "invalid_client");
}

async fn a_percent_encoded_secret_works(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "default").await;
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    basic(&app, &encode(&client.identifier), &encode(client.secret.expose_secret())).await.assert_status(200);
}

async fn a_disabled_client_is_refused_and_works_again_once_enabled(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "default").await;
    let secret = client.secret.expose_secret();
    basic(&app, &client.identifier, secret).await.assert_status(200);
    app.disable(client.id).await;
    basic(&app, &client.identifier, secret).await.assert_error(401, "invalid_client");
    app.app.dispatch.enable_client(grantlog::log::Actor::Operator, client.id).await.unwrap();
    basic(&app, &client.identifier, secret).await.assert_status(200);
}

async fn a_rotated_secret_works_beside_the_old_one_until_that_expires(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, "client_secret_basic", "default").await;
    let rotated = app.app.dispatch.rotate_client_secret(grantlog::log::Actor::Operator, client.id, 60).await.unwrap().answer;
    let new = rotated.secret.expect("the new secret is shown once");
    basic(&app, &client.identifier, client.secret.expose_secret()).await.assert_status(200);
    basic(&app, &client.identifier, new.expose_secret()).await.assert_status(200);
    app.app.clock.advance(61);
    basic(&app, &client.identifier, client.secret.expose_secret()).await.assert_error(401, "invalid_client");
    basic(&app, &client.identifier, new.expose_secret()).await.assert_status(200);
}

async fn many_failures_stop_their_source_and_not_the_owner(kind: Kind) {
    let proxies = |settings: &mut grantlog::config::Settings| {
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.limits.client_failures_per_source = 3;
    };
    let app = TestApp::start_with(kind, proxies).await;
    let client = client(&app, "client_secret_basic", "default").await;
    let from = async |source: &str, secret: &str| {
        let request = app.http.post(app.url("/o/token/")).form(&BODY).basic_auth(&client.identifier, Some(secret));
        Answer::of(request.header("x-forwarded-for", source)).await
    };
    for _ in 0..3 {
        from("192.0.2.1", "wrong").await.assert_error(401, "invalid_client");
    }
    let stopped = from("192.0.2.1", "wrong").await.assert_error(429, "invalid_client");
    assert!(stopped.header("retry-after").parse::<u32>().unwrap() > 0);
    from("192.0.2.1", client.secret.expose_secret()).await.assert_status(429);
    from("192.0.2.2", client.secret.expose_secret()).await.assert_status(200);
    app.app.clock.advance(61);
    from("192.0.2.1", client.secret.expose_secret()).await.assert_status(200);
}

async fn a_node_that_remembers_a_client_finds_out_that_another_node_disabled_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let other_node = app.another_node_serving().await;
    let token = app.token_of(&client, "read").await.access;
    for _ in 0..2 {
        assert_eq!(app.introspect_at(other_node, &client, &token).await.json()["active"], true);
        app.post_to(other_node, &client, ("/o/revoke_token/", &[("token", "unknown")])).await.assert_status(200);
    }
    app.disable(client.id).await;
    app.introspect_at(other_node, &client, &token).await.assert_error(401, "invalid_client");
    for presented in ["unknown", &token] {
        let form = [("token", presented)];
        app.post_to(other_node, &client, ("/o/revoke_token/", &form)).await.assert_error(401, "invalid_client");
    }
}
