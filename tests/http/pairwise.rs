//! Pairwise subjects (OpenID Connect Core section 8): a client knows a user by an id that no client of another sector knows, and learns the
//! public one nowhere.

use domain::client::{ClientError, ClientMetadata};
use grantlog::{
    dispatch::{Refusal, RegisterClient, SecretChoice},
    log::Actor,
};
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Browser, Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores};
use tokio::net::TcpListener;

both_stores!(
    the_clients_of_a_sector_know_a_user_by_one_id_and_others_by_another,
    it_stays_the_same_over_nodes_and_rotations,
    a_pairwise_client_learns_the_public_id_nowhere,
    a_resource_server_is_told_the_id_that_revocations_name,
    a_locked_users_tokens_are_dead,
    a_hint_of_a_pairwise_client_names_its_user,
    a_sector_is_asked_for_its_redirect_uris,
);

async fn client(app: &TestApp, redirect_uri: &str, members: Value) -> TestClient {
    let mut metadata = json!({
        "redirect_uris": [redirect_uri], "grant_types": ["authorization_code", "refresh_token"], "scope": "openid read",
        "subject_type": "pairwise",
    });
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client(metadata).await
}

/// The first tokens of a client with this redirect URI.
async fn tokens(app: &TestApp, client: &TestClient, redirect_uri: &str) -> support::Tokens {
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, client, "openid read").await;
    approval.redirect_uri = Some(redirect_uri.to_owned());
    let code = app.code_of(&approval).await;
    app.redeem_with(client, &code, &[("redirect_uri", redirect_uri), ("code_verifier", VERIFIER)])
        .await
        .assert_status(200)
        .tokens()
}

fn sub(id_token: &str) -> String {
    insecure_decode::<Value>(id_token).unwrap().claims["sub"].as_str().unwrap().to_owned()
}

async fn the_clients_of_a_sector_know_a_user_by_one_id_and_others_by_another(kind: Kind) {
    let app = TestApp::start(kind).await;
    let mut subs = Vec::new();
    for uri in ["https://one.example/a", "https://one.example/b", "https://two.example/a"] {
        let client = client(&app, uri, json!({})).await;
        subs.push(sub(tokens(&app, &client, uri).await.id_token()));
    }
    assert_eq!(subs[0], subs[1]);
    assert_ne!(subs[0], subs[2]);
    let public = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid"})).await;
    assert_eq!(sub(app.grant(&public, "openid").await.id_token()), app.user.to_string());
}

async fn it_stays_the_same_over_nodes_and_rotations(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, REDIRECT_URI, json!({})).await;
    let before = app.grant(&client, "openid").await;
    for algorithm in domain::client::SigningAlgorithm::ALL {
        app.app.dispatch.rotate_keys(Actor::Operator, algorithm).await.unwrap();
    }
    let node = app.another_node_serving().await;
    let after = app.refresh_at(node, &client, before.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(sub(before.id_token()), sub(after.id_token()));
}

async fn a_pairwise_client_learns_the_public_id_nowhere(kind: Kind) {
    let app = TestApp::start(kind).await;
    for members in [json!({}), json!({"access_token_format": "jwt"}), json!({"userinfo_signed_response_alg": "ES256"})] {
        let client = client(&app, REDIRECT_URI, members).await;
        let (browser, public) = (Browser::signed_in(&app).await, app.user.to_string());
        let answer = browser.allow(&app.authorize_path(&client, &[("scope", "openid read")])).await;
        assert!(!answer.location().contains(&public));
        let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
        let pairwise = sub(tokens.id_token());
        assert!(!tokens.access.contains('.') || insecure_decode::<Value>(&tokens.access).is_err(), "it is no JWT");
        let userinfo = app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200);
        let told = match userinfo.header("content-type") {
            "application/jwt" => insecure_decode::<Value>(&userinfo.body).unwrap().claims,
            _ => userinfo.json(),
        };
        let introspected = app.introspect(&client, &tokens.access).await.assert_status(200).json();
        let of_refresh = app.introspect(&client, tokens.refresh_token()).await.assert_status(200).json();
        let resource = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
        for told in [told, introspected, of_refresh, resource, insecure_decode::<Value>(tokens.id_token()).unwrap().claims] {
            assert_eq!(told["sub"], json!(pairwise), "{told}");
            assert!(!told.to_string().contains(&public), "{told}");
            assert!(told["username"].is_null(), "{told}");
        }
    }
}

async fn a_resource_server_is_told_the_id_that_revocations_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, REDIRECT_URI, json!({})).await;
    let server = app.client(json!({"grant_types": ["client_credentials"], "response_types": [], "scope": "introspection"})).await;
    let tokens = app.grant(&client, "openid read").await;
    let told = app.introspect(&server, &tokens.access).await.assert_status(200).json();
    assert_eq!((&told["sub"], &told["username"]), (&json!(app.user), &json!(support::USER)));
}

async fn a_locked_users_tokens_are_dead(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, REDIRECT_URI, json!({})).await;
    let tokens = app.grant(&client, "openid read").await;
    assert!(app.is_active(&client, &tokens.access).await);
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    assert!(!app.is_active(&client, &tokens.access).await);
    app.get_with("/o/userinfo/", &tokens.access).await.assert_error(401, "invalid_token");
}

async fn a_hint_of_a_pairwise_client_names_its_user(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, REDIRECT_URI, json!({"skip_consent": true})).await;
    let hint = app.grant(&client, "openid").await.id_token().to_owned();
    let browser = Browser::signed_in(&app).await;
    let asked = [("scope", "openid"), ("prompt", "none"), ("id_token_hint", &hint)];
    assert!(browser.open(&app.authorize_path(&client, &asked)).await.answered("code").is_some());
    let by_public_id = json!({"id_token": {"sub": {"value": app.user}}}).to_string();
    let asked = [("scope", "openid"), ("prompt", "none"), ("claims", &by_public_id)];
    browser.open(&app.authorize_path(&client, &asked)).await.assert_error_redirect("login_required");
}

/// A sector over plain http on loopback cannot be registered: what is asked of one over https is tested where a server has a certificate.
async fn a_sector_is_asked_for_its_redirect_uris(kind: Kind) {
    let app = TestApp::start(kind).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let metadata: ClientMetadata = serde_json::from_value(json!({
        "redirect_uris": [REDIRECT_URI], "subject_type": "pairwise", "sector_identifier_uri": format!("https://{nobody}/sector"),
    }))
    .unwrap();
    let request = RegisterClient { identifier: None, owner: None, metadata, secret: SecretChoice::Generated };
    let refused = app.app.dispatch.register_client(Actor::Operator, request).await.map(|_| ());
    let Err(Refusal::Rule(ClientError::InvalidMetadata(why))) = refused else { panic!("{refused:?}") };
    assert!(why.starts_with("sector_identifier_uri: "), "{why}");
}
