//! Access tokens are JWTs that anybody verifies by the published keys (RFC 9068, RFC 7517).

use domain::client::SigningAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};
use support::{Kind, REDIRECT_URI, TestApp, both_stores};

both_stores!(
    every_algorithm_verifies_by_the_published_keys,
    the_claims_are_those_of_rfc_9068,
    a_store_that_lacks_a_key_for_an_algorithm_gets_one_once,
    a_rotation_publishes_both_keys_and_signs_with_the_new_one,
    a_retired_key_is_not_published_and_what_it_signed_is_dead,
);

async fn published(app: &TestApp) -> JwkSet {
    let answer = app.get("/o/.well-known/jwks.json").await.assert_status(200);
    assert!(!answer.body.contains("\"d\""), "no private part is published");
    serde_json::from_str(&answer.body).unwrap()
}

fn claims(app: &TestApp, keys: &JwkSet, token: &str) -> Value {
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[app.url("")]);
    validation.set_issuer(&[app.url("/o")]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

async fn every_algorithm_verifies_by_the_published_keys(kind: Kind) {
    let app = TestApp::start(kind).await;
    let keys = published(&app).await;
    for (name, algorithm) in
        [("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA), ("RS256", Algorithm::RS256), ("PS256", Algorithm::PS256)]
    {
        let client = app
            .client(json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_signed_response_alg": name}))
            .await;
        let token = app.token_of(&client, "read").await.access;
        assert_eq!(decode_header(&token).unwrap().alg, algorithm);
        assert_eq!(claims(&app, &keys, &token)["client_id"], json!(client.identifier));
    }
}

async fn the_claims_are_those_of_rfc_9068(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let claims = claims(&app, &published(&app).await, &tokens.access);
    let told = app.introspect(&client, &tokens.access).await.json();
    for name in ["iss", "sub", "exp", "iat", "jti", "client_id", "scope", "grant_id"] {
        assert_eq!(claims[name], told[name], "{name}");
    }
    assert_eq!((&claims["aud"], &claims["amr"]), (&json!(app.url("")), &json!(["pwd"])));
    assert!(claims["pos"].is_i64() && claims["auth_time"].is_i64());
}

/// As a store of a release that did not sign by PS256.
async fn a_store_that_lacks_a_key_for_an_algorithm_gets_one_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    app.execute(r#"UPDATE stream_head SET state = replace(state, '"PS256"', '"RS256"') WHERE aggregate_type = 'key_set'"#).await;
    let (one, other) = tokio::join!(app.another_node(), app.another_node());
    let keys = one.dispatch.key_set().await.unwrap();
    assert!(SigningAlgorithm::ALL.into_iter().all(|algorithm| keys.signs_by(algorithm)));
    assert_eq!(keys.keys.iter().filter(|key| key.public.alg == SigningAlgorithm::PS256).count(), 1);
    assert_eq!(keys, other.dispatch.key_set().await.unwrap());
    let client =
        app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid", "id_token_signed_response_alg": "PS256"})).await;
    let id_token = app.grant(&client, "openid").await.id_token.unwrap();
    assert_eq!(decode_header(&id_token).unwrap().alg, Algorithm::PS256);
}

async fn a_rotation_publishes_both_keys_and_signs_with_the_new_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let before = app.token_of(&client, "read").await.access;
    let rotated = app.app.dispatch.rotate_keys(grantlog::log::Actor::Operator, SigningAlgorithm::ES256).await;
    let after = app.token_of(&client, "read").await.access;
    assert_eq!(decode_header(&after).unwrap().kid, Some(rotated.unwrap().answer));
    let keys = published(&app).await;
    claims(&app, &keys, &before);
    claims(&app, &keys, &after);
    assert!(app.is_active(&client, &before).await);
}

async fn a_retired_key_is_not_published_and_what_it_signed_is_dead(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    let kid = decode_header(&token).unwrap().kid.unwrap();
    let dispatch = &app.app.dispatch;
    dispatch.rotate_keys(grantlog::log::Actor::Operator, SigningAlgorithm::ES256).await.unwrap();
    dispatch.retire_key(grantlog::log::Actor::Operator, &kid).await.unwrap();
    assert!(published(&app).await.find(&kid).is_none());
    assert!(!app.is_active(&client, &token).await);
    app.get_with("/api/resource", &token).await.assert_error(401, "invalid_token");
}
