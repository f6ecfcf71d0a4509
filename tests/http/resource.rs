//! `/api/resource`: what a resource server does with a bearer token (RFC 6750).

use support::{Answer, Kind, TestApp, both_stores};

both_stores!(without_a_token_it_asks_for_one, a_token_in_the_url_is_not_taken, scripts_of_any_origin_may_ask);

async fn without_a_token_it_asks_for_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    for path in ["/api/resource", "/api/resource/"] {
        let refused = app.get(path).await.assert_error(401, "invalid_token");
        assert!(refused.header("www-authenticate").starts_with("Bearer realm="));
    }
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
    }
}
