//! A client gets a token for itself (RFC 6749 section 4.4) and uses it.

use serde_json::json;
use support::{Kind, TestApp, both_stores};

both_stores!(
    a_client_gets_a_token_for_itself_and_uses_it,
    both_forms_of_the_path_work,
    a_missing_scope_is_what_was_registered_but_openid_and_offline_access,
    a_scope_beyond_the_registered_one_is_refused,
    a_client_that_is_not_registered_for_the_grant_is_refused,
    an_unknown_grant_type_is_refused,
    an_opaque_token_is_opaque,
    a_client_has_its_own_lifetime,
    a_resource_becomes_the_audience,
    a_resource_that_was_not_registered_is_refused,
    a_parameter_twice_is_refused,
    a_token_ends_in_its_time,
);

async fn a_client_gets_a_token_for_itself_and_uses_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let answer = app.client_credentials(&client, "read").await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let tokens = answer.tokens();
    assert_eq!((tokens.scope.as_str(), tokens.expires_in, tokens.refresh), ("read", 3600, None));
    let resource = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
    assert_eq!((&resource["client_id"], &resource["scope"]), (&client.identifier.into(), &"read".into()));
}

async fn both_forms_of_the_path_work(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for path in ["/o/token", "/o/token/"] {
        app.post_as(&client, path, &[("grant_type", "client_credentials")]).await.assert_status(200);
    }
}

async fn a_missing_scope_is_what_was_registered_but_openid_and_offline_access(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "openid read offline_access write"})).await;
    let tokens = app.post_as(&client, "/o/token/", &[("grant_type", "client_credentials")]).await.assert_status(200).tokens();
    assert_eq!(tokens.scope, "read write");
}

async fn a_scope_beyond_the_registered_one_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.client_credentials(&client, "read introspection").await.assert_error(400, "invalid_scope");
    app.client_credentials(&client, "re\"ad").await.assert_error(400, "invalid_scope");
}

async fn a_client_that_is_not_registered_for_the_grant_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"redirect_uris": ["https://app.example/callback"], "scope": "read"})).await;
    app.client_credentials(&client, "read").await.assert_error(400, "unauthorized_client");
}

async fn an_unknown_grant_type_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.post_as(&client, "/o/token/", &[("grant_type", "password")]).await.assert_error(400, "unsupported_grant_type");
    app.post_as(&client, "/o/token/", &[("scope", "read")]).await.assert_error(400, "invalid_request");
}

async fn an_opaque_token_is_opaque(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client =
        app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_format": "opaque"})).await;
    let token = app.token_of(&client, "read").await.access;
    assert!(!token.starts_with("ey"), "{token}");
    app.get_with("/api/resource", &token).await.assert_status(200);
}

async fn a_client_has_its_own_lifetime(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_lifetime": 90})).await;
    assert_eq!(app.token_of(&client, "read").await.expires_in, 90);
}

async fn a_resource_becomes_the_audience(kind: Kind) {
    let app = TestApp::start(kind).await;
    let resource = "https://api.example/a";
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "resources": [resource]})).await;
    let form = [("grant_type", "client_credentials"), ("resource", resource)];
    let token = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
    assert_eq!(app.introspect(&client, &token).await.json()["aud"], json!([resource]));
    app.get_with("/api/resource", &token).await.assert_error(401, "invalid_token");
}

async fn a_resource_that_was_not_registered_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let form = [("grant_type", "client_credentials"), ("resource", "https://api.example/other")];
    app.post_as(&client, "/o/token/", &form).await.assert_error(400, "invalid_target");
}

async fn a_parameter_twice_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let form = [("grant_type", "client_credentials"), ("scope", "read"), ("scope", "read")];
    app.post_as(&client, "/o/token/", &form).await.assert_error(400, "invalid_request");
}

async fn a_token_ends_in_its_time(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.app.clock.advance(3590);
    app.get_with("/api/resource", &token).await.assert_status(200);
    app.app.clock.advance(10);
    app.get_with("/api/resource", &token).await.assert_error(401, "invalid_token");
    assert!(!app.is_active(&client, &token).await);
}
