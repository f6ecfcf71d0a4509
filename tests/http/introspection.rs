//! What a token is worth now, told to whom it concerns (RFC 7662).

use jsonwebtoken::{dangerous::insecure_decode, decode_header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Kind, TestApp, TestClient, both_stores};

both_stores!(
    a_client_sees_its_own_tokens,
    who_asks_for_a_signed_answer_gets_one,
    how_surely_and_when_a_user_signed_in_is_told_and_stays_so,
    a_resource_server_sees_what_is_meant_for_it,
    a_compatible_caller_is_told_an_audience_that_was_asked_for_alone,
    anyone_else_sees_exactly_that_it_is_not_active,
    unknown_truncated_revoked_and_expired_tokens_look_the_same,
    a_bearer_token_with_the_scope_introspection_is_as_good_as_client_authentication,
    a_caller_must_prove_who_it_is,
    a_code_is_no_token,
    a_wrong_hint_does_no_harm,
    introspection_by_get_is_refused_unless_a_setting_allows_it,
    a_read_waits_for_a_position_and_says_when_it_is_not_reached,
);

const INACTIVE: &str = r#"{"active":false}"#;

async fn resource_server(app: &TestApp, resources: &[&str]) -> TestClient {
    app.client(json!({"grant_types": ["client_credentials"], "scope": "introspection", "resources": resources})).await
}

/// What a client is told that asks for a signed answer: the JWT.
pub(crate) async fn signed(app: &TestApp, client: &TestClient, token: &str) -> String {
    let request = app.http.post(app.url("/o/introspect/")).form(&[("token", token)]);
    let request = request.basic_auth(&client.identifier, Some(client.secret.expose_secret()));
    let answer = Answer::of(request.header("accept", "application/token-introspection+jwt")).await.assert_status(200);
    assert_eq!(answer.header("content-type"), "application/token-introspection+jwt");
    answer.body
}

async fn who_asks_for_a_signed_answer_gets_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let access = app.token_of(&client, "read").await.access;
    let plain = app.introspect(&client, &access).await.json();
    let jwt = signed(&app, &client, &access).await;
    assert_eq!(decode_header(&jwt).unwrap().typ.as_deref(), Some("token-introspection+jwt"));
    let claims = insecure_decode::<Value>(&jwt).unwrap().claims;
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(app.url("/o")), &json!(client.identifier)));
    assert_eq!((&claims["iat"], &claims["token_introspection"]), (&json!(app.app.clock.now().unix()), &plain));
    assert_eq!((claims.get("sub"), claims.get("exp")), (None, None));
    let nothing = insecure_decode::<Value>(signed(&app, &client, "nonsense").await).unwrap().claims;
    assert_eq!(nothing["token_introspection"], json!({"active": false}));
}

async fn a_client_sees_its_own_tokens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let tokens = app.grant(&client, "read").await;
    let told = app.introspect(&client, &tokens.access).await.assert_status(200).json();
    assert_eq!((&told["active"], &told["scope"], &told["token_type"]), (&json!(true), &json!("read"), &json!("Bearer")));
    assert_eq!(
        (&told["client_id"], &told["username"], &told["sub"]),
        (&json!(client.identifier), &json!(support::USER), &json!(app.user))
    );
    assert_eq!((&told["iss"], &told["aud"]), (&json!(app.url("/o")), &json!([app.url("")])));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 3600);
    let refresh = app.introspect(&client, tokens.refresh_token()).await.json();
    assert_eq!((&refresh["active"], refresh.get("token_type")), (&json!(true), None));
}

async fn how_surely_and_when_a_user_signed_in_is_told_and_stays_so(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, server) = (app.ordinary_client().await, resource_server(&app, &[]).await);
    let signed_in_at = app.app.clock.now().unix();
    let tokens = app.grant(&client, "read").await;
    app.app.clock.advance(400);
    let refreshed = app.refresh(&client, tokens.refresh_token()).await.assert_status(200).tokens();
    for (asks, token) in
        [(&client, &refreshed.access), (&server, &refreshed.access), (&client, &refreshed.refresh_token().to_owned())]
    {
        let told = app.introspect(asks, token).await.assert_status(200).json();
        assert_eq!(told["acr"], "urn:grantlog:acr:1fa");
        assert!((signed_in_at..signed_in_at + 300).contains(&told["auth_time"].as_i64().unwrap()), "{told}");
    }
    let own = app.token_of(&client, "read").await.access;
    let told = app.introspect(&client, &own).await.json();
    assert_eq!((&told["active"], told.get("acr"), told.get("auth_time")), (&json!(true), None, None));
}

async fn a_resource_server_sees_what_is_meant_for_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (a, b) = ("https://api.example/a", "https://api.example/b");
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "resources": [a, b]})).await;
    let (of_a, of_b, of_default) =
        (resource_server(&app, &[a]).await, resource_server(&app, &[b]).await, resource_server(&app, &[]).await);
    let form = [("grant_type", "client_credentials"), ("resource", a)];
    let for_a = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
    let for_default = app.token_of(&client, "read").await.access;
    assert!(app.is_active(&of_a, &for_a).await);
    assert!(app.is_active(&of_default, &for_default).await);
    for (server, token) in [(&of_b, &for_a), (&of_default, &for_a), (&of_a, &for_default)] {
        assert_eq!(app.introspect(server, token).await.assert_status(200).body, INACTIVE);
    }
}

