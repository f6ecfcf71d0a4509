//! `/healthz` and `/readyz`, and what a store that does not answer is told as.

use support::{Kind, TestApp, both_stores};

both_stores!(a_running_server_lives_and_is_ready, a_node_whose_clock_is_off_is_not_ready, a_store_that_does_not_answer_is_503);

async fn a_running_server_lives_and_is_ready(kind: Kind) {
    let app = TestApp::start_in_real_time(kind, |_| {}).await;
    app.get("/healthz").await.assert_status(200);
    let ready = app.get("/readyz").await.assert_status(200).json();
    assert_eq!(ready["status"], "ready");
    assert!(ready["position"].as_i64().unwrap() > 0);
}

async fn a_node_whose_clock_is_off_is_not_ready(kind: Kind) {
    let app = TestApp::start(kind).await;
    app.app.clock.advance(120);
    app.get("/readyz").await.assert_status(503);
    app.get("/healthz").await.assert_status(200);
}

async fn a_store_that_does_not_answer_is_503(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.close_store().await;
    for answer in [app.introspect(&client, &token).await, app.revoke(&client, &token).await] {
        let answer = answer.assert_error(503, "temporarily_unavailable");
        assert!(!answer.header("retry-after").is_empty());
    }
    app.get_with("/api/resource", &token).await.assert_error(503, "temporarily_unavailable");
    app.get("/readyz").await.assert_status(503);
    app.get("/healthz").await.assert_status(200);
}
