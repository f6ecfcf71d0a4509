//! Userinfo tells what the scopes of an access token tell of its user, as long as the token lives (OpenID Connect Core section 5.3).

use std::collections::BTreeMap;

use grantlog::{
    dispatch::{CurrentSession, NewUser, Profile},
    log::Actor,
};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Answer, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, Tokens, both_stores, traffic};

both_stores!(
    each_scope_opens_its_own_claims,
    a_client_that_was_registered_for_it_gets_a_signed_answer,
    it_is_asked_by_get_and_post_with_the_token_in_a_header_or_a_form,
    the_token_is_sent_in_one_way_and_never_in_the_url,
    without_openid_there_is_nothing_to_tell,
    a_clients_own_token_is_for_no_person,
    a_token_for_another_resource_is_refused,
    what_is_no_access_token_is_refused,
    a_dead_token_is_refused_at_once,
    scripts_of_any_origin_may_ask_and_nobody_keeps_the_answer,
);

/// What is known of a person who hides nothing, by the scope that asks for it.
pub(crate) const CLAIMS: &[(&str, &str)] = &[
    ("openid", "{}"),
    (
        "profile",
        r#"{"name": "Mika Tanaka", "given_name": "Mika", "middle_name": "M.", "family_name": "Tanaka", "nickname": "mik",
            "preferred_username": "mika.t", "profile": "https://mika.example/", "picture": "https://mika.example/me.png",
            "website": "https://mika.example/", "gender": "female", "birthdate": "1990-01-01", "zoneinfo": "Asia/Tokyo",
            "locale": "ja", "updated_at": 1700000000}"#,
    ),
    ("email", r#"{"email": "mika@example.org", "email_verified": true}"#),
    ("address", r#"{"address": {"formatted": "1-1\nTokyo", "country": "JP"}}"#),
    ("phone", r#"{"phone_number": "+81 3 0000 0000", "phone_number_verified": false}"#),
];

fn claims_of(scope: &str) -> BTreeMap<String, Value> {
    let asked = CLAIMS.iter().filter(|(name, _)| scope.split(' ').any(|own| own == *name));
    asked.flat_map(|(_, claims)| serde_json::from_str::<BTreeMap<_, _>>(claims).unwrap()).collect()
}

/// A person of whom this is known.
pub(crate) async fn person(app: &TestApp, username: &str, claims: &Value) {
    let profile = Profile { username: username.to_owned(), claims: serde_json::from_value(claims.clone()).unwrap() };
    let new = NewUser { profile, password: Some(PASSWORD.into()), password_digest: None, administrator: false };
    app.app.dispatch.create_user(Actor::Operator, new).await.unwrap();
}

/// Such a person signs in.
pub(crate) async fn signed_in(app: &TestApp) -> CurrentSession {
    person(app, "open", &json!(claims_of("profile email address phone"))).await;
    traffic::sign_in(&app.app, "open").await.session
}

async fn client(app: &TestApp) -> TestClient {
    let grant_types = ["authorization_code", "refresh_token", "client_credentials"];
    let scope = "openid profile email address phone read";
    app.client(json!({"redirect_uris": [REDIRECT_URI], "grant_types": grant_types, "scope": scope})).await
}

async fn told(app: &TestApp, tokens: &Tokens) -> Answer {
    app.get_with("/o/userinfo/", &tokens.access).await
}

async fn each_scope_opens_its_own_claims(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, session) = (client(&app).await, signed_in(&app).await);
    let scopes =
        ["openid", "openid profile", "openid email", "openid address", "openid phone", "openid profile email address phone"];
    for scope in scopes {
        let code = app.code_of(&app.approval(&session, &client, scope).await).await;
        let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
        let mut expected = claims_of(scope);
        expected.insert("sub".to_owned(), json!(session.user_id));
        assert_eq!(told(&app, &tokens).await.assert_status(200).json(), json!(expected), "{scope}");
    }
    let unknown = app.grant(&client, "openid profile email").await;
    let mut told = told(&app, &unknown).await.json();
    assert!(told.as_object_mut().unwrap().remove("updated_at").is_some_and(|at| at.is_i64()), "since they were made");
    assert_eq!(told, json!({"sub": app.user, "preferred_username": support::USER}));
}

async fn a_client_that_was_registered_for_it_gets_a_signed_answer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let session = signed_in(&app).await;
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
        let members =
            json!({"redirect_uris": [REDIRECT_URI], "scope": "openid email", "userinfo_signed_response_alg": algorithm});
        let client = app.client(members).await;
        let code = app.code_of(&app.approval(&session, &client, "openid email").await).await;
        let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
        let answer = told(&app, &tokens).await.assert_status(200);
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/jwt", "no-store"));
        let header = decode_header(&answer.body).unwrap();
        assert_eq!(json!(header.alg), algorithm);
        let keys: JwkSet = serde_json::from_str(&app.get("/o/.well-known/jwks.json").await.body).unwrap();
        let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        validation.set_audience(&[&client.identifier]);
        validation.set_issuer(&[app.url("/o")]);
        let claims = decode::<Value>(&answer.body, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
        let mut expected = json!(claims_of("openid email"));
        expected["sub"] = json!(session.user_id);
        (expected["iss"], expected["aud"]) = (app.url("/o").into(), client.identifier.as_str().into());
        assert_eq!(claims, expected);
        let asked = app.authorize_path(&client, &[("scope", "openid"), ("id_token_hint", &answer.body)]);
        app.get(&asked).await.assert_error_redirect("invalid_request");
    }
}

