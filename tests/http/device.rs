//! Devices ask to be let in, and get their tokens (RFC 8628).

use futures_util::future::join_all;
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{DEVICE_CODE, Device, Kind, TestApp, TestClient, both_stores};

both_stores!(
    a_device_is_let_in_and_gets_its_tokens,
    the_answer_is_the_standards,
    with_openid_there_is_an_id_token_of_the_sign_in,
    a_public_client_may_ask_and_one_that_is_not_registered_for_it_may_not,
    scopes_and_resources_are_checked_where_the_device_asks,
    a_resource_can_narrow_and_never_widen,
    a_denied_device_stays_out,
    a_device_code_expires,
    strangers_do_not_fill_the_log,
    neither_code_stands_in_the_log,
    the_story_of_the_grant_tells_of_the_device,
);

async fn a_device_is_let_in_and_gets_its_tokens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read write").await;
    app.poll(&client, &device).await.assert_error(400, "authorization_pending");
    app.let_in(&device).await;
    let answer = app.poll(&client, &device).await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let tokens = answer.tokens();
    assert_eq!((tokens.scope.as_str(), &tokens.id_token), ("read write", &None));
    assert!(app.is_active(&client, &tokens.access).await);
    let resource = app.get_with("/api/resource", &tokens.access).await.assert_status(200).json();
    assert_eq!(resource["sub"], json!(app.user));
    let next = app.refresh(&client, tokens.refresh_token()).await.assert_status(200).tokens();
    assert!(app.is_active(&client, &next.access).await);
}

async fn the_answer_is_the_standards(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let answer = app.ask_on_device(&client, &[("scope", "read")]).await.assert_status(200);
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    let Device { user_code, answer, .. } = Device::of(&answer);
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&json!(600), &json!(5)));
    assert_eq!(answer["verification_uri"], app.url("/o/device/"));
    assert_eq!(answer["verification_uri_complete"], app.url(&format!("/o/device/?user_code={user_code}")));
    let (left, right) = user_code.split_once('-').unwrap();
    for half in [left, right] {
        assert!(half.len() == 4 && half.chars().all(|letter| "BCDFGHJKLMNPQRSTVWXZ".contains(letter)), "{user_code}");
    }
    let metadata = app.get("/.well-known/oauth-authorization-server/o").await.json();
    assert_eq!(metadata["device_authorization_endpoint"], app.url("/o/device-authorization/"));
}

async fn with_openid_there_is_an_id_token_of_the_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "openid read").await;
    app.let_in(&device).await;
    let tokens = app.poll(&client, &device).await.assert_status(200).tokens();
    let claims = insecure_decode::<Value>(tokens.id_token()).unwrap().claims;
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!(app.user), &json!(client.identifier)));
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd"]), &json!("urn:grantlog:acr:1fa")));
    assert!(claims["auth_time"].is_i64() && claims["sid"].is_string() && claims.get("nonce").is_none());
}

async fn a_public_client_may_ask_and_one_that_is_not_registered_for_it_may_not(kind: Kind) {
    let app = TestApp::start(kind).await;
    let public = app.client(json!({"grant_types": [DEVICE_CODE], "scope": "read", "token_endpoint_auth_method": "none"})).await;
    let id = ("client_id", public.identifier.as_str());
    let device = Device::of(&app.post("/o/device-authorization/", &[id]).await.assert_status(200));
    app.let_in(&device).await;
    let form = [("grant_type", DEVICE_CODE), ("device_code", device.device_code.as_str()), id];
    assert_eq!(app.post("/o/token/", &form).await.assert_status(200).tokens().refresh, None);

    let other = app.ordinary_client().await;
    app.ask_on_device(&other, &[]).await.assert_error(400, "unauthorized_client");
    let device = app.device(&app.device_client().await, "read").await;
    app.poll(&other, &device).await.assert_error(400, "unauthorized_client");
    app.post("/o/device-authorization/", &[]).await.assert_error(401, "invalid_client");
    app.post("/o/device-authorization/", &[("client_id", "nobody")]).await.assert_error(401, "invalid_client");
    app.get("/o/device-authorization/").await.assert_error(405, "invalid_request");
    app.post_as(&other, "/o/token/", &[("grant_type", DEVICE_CODE)]).await.assert_error(400, "invalid_request");
}

async fn scopes_and_resources_are_checked_where_the_device_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app
        .client(json!({"grant_types": [DEVICE_CODE], "scope": "openid read audit", "resources": ["https://a.example/"]}))
        .await;
    for scope in ["write", "audit", "nothing", "a\"b"] {
        app.ask_on_device(&client, &[("scope", scope)]).await.assert_error(400, "invalid_scope");
    }
    app.ask_on_device(&client, &[("resource", "https://b.example/")]).await.assert_error(400, "invalid_target");
    let device = Device::of(&app.ask_on_device(&client, &[("resource", "https://a.example/")]).await.assert_status(200));
    app.let_in(&device).await;
    let tokens = app.poll(&client, &device).await.assert_status(200).tokens();
    assert_eq!(tokens.scope, "read", "openid must be asked for, and nobody grants what is privileged");
    assert_eq!(app.introspect(&client, &tokens.access).await.json()["aud"], json!(["https://a.example/"]));
}