async fn a_compatible_caller_is_told_an_audience_that_was_asked_for_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let asked = "https://api.example/a";
    let client = app
        .client(json!({"grant_types": ["client_credentials"], "scope": "read", "policy": "compatible", "resources": [asked]}))
        .await;
    let form = [("grant_type", "client_credentials"), ("resource", asked)];
    let for_asked = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
    let for_default = app.token_of(&client, "read").await.access;
    assert_eq!(app.introspect(&client, &for_asked).await.json()["aud"], json!([asked]));
    let told = app.introspect(&client, &for_default).await.json();
    assert_eq!((&told["active"], told.get("aud")), (&json!(true), None));
}

async fn anyone_else_sees_exactly_that_it_is_not_active(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let tokens = app.grant(&client, "read").await;
    let server = resource_server(&app, &[]).await;
    assert_eq!(app.introspect(&other, &tokens.access).await.assert_status(200).body, INACTIVE);
    assert_eq!(
        app.introspect(&server, tokens.refresh_token()).await.assert_status(200).body,
        INACTIVE,
        "refresh tokens are their client's"
    );
}

async fn unknown_truncated_revoked_and_expired_tokens_look_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    for bad in ["x", &token[..token.len() - 1], &format!("{token}x")] {
        assert_eq!(app.introspect(&client, bad).await.assert_status(200).body, INACTIVE);
    }
    app.revoke(&client, &token).await.assert_status(200);
    assert_eq!(app.introspect(&client, &token).await.assert_status(200).body, INACTIVE);
    let token = app.token_of(&client, "read").await.access;
    app.app.clock.advance(3600);
    assert_eq!(app.introspect(&client, &token).await.assert_status(200).body, INACTIVE);
}

async fn a_bearer_token_with_the_scope_introspection_is_as_good_as_client_authentication(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, server) = (app.ordinary_client().await, resource_server(&app, &[]).await);
    let token = app.token_of(&client, "read").await.access;
    let ask = async |bearer: &str| {
        let request = app.http.post(app.url("/o/introspect/")).form(&[("token", &token)]);
        Answer::of(request.bearer_auth(bearer)).await
    };
    let bearer = app.token_of(&server, "introspection").await.access;
    assert_eq!(ask(&bearer).await.assert_status(200).json()["active"], true);
    let refused = ask(&token).await.assert_error(403, "insufficient_scope");
    assert!(refused.header("www-authenticate").starts_with("Bearer "));
    ask("x").await.assert_error(401, "invalid_token");
    app.disable(server.id).await;
    ask(&bearer).await.assert_error(401, "invalid_token");
}

async fn a_caller_must_prove_who_it_is(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.post("/o/introspect/", &[("token", &token)]).await.assert_error(401, "invalid_client");
    app.post("/o/introspect/", &[("token", &token), ("client_id", &client.identifier)]).await.assert_error(401, "invalid_client");
    app.post_as(&client, "/o/introspect/", &[("x", "y")]).await.assert_error(400, "invalid_request");
}

async fn a_code_is_no_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    assert_eq!(app.introspect(&client, &code).await.assert_status(200).body, INACTIVE);
}

async fn a_wrong_hint_does_no_harm(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    for hint in ["refresh_token", "nonsense"] {
        let answer = app.post_as(&client, "/o/introspect/", &[("token", &token), ("token_type_hint", hint)]).await;
        assert_eq!(answer.assert_status(200).json()["active"], true);
    }
}

async fn introspection_by_get_is_refused_unless_a_setting_allows_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let refused = app.get("/o/introspect/?token=x").await.assert_error(405, "invalid_request");
    assert_eq!(refused.header("allow"), "POST");
    let app = TestApp::start_with(kind, |settings| settings.clients.introspection_get = true).await;
    let (client, server) = (app.ordinary_client().await, resource_server(&app, &[]).await);
    let token = app.token_of(&client, "read").await.access;
    let bearer = app.token_of(&server, "introspection").await.access;
    let answer = app.get_with(&format!("/o/introspect/?token={token}"), &bearer).await.assert_status(200);
    assert_eq!(answer.json()["active"], true);
}

async fn a_read_waits_for_a_position_and_says_when_it_is_not_reached(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.limits.read_deadline_ms = 50).await;
    let client = app.ordinary_client().await;
    let answer = app.client_credentials(&client, "read").await.assert_status(200);
    let position = answer.header("grantlog-position").to_owned();
    let token = answer.tokens().access;
    let ask =
        async |position: &str| app.post_as(&client, "/o/introspect/", &[("token", &token), ("min_position", position)]).await;
    assert_eq!(ask(&position).await.assert_status(200).json()["active"], true);
    let behind = ask(&(position.parse::<i64>().unwrap() + 1000).to_string()).await.assert_error(503, "temporarily_unavailable");
    assert!(!behind.header("retry-after").is_empty());
    ask("soon").await.assert_error(400, "invalid_request");
}
