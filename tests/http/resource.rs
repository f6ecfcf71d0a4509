//! `/api/resource`: what a resource server does with a bearer token (RFC 6750).

use serde_json::json;
use support::{Answer, Kind, TestApp, both_stores};

both_stores!(
    without_a_token_it_asks_for_one,
    it_tells_what_opens_it,
    a_token_in_the_url_is_not_taken,
    scripts_of_any_origin_may_ask
);

async fn without_a_token_it_asks_for_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    for path in ["/api/resource", "/api/resource/"] {
        let refused = app.get(path).await.assert_error(401, "invalid_token");
        assert!(refused.header("www-authenticate").starts_with("Bearer realm="));
    }
}

async fn it_tells_what_opens_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let refused = app.get("/api/resource").await.assert_error(401, "invalid_token");
    let address = app.url("/.well-known/oauth-protected-resource");
    assert!(refused.header("www-authenticate").contains(&format!("resource_metadata=\"{address}\"")), "{refused:?}");
    let metadata = app.get("/.well-known/oauth-protected-resource").await.assert_status(200).json();
    assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(app.url("")), &json!([app.url("/o")])));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    // A token for that resource, with one of its scopes, opens it.
    let (resource, scope) = (metadata["resource"].as_str().unwrap(), metadata["scopes_supported"][0].as_str().unwrap());
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": scope, "resources": [resource]})).await;
    let form = [("grant_type", "client_credentials"), ("scope", scope), ("resource", resource)];
    let access = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
    app.get_with("/api/resource", &access).await.assert_status(200);
}

async fn a_token_in_the_url_is_not_taken(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.get(&format!("/api/resource?access_token={token}")).await.assert_error(401, "invalid_token");
}

async fn scripts_of_any_origin_may_ask(kind: Kind) {
    let app = TestApp::start(kind).await;
    for (path, shared) in [("/o/token/", true), ("/o/revoke_token/", true), ("/api/resource", true), ("/o/introspect/", false)] {
        let asked = app.http.request(reqwest::Method::OPTIONS, app.url(path)).header("origin", "https://app.example");
        let answer = Answer::of(asked.header("access-control-request-method", "POST")).await;
        assert_eq!(answer.header("access-control-allow-origin") == "*", shared, "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("access-control-allow-headers").contains("mcp-protocol-version"), shared, "{path}: {answer:?}");
    }
}
