//! ID tokens stand beside the access tokens of people who let the application know who they are (OpenID Connect Core sections 2, 3.1.3
//! and 12.2), and are never taken for anything else.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::client::SigningAlgorithm;
use grantlog::log::Actor;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous::insecure_decode, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};
use support::{Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    it_says_who_signed_in_when_and_how,
    it_is_signed_as_the_client_registered,
    a_client_registered_for_an_algorithm_that_is_none_of_ours_gets_the_usual_one,
    without_openid_there_is_none,
    a_refreshed_one_says_the_same_without_the_nonce,
    a_lost_answer_is_repeated_with_the_same_one,
    with_offline_access_only_the_first_names_the_sign_in,
    it_lives_as_long_as_the_settings_say,
    after_a_rotation_the_new_key_signs,
    it_is_no_access_token_and_no_refresh_token,
);

async fn client(app: &TestApp, members: Value) -> TestClient {
    let mut metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile offline_access read",
    });
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client(metadata).await
}

fn claims(id_token: &str) -> Value {
    insecure_decode::<Value>(id_token).unwrap().claims
}

/// The claims, once the signature, the issuer and the audience were checked as a client does.
async fn verified(app: &TestApp, client: &TestClient, id_token: &str) -> (Algorithm, Value) {
    let keys: JwkSet = serde_json::from_str(&app.get("/o/.well-known/jwks.json").await.body).unwrap();
    let header = decode_header(id_token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&client.identifier]);
    validation.set_issuer(&[app.url("/o")]);
    (header.alg, decode(id_token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims)
}

async fn it_says_who_signed_in_when_and_how(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let session = app.sign_in().await;
    app.app.clock.advance(30);
    let mut approval = app.approval(&session, &client, "openid read").await;
    approval.nonce = Some("n-0S6_WzA2Mj".to_owned());
    let code = app.code_of(&approval).await;
    let answer = app.redeem(&client, &code).await.assert_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.tokens();
    let (algorithm, claims) = verified(&app, &client, tokens.id_token()).await;
    assert_eq!(algorithm, Algorithm::RS256);
    let iat = claims["iat"].as_i64().unwrap();
    let expected = json!({
        "iss": app.url("/o"),
        "sub": app.user,
        "aud": client.identifier,
        "exp": iat + 3_600,
        "iat": iat,
        "auth_time": session.sign_in.auth_time,
        "nonce": "n-0S6_WzA2Mj",
        "acr": "urn:grantlog:acr:1fa",
        "amr": ["pwd"],
        "at_hash": URL_SAFE_NO_PAD.encode(&digest(&SHA256, tokens.access.as_bytes()).as_ref()[..16]),
        "sid": session.id,
        "grant_id": app.introspect(&client, &tokens.access).await.json()["grant_id"],
    });
    assert_eq!(claims, expected);
    assert!(iat >= session.sign_in.auth_time.unix() + 30);
}

async fn it_is_signed_as_the_client_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let algorithms = [("ES256", &SHA256, 16), ("EdDSA", &SHA512, 32), ("RS256", &SHA256, 16), ("PS256", &SHA256, 16)];
    for (name, hash, half) in algorithms {
        for format in ["jwt", "opaque"] {
            let members = json!({"id_token_signed_response_alg": name, "access_token_format": format});
            let client = client(&app, members).await;
            let tokens = app.grant(&client, "openid").await;
            let (algorithm, claims) = verified(&app, &client, tokens.id_token()).await;
            assert_eq!(json!(algorithm), name);
            let at_hash = URL_SAFE_NO_PAD.encode(&digest(hash, tokens.access.as_bytes()).as_ref()[..half]);
            assert_eq!((&claims["at_hash"], claims.get("nonce")), (&json!(at_hash), None));
        }
    }
}