async fn it_is_asked_by_get_and_post_with_the_token_in_a_header_or_a_form(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let token = app.grant(&client, "openid").await.access;
    let expected = json!({"sub": app.user});
    for path in ["/o/userinfo/", "/o/userinfo"] {
        assert_eq!(app.get_with(path, &token).await.assert_status(200).json(), expected);
        let posted = || app.http.post(app.url(path));
        assert_eq!(Answer::of(posted().bearer_auth(&token)).await.assert_status(200).json(), expected);
        assert_eq!(Answer::of(posted().bearer_auth(&token).form(&[("a", "b")])).await.assert_status(200).json(), expected);
        assert_eq!(app.post(path, &[("access_token", &token)]).await.assert_status(200).json(), expected);
    }
}

async fn the_token_is_sent_in_one_way_and_never_in_the_url(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let token = app.grant(&client, "openid").await.access;
    let twice = app.http.post(app.url("/o/userinfo/")).bearer_auth(&token).form(&[("access_token", &token)]);
    Answer::of(twice).await.assert_error(400, "invalid_request");
    let path = format!("/o/userinfo/?access_token={token}");
    app.get(&path).await.assert_error(401, "invalid_token");
    app.post(&path, &[]).await.assert_error(401, "invalid_token");
    app.post("/o/userinfo/", &[("access_token", "no token")]).await.assert_error(401, "invalid_token");
    let none = app.get("/o/userinfo/").await.assert_error(401, "invalid_token");
    assert!(none.header("www-authenticate").starts_with("Bearer "));
}

async fn without_openid_there_is_nothing_to_tell(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let tokens = app.grant(&client, "profile read").await;
    let refused = told(&app, &tokens).await.assert_error(403, "insufficient_scope");
    assert!(refused.header("www-authenticate").contains(r#"error="insufficient_scope""#));
    let wide = app.grant(&client, "openid read").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", wide.refresh_token()), ("scope", "read")];
    let narrow = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens();
    told(&app, &narrow).await.assert_error(403, "insufficient_scope");
}

async fn a_clients_own_token_is_for_no_person(kind: Kind) {
    let app = TestApp::start(kind).await;
    let tokens = app.token_of(&client(&app).await, "openid").await;
    assert_eq!(tokens.id_token, None);
    told(&app, &tokens).await.assert_error(403, "insufficient_scope");
}

async fn a_token_for_another_resource_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let resource = "https://notes.example/";
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid", "resources": [resource]});
    let client = app.client(metadata).await;
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, &client, "openid").await;
    approval.resources = vec![resource.to_owned()];
    let code = app.code_of(&approval).await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    told(&app, &tokens).await.assert_error(401, "invalid_token");
}

async fn what_is_no_access_token_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let tokens = app.grant(&client, "openid").await;
    for other in [tokens.id_token(), tokens.refresh_token(), "eyJhbGciOiJub25lIn0.e30."] {
        app.get_with("/o/userinfo/", other).await.assert_error(401, "invalid_token");
    }
}

async fn a_dead_token_is_refused_at_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = client(&app).await;
    let revoked = app.grant(&client, "openid").await;
    app.revoke(&client, &revoked.access).await.assert_status(200);
    told(&app, &revoked).await.assert_error(401, "invalid_token");
    let expired = app.grant(&client, "openid").await;
    app.app.clock.advance(3_600);
    told(&app, &expired).await.assert_error(401, "invalid_token");
    let withdrawn = app.grant(&client, "openid").await;
    app.withdraw_consent(&client).await;
    told(&app, &withdrawn).await.assert_error(401, "invalid_token");
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &client, "openid").await).await;
    let signed_out = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.app.dispatch.sign_out(&session).await.unwrap();
    told(&app, &signed_out).await.assert_error(401, "invalid_token");
    let of_erased = app.grant(&client, "openid").await;
    told(&app, &of_erased).await.assert_status(200);
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    told(&app, &of_erased).await.assert_error(401, "invalid_token");
}

async fn scripts_of_any_origin_may_ask_and_nobody_keeps_the_answer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let asked = app.http.request(Method::OPTIONS, app.url("/o/userinfo/")).header("origin", "https://app.example");
    let answer = Answer::of(asked.header("access-control-request-method", "GET")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let tokens = app.grant(&client(&app).await, "openid").await;
    let answer = told(&app, &tokens).await.assert_status(200);
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
}
