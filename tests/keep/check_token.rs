//! A token that our key signed and nobody issued betrays that the key was stolen.

use domain::{client::SigningAlgorithm, cutoff::Cause, key_set::KeyState};
use grantlog::{
    audit::{Look, TokenCheck, TokenKind, check_token, look},
    log::Actor,
    vault::{kind, store::VaultStore},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use support::{Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

use crate::backup::master;

both_stores! {
    an_issued_token_is_found_also_when_it_is_dead,
    an_issued_id_token_is_found_and_ends_with_its_key_alone,
    a_forged_token_with_a_good_signature_is_found,
    what_our_keys_did_not_sign_is_nobodys_theft,
    a_signed_answer_of_userinfo_is_no_token,
}

async fn jwt_client(app: &TestApp) -> TestClient {
    app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_format": "jwt"})).await
}

/// The claims of a JWT.
fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

/// What a thief has: the private key of ES256, out of the vault, and its kid.
async fn stolen(app: &TestApp) -> (String, EncodingKey) {
    let keys = app.app.dispatch.key_set().await.unwrap();
    let kid = keys.active(SigningAlgorithm::ES256).unwrap().kid.clone();
    let sealed = VaultStore::new(app.app.log.db().clone()).get(kind::SIGNING_KEY, &kid).await.unwrap().unwrap();
    let private = master(&app.master_key()).open(kind::SIGNING_KEY, &kid, &sealed).unwrap();
    (kid, EncodingKey::from_ec_der(&private))
}

fn signed(kid: &str, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

async fn an_issued_token_is_found_also_when_it_is_dead(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = jwt_client(&app).await;
    let tokens = app.token_of(&client, "read").await;
    let TokenCheck::Issued(found) = check_token(&app.app.dispatch, &tokens.access).await.unwrap() else { panic!() };
    let token = found.token();
    assert_eq!(token.jti.unwrap().to_string(), claims(&tokens.access)["jti"].as_str().unwrap());
    assert_eq!(found.file.record.grant_id.to_string(), claims(&tokens.access)["grant_id"].as_str().unwrap());
    app.revoke(&client, &tokens.access).await.assert_status(200);
    app.app.dispatch.rotate_keys(Actor::Operator, SigningAlgorithm::ES256).await.unwrap();
    app.app.dispatch.retire_key(Actor::Operator, token.kid.as_deref().unwrap()).await.unwrap();
    app.app.clock.advance(1_000_000);
    let TokenCheck::Issued(later) = check_token(&app.app.dispatch, &tokens.access).await.unwrap() else { panic!() };
    assert_eq!((&later.token().digest, later.token().issued), (&token.digest, token.issued));
    assert!(later.token().ended.is_some());
}

async fn an_issued_id_token_is_found_and_ends_with_its_key_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let dispatch = &app.app.dispatch;
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid"})).await;
    let tokens = app.grant(&client, "openid").await;
    app.revoke(&client, &tokens.access).await.assert_status(200);
    app.disable(client.id).await;
    let TokenCheck::Issued(found) = check_token(dispatch, tokens.id_token()).await.unwrap() else { panic!() };
    let token = found.token();
    assert_eq!((token.kind, &token.ended), (TokenKind::IdToken, &None), "what it said is as true as before");
    assert_eq!(found.file.record.grant_id.to_string(), claims(tokens.id_token())["grant_id"].as_str().unwrap());
    dispatch.rotate_keys(Actor::Operator, SigningAlgorithm::RS256).await.unwrap();
    dispatch.retire_key(Actor::Operator, token.kid.as_deref().unwrap()).await.unwrap();
    let Look::Found(later) = look(dispatch, tokens.id_token()).await.unwrap() else { panic!() };
    assert_eq!(later.token().ended.as_ref().map(|end| end.cause), Some(Cause::KeyRetired));
}

async fn a_forged_token_with_a_good_signature_is_found(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = jwt_client(&app).await;
    let real = claims(&app.token_of(&client, "read").await.access);
    let (kid, key) = stolen(&app).await;
    let mut wider = real.clone();
    wider["scope"] = json!("read write");
    let elsewhere = json!({"grant_id": uuid::Uuid::now_v7(), "jti": real["jti"], "exp": 4_000_000_000_u32});
    for forged in [real, wider, elsewhere, json!({"sub": "root"}), json!({"grant_id": 7})] {
        let checked = check_token(&app.app.dispatch, &signed(&kid, &key, &forged)).await.unwrap();
        let TokenCheck::Forged(forgery) = checked else { panic!("{forged}: {checked:?}") };
        assert_eq!((forgery.kid.as_str(), forgery.key_state, &forgery.claims), (kid.as_str(), KeyState::Active, &forged));
    }
}

async fn what_our_keys_did_not_sign_is_nobodys_theft(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = jwt_client(&app).await;
    let token = app.token_of(&client, "read").await.access;
    let (kid, _) = stolen(&app).await;
    let (_, foreign) = stolen(&TestApp::start(kind).await).await;
    let (head, _) = token.rsplit_once('.').unwrap();
    let unsigned = format!("{head}.");
    for text in
        [signed(&kid, &foreign, &claims(&token)), signed("other", &foreign, &json!({})), unsigned, "x".to_owned(), String::new()]
    {
        let checked = check_token(&app.app.dispatch, &text).await.unwrap();
        assert!(matches!(checked, TokenCheck::NotSigned), "{text}: {checked:?}");
    }
}

async fn a_signed_answer_of_userinfo_is_no_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let members = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid", "userinfo_signed_response_alg": "ES256"});
    let client = app.client(members).await;
    let answer = app.get_with("/o/userinfo/", &app.grant(&client, "openid").await.access).await.assert_status(200);
    let checked = check_token(&app.app.dispatch, &answer.body).await.unwrap();
    assert!(matches!(checked, TokenCheck::NotSigned), "{checked:?}");
}
