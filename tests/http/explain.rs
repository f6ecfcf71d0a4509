//! Every error carries an `error_id` that tells whoever runs the issuer which rule fired, and what it saw.

use secrecy::ExposeSecret;
use support::{Kind, TestApp, both_stores};

both_stores!(
    an_error_id_tells_the_rule_and_what_it_saw,
    a_client_that_proves_itself_by_another_method_than_it_registered_is_told_by_both,
    an_invented_or_changed_error_id_tells_nothing,
    no_secret_stands_in_an_error
);

async fn an_error_id_tells_the_rule_and_what_it_saw(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let refused = app.client_credentials(&client, "read introspection").await.assert_error(400, "invalid_scope").json();
    let report = app.app.dispatch.explain(refused["error_id"].as_str().unwrap()).unwrap();
    assert_eq!(report.rule, "scope_not_registered");
    assert_eq!((report.saw["scope"].as_str(), report.saw["registered"].as_str()), ("read introspection", "read write"));
    assert_eq!(report.saw["client_id"], client.identifier);
}

/// What django-allauth meets first: it posts the secret, and clients are registered with Basic unless they say otherwise.
async fn a_client_that_proves_itself_by_another_method_than_it_registered_is_told_by_both(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.identifier.as_str()),
        ("client_secret", client.secret.expose_secret()),
    ];
    let refused = app.post("/o/token/", &form).await.assert_error(401, "invalid_client").json();
    let report = app.app.dispatch.explain(refused["error_id"].as_str().unwrap()).unwrap();
    assert_eq!(report.rule, "client_authentication_method");
    assert_eq!((report.saw["method"].as_str(), report.saw["registered"].as_str()), ("client_secret_post", "client_secret_basic"));
}

async fn an_invented_or_changed_error_id_tells_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let refused = app.post("/o/token/", &[("a", "b")]).await.assert_error(401, "invalid_client").json();
    let error_id = refused["error_id"].as_str().unwrap();
    for bad in ["", "x", &error_id[1..], &format!("{error_id}A")] {
        assert!(app.app.dispatch.explain(bad).is_err(), "{bad}");
    }
}

async fn no_secret_stands_in_an_error(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let second = app.refresh(&client, tokens.refresh_token()).await.tokens();
    app.refresh(&client, second.refresh_token()).await.assert_status(200);
    let refused = app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
    let report = app.app.dispatch.explain(refused.json()["error_id"].as_str().unwrap()).unwrap();
    let told = format!("{refused:?} {report:?}");
    assert!(!told.contains(tokens.refresh_token()));
    assert_eq!(report.rule, "refresh_token_replayed");
}
