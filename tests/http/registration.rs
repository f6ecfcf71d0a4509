//! What a client is registered with where its metadata leaves a choice, and which scopes it may be registered for (RFC 7591 section 2).

use domain::{Scope, client::ClientError};
use grantlog::{
    dispatch::{Refusal, RegisterClient, SecretChoice},
    log::Actor,
};
use serde_json::json;
use support::{Kind, TestApp, both_stores};

both_stores!(
    a_client_that_names_no_scope_gets_all_that_users_can_grant,
    a_scope_that_the_catalogue_does_not_have_is_refused_by_name,
    a_change_of_a_client_is_held_to_the_same_catalogue,
);

async fn register(app: &TestApp, scope: Option<&str>) -> Result<Scope, Refusal<ClientError>> {
    let mut metadata = json!({"grant_types": ["client_credentials"]});
    if let Some(scope) = scope {
        metadata["scope"] = scope.into();
    }
    let metadata = serde_json::from_value(metadata).unwrap();
    let request = RegisterClient { identifier: None, owner: None, metadata, secret: SecretChoice::Generated };
    let registered = app.app.dispatch.register_client(Actor::Operator, request).await?;
    Ok(registered.answer.registration.metadata.scope)
}

async fn a_client_that_names_no_scope_gets_all_that_users_can_grant(kind: Kind) {
    let app = TestApp::start(kind).await;
    for scope in [None, Some(""), Some("  ")] {
        let given = register(&app, scope).await.unwrap();
        assert_eq!(given.to_string(), "address email offline_access openid phone profile read write");
    }
    assert_eq!(register(&app, Some("introspection read")).await.unwrap().to_string(), "introspection read");
}

async fn a_scope_that_the_catalogue_does_not_have_is_refused_by_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    for scope in ["fly", "read fly", "Read"] {
        let Err(Refusal::Rule(ClientError::InvalidMetadata(why))) = register(&app, Some(scope)).await else {
            panic!("{scope} was registered");
        };
        assert!(why.contains(scope.trim_start_matches("read ")) && why.contains("offline_access"), "{why}");
    }
}

async fn a_change_of_a_client_is_held_to_the_same_catalogue(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let registered = app.app.dispatch.client_by_id(client.id).await.unwrap();
    let mut metadata = registered.state.registration().unwrap().metadata.clone();
    metadata.scope = "read fly".parse().unwrap();
    let refused = app.app.dispatch.update_client(Actor::Operator, client.id, metadata.clone()).await;
    assert!(matches!(refused, Err(Refusal::Rule(ClientError::InvalidMetadata(why))) if why.contains("fly")));
    metadata.scope = "write".parse().unwrap();
    let updated = app.app.dispatch.update_client(Actor::Operator, client.id, metadata).await.unwrap();
    assert_eq!(updated.answer.metadata.scope.to_string(), "write");
}
