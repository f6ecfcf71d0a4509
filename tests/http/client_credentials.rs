//! A client gets a token for itself (RFC 6749 section 4.4) and uses it.

use support::{Kind, TestApp, both_stores};

both_stores!(a_client_gets_a_token_for_itself_and_uses_it);

async fn a_client_gets_a_token_for_itself_and_uses_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let answer = app.client_credentials(&client, "read").await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let tokens = answer.tokens();
    assert_eq!((tokens.scope.as_str(), tokens.expires_in, tokens.refresh), ("read", 3600, None));
    let resource = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
    assert_eq!((&resource["client_id"], &resource["scope"]), (&client.identifier.into(), &"read".into()));
}