async fn a_resource_can_narrow_and_never_widen(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (a, b) = ("https://api.example/a", "https://api.example/b");
    let client = app.client(json!({"grant_types": [DEVICE_CODE], "scope": "read", "resources": [a, b]})).await;
    let device = Device::of(&app.ask_on_device(&client, &[("resource", a)]).await.assert_status(200));
    app.let_in(&device).await;
    let with = |resource| [("grant_type", DEVICE_CODE), ("device_code", device.device_code.as_str()), ("resource", resource)];
    app.post_as(&client, "/o/token/", &with(b)).await.assert_error(400, "invalid_target");
    let token = app.post_as(&client, "/o/token/", &with(a)).await.assert_status(200).tokens().access;
    assert_eq!(app.introspect(&client, &token).await.json()["aud"], json!([a]));
}

async fn a_denied_device_stays_out(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = app.device(&client, "read").await;
    assert!(app.decide_on(&device, "deny").await.has("device_denied"));
    for _ in 0..2 {
        app.poll(&client, &device).await.assert_error(400, "access_denied");
    }
    assert!(app.consent(&client).await.is_none());
}

async fn a_device_code_expires(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let (first, second) = (app.device(&client, "read").await, app.device(&client, "read").await);
    app.app.clock.advance(590);
    app.let_in(&first).await;
    app.poll(&client, &first).await.assert_status(200);
    app.app.clock.advance(10);
    app.poll(&client, &second).await.assert_error(400, "expired_token");
    // What has long expired is not kept, and is told the same.
    app.app.clock.advance(3_700);
    grantlog::sweep::pass(&app.app.log, app.app.clock.now()).await.unwrap();
    app.poll(&client, &second).await.assert_error(400, "expired_token");
}

/// A device that the user `USER` has let in.
pub(crate) async fn let_in(app: &TestApp, client: &TestClient, scope: &str) -> Device {
    let device = app.device(client, scope).await;
    app.let_in(&device).await;
    device
}

async fn strangers_do_not_fill_the_log(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        settings.limits.devices_per_source = 3;
        settings.limits.devices_per_client = 5;
    })
    .await;
    let public = app.client(json!({"grant_types": [DEVICE_CODE], "scope": "read", "token_endpoint_auth_method": "none"})).await;
    let ask = async || app.post("/o/device-authorization/", &[("client_id", &public.identifier)]).await;
    for answer in join_all((0..10).map(|_| ask())).await.iter().filter(|answer| answer.status != 200) {
        answer.clone().assert_error(429, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "600");
    }
    let requested = |app: &TestApp| {
        let log = app.app.log.clone();
        async move {
            let events = log.read(0, 1_000).await.unwrap();
            events.iter().filter(|event| event.event_type == "device_authorization.requested").count()
        }
    };
    assert_eq!(requested(&app).await, 3);
    // A client that proves who it is asks for all its devices from one place.
    let client = app.device_client().await;
    for number in 0..6 {
        let answer = app.ask_on_device(&client, &[("scope", "read")]).await;
        assert_eq!(answer.status, if number < 5 { 200 } else { 429 });
    }
    app.app.clock.advance(600);
    ask().await.assert_status(200);
    app.device(&client, "read").await;
}

async fn neither_code_stands_in_the_log(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = let_in(&app, &client, "read").await;
    app.poll(&client, &device).await.assert_status(200);
    let plain = device.user_code.replace('-', "");
    let digests = [&device.user_code, &plain].map(|code| domain::Digest::of(code.as_bytes()).as_str().to_owned());
    for event in app.app.log.read(0, 1_000).await.unwrap() {
        let stored = format!("{} {}", event.payload, event.metadata);
        for secret in [&device.device_code, &device.user_code, &plain, &digests[0], &digests[1]] {
            assert!(!stored.contains(secret.as_str()), "{stored}");
        }
    }
}

async fn the_story_of_the_grant_tells_of_the_device(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.device_client().await;
    let device = let_in(&app, &client, "read").await;
    let with_code = async || grantlog::audit::token(&app.app.dispatch, &device.device_code, &mut |_| {}).await.unwrap();
    assert!(with_code().await.is_none(), "nothing has come of it yet");
    let tokens = app.poll(&client, &device).await.assert_status(200).tokens();
    let grant_id = insecure_decode::<Value>(&tokens.access).unwrap().claims["grant_id"].as_str().unwrap().parse().unwrap();
    let file = grantlog::audit::grant(&app.app.log, grant_id).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(&file.record).unwrap()["kind"], "device_code");
    assert_eq!(with_code().await.unwrap().file.record, file.record, "the device code leads there");
    let types: Vec<_> = file.events.iter().map(|told| told.event.event_type()).collect();
    let expected = [
        "client.registered",
        "device_authorization.requested",
        "session.started",
        "consent.given",
        "device_authorization.approved",
        "device_authorization.redeemed",
        "grant.approved",
        "grant.code_redeemed",
        "grant.tokens_issued",
    ];
    let told: Vec<_> = types.iter().filter(|event_type| !event_type.starts_with("key_set.")).collect();
    assert_eq!(told, expected.iter().collect::<Vec<_>>());
}