async fn a_client_registered_for_an_algorithm_that_is_none_of_ours_gets_the_usual_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    for other in ["none", "HS256", "PS384"] {
        let metadata = json!({"redirect_uris": [REDIRECT_URI], "id_token_signed_response_alg": other});
        let metadata: domain::client::ClientMetadata = serde_json::from_value(metadata).unwrap();
        assert!(metadata.check().is_err(), "{other} cannot be registered");
        assert_eq!(metadata.id_token_algorithm(), SigningAlgorithm::RS256, "what was registered before goes on");
    }
    let client = client(&app, json!({})).await;
    let tokens = app.grant(&client, "openid").await;
    assert_eq!(verified(&app, &client, tokens.id_token()).await.0, Algorithm::RS256);
}

async fn without_openid_there_is_none(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let without = app.grant(&client, "profile read").await;
    assert_eq!(without.id_token, None);
    assert_eq!(app.refresh(&client, without.refresh_token()).await.assert_status(200).tokens().id_token, None);
    let with = app.grant(&client, "openid read").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", with.refresh_token()), ("scope", "read")];
    assert_eq!(app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().id_token, None);
}

async fn a_refreshed_one_says_the_same_without_the_nonce(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, &client, "openid read").await;
    approval.nonce = Some("once".to_owned());
    let code = app.code_of(&approval).await;
    let first = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.app.clock.advance(100);
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    let (before, (_, after)) = (claims(first.id_token()), verified(&app, &client, second.id_token()).await);
    for same in ["iss", "sub", "aud", "auth_time", "amr", "sid", "grant_id"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_eq!((&before["nonce"], after.get("nonce")), (&json!("once"), None));
    assert!(after["iat"].as_i64() >= before["iat"].as_i64().map(|iat| iat + 100));
    assert_ne!(before["at_hash"], after["at_hash"]);
}

async fn a_lost_answer_is_repeated_with_the_same_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let first = app.grant(&client, "openid").await;
    let answer = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    app.app.clock.advance(10);
    let again = app.refresh(&client, first.refresh_token()).await.assert_status(200);
    assert_eq!(answer.body, again.body);
    assert!(answer.tokens().id_token.is_some());
}

async fn with_offline_access_only_the_first_names_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &client, "openid offline_access").await).await;
    let first = app.redeem(&client, &code).await.assert_status(200).tokens();
    assert_eq!(claims(first.id_token())["sid"], json!(session.id));
    assert_eq!(claims(&first.access).get("sid"), None, "the access token outlives the sign-in");
    app.app.dispatch.sign_out(&session).await.unwrap();
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(claims(second.id_token()).get("sid"), None);
    assert_eq!(claims(second.id_token())["sub"], json!(app.user));
}

async fn it_lives_as_long_as_the_settings_say(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.tokens.id_token_lifetime = 90).await;
    let tokens = app.grant(&client(&app, json!({})).await, "openid").await;
    let claims = claims(tokens.id_token());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 90);
    assert_eq!(tokens.expires_in, 3_600);
}

async fn after_a_rotation_the_new_key_signs(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app, json!({})).await;
    let before = app.grant(&client, "openid").await;
    let rotated = app.app.dispatch.rotate_keys(Actor::Operator, SigningAlgorithm::RS256).await.unwrap();
    let after = app.refresh(&client, before.refresh_token()).await.assert_status(200).tokens();
    assert_eq!(decode_header(after.id_token()).unwrap().kid, Some(rotated.answer));
    verified(&app, &client, before.id_token()).await;
    verified(&app, &client, after.id_token()).await;
}

async fn it_is_no_access_token_and_no_refresh_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    for algorithm in ["RS256", "ES256"] {
        let client = client(&app, json!({"id_token_signed_response_alg": algorithm})).await;
        let tokens = app.grant(&client, "openid read").await;
        let id_token = tokens.id_token();
        app.get_with("/api/resource", id_token).await.assert_error(401, "invalid_token");
        app.get_with("/audit/grants", id_token).await.assert_error(401, "invalid_token");
        assert_eq!(app.introspect(&client, id_token).await.assert_status(200).body, r#"{"active":false}"#);
        app.refresh(&client, id_token).await.assert_error(400, "invalid_grant");
        app.redeem(&client, id_token).await.assert_error(400, "invalid_grant");
        app.revoke(&client, id_token).await.assert_status(200);
        assert!(app.is_active(&client, &tokens.access).await, "what is no token revokes nothing");
    }
}
