//! An access token is exchanged for another (RFC 8693): for whom, what for, how far, and how long.

use domain::cutoff::Cause;
use futures_util::future::join_all;
use grantlog::log::Actor;
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Answer, Kind, TestApp, TestClient, both_stores};

both_stores!(
    a_service_calls_the_next_one_for_the_user_who_called_it,
    whoever_acts_is_named_beside_whom_the_token_is_about,
    a_clients_own_token_stays_about_that_client,
    a_client_narrows_a_token_of_its_own,
    an_exchange_never_widens,
    what_is_no_active_access_token_for_the_client_is_not_exchanged,
    what_ends_the_grant_or_one_by_whose_hands_it_came_ends_what_came_of_it,
    a_token_goes_by_several_hands,
    an_exchanged_token_is_its_clients_to_revoke_and_ends_alone,
    resource_servers_behind_hear_when_the_grant_ends,
    only_who_is_registered_for_it_exchanges,
    many_exchange_one_token_at_once_on_two_nodes,
    the_audit_tells_who_exchanged_what_for_what,
);

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ORDERS: &str = "https://orders.example/";
const LEDGER: &str = "https://ledger.example/";
const ARCHIVE: &str = "https://archive.example/";

/// A service that takes tokens for `own` and calls the services behind it.
async fn service(app: &TestApp, scope: &str, resources: &[&str]) -> TestClient {
    let grant_types = json!([EXCHANGE, "client_credentials"]);
    app.client(json!({"client_name": "Service", "grant_types": grant_types, "scope": scope, "resources": resources})).await
}

/// An application whose users let it call the service `ORDERS`; and a token of such a user.
async fn shop(app: &TestApp, scope: &str) -> (TestClient, String) {
    let client = app
        .client(json!({
            "client_name": "Shop", "redirect_uris": [support::REDIRECT_URI], "scope": "openid read write offline_access",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "resources": [ORDERS],
        }))
        .await;
    let session = app.sign_in().await;
    let approval = app.approval(&session, &client, scope).await;
    let code = app.code_of(&grantlog::dispatch::Approval { resources: vec![ORDERS.to_owned()], ..approval }).await;
    let access = app.redeem(&client, &code).await.assert_status(200).tokens().access;
    (client, access)
}

pub(crate) async fn exchange(app: &TestApp, by: &TestClient, token: &str, more: &[(&str, &str)]) -> Answer {
    let form = [&[("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)], more].concat();
    app.post_as(by, "/o/token/", &form).await
}

async fn exchanged(app: &TestApp, by: &TestClient, token: &str, more: &[(&str, &str)]) -> String {
    exchange(app, by, token, more).await.assert_status(200).tokens().access
}

fn claims(token: &str) -> Value {
    insecure_decode::<Value>(token).unwrap().claims
}

async fn a_service_calls_the_next_one_for_the_user_who_called_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "openid read write").await;
    let orders = service(&app, "read write", &[ORDERS, LEDGER]).await;
    let answer = exchange(&app, &orders, &access, &[("resource", LEDGER), ("scope", "read")]).await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let told = answer.json();
    assert_eq!((&told["issued_token_type"], &told["token_type"]), (&json!(ACCESS_TOKEN), &json!("Bearer")));
    assert_eq!((&told["scope"], told.get("refresh_token"), told.get("id_token")), (&json!("read"), None, None));
    let (before, after) = (claims(&access), claims(told["access_token"].as_str().unwrap()));
    assert_eq!((&after["aud"], &after["client_id"]), (&json!(LEDGER), &json!(orders.identifier)));
    for same in ["iss", "sub", "grant_id", "sid", "auth_time", "acr", "amr"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!((&after["through"], after.get("act")), (&json!([client.identifier]), None));
    assert!(after["exp"].as_i64() <= before["exp"].as_i64() && after["jti"] != before["jti"]);
    let token = told["access_token"].as_str().unwrap();
    let seen = app.introspect(&orders, token).await.json();
    assert_eq!((&seen["active"], &seen["sub"], &seen["aud"]), (&json!(true), &json!(app.user), &json!([LEDGER])));
    assert!(app.is_active(&client, &access).await, "the token that was exchanged lives on");
}

async fn whoever_acts_is_named_beside_whom_the_token_is_about(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, access) = shop(&app, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let own = app.token_of(&orders, "read").await.access;
    let acting = [("actor_token", own.as_str()), ("actor_token_type", ACCESS_TOKEN), ("resource", LEDGER)];
    let token = exchanged(&app, &orders, &access, &acting).await;
    let act = json!({"sub": orders.identifier});
    assert_eq!((&claims(&token)["sub"], &claims(&token)["act"]), (&json!(app.user), &act));
    assert_eq!(app.introspect(&orders, &token).await.json()["act"], act);

    let ledger = service(&app, "read", &[LEDGER, ARCHIVE]).await;
    let own = app.token_of(&ledger, "read").await.access;
    let acting = [("actor_token", own.as_str()), ("actor_token_type", ACCESS_TOKEN), ("audience", ARCHIVE)];
    let further = exchanged(&app, &ledger, &token, &acting).await;
    assert_eq!(claims(&further)["act"], json!({"sub": ledger.identifier, "act": act}));
    let unnamed = exchanged(&app, &ledger, &token, &[("resource", ARCHIVE)]).await;
    assert_eq!(claims(&unnamed)["act"], act, "who acted before is not forgotten");
}

async fn a_clients_own_token_stays_about_that_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, _) = shop(&app, "read").await;
    let own = [("grant_type", "client_credentials"), ("scope", "read"), ("resource", ORDERS)];
    let own = app.post_as(&client, "/o/token/", &own).await.assert_status(200).tokens().access;
    let orders = service(&app, "read introspection", &[ORDERS, LEDGER]).await;
    let token = exchanged(&app, &orders, &own, &[("resource", LEDGER)]).await;
    assert_eq!((&claims(&token)["sub"], &claims(&token)["client_id"]), (&json!(client.identifier), &json!(orders.identifier)));
    let ledger = service(&app, "introspection", &[LEDGER]).await;
    let seen = app.introspect(&ledger, &token).await.json();
    assert_eq!((&seen["sub"], &seen["client_id"]), (&json!(client.identifier), &json!(orders.identifier)));
    app.revoke(&client, &own).await.assert_status(200);
    assert!(!app.is_active(&orders, &token).await, "with its only token the grant has ended");
}

async fn a_client_narrows_a_token_of_its_own(kind: Kind) {
    let app = TestApp::start(kind).await;
    let both = json!(["authorization_code", EXCHANGE]);
    let metadata = json!({"redirect_uris": [support::REDIRECT_URI], "scope": "read write", "grant_types": both});
    let client = app.client(metadata).await;
    let access = app.grant(&client, "read write").await.access;
    let token = exchanged(&app, &client, &access, &[("scope", "read")]).await;
    let (before, after) = (claims(&access), claims(&token));
    assert_eq!((&after["scope"], &after["aud"], after.get("through")), (&json!("read"), &before["aud"], None));
    assert!(app.is_active(&client, &token).await);
}

async fn an_exchange_never_widens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, access) = shop(&app, "openid read offline_access").await;
    let orders = service(&app, "openid read write", &[ORDERS, LEDGER]).await;
    let to = |more: &'static [(&str, &str)]| exchange(&app, &orders, &access, more);
    to(&[("scope", "read write"), ("resource", LEDGER)]).await.assert_error(400, "invalid_scope");
    to(&[("scope", "openid"), ("resource", LEDGER)]).await.assert_error(400, "invalid_scope");
    to(&[("resource", ARCHIVE)]).await.assert_error(400, "invalid_target");
    to(&[("audience", ARCHIVE)]).await.assert_error(400, "invalid_target");
    to(&[("resource", LEDGER), ("resource", ORDERS)]).await.assert_error(400, "invalid_target");
    let refresh = "urn:ietf:params:oauth:token-type:refresh_token";
    for wanted in [refresh, "urn:ietf:params:oauth:token-type:id_token", "x"] {
        let more = [("requested_token_type", wanted), ("resource", LEDGER)];
        exchange(&app, &orders, &access, &more).await.assert_error(400, "invalid_request");
    }
    assert_eq!(claims(&exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await)["scope"], json!("read"));
    let writer = service(&app, "write", &[ORDERS, LEDGER]).await;
    exchange(&app, &writer, &access, &[("resource", LEDGER)]).await.assert_error(400, "invalid_scope");
    app.app.clock.advance(1800);
    let late = claims(&exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await);
    assert_eq!(late["exp"], claims(&access)["exp"], "it ends with the token that it came of");
}

async fn what_is_no_active_access_token_for_the_client_is_not_exchanged(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read offline_access").await;
    let tokens = app.grant(&client, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let stranger = service(&app, "read", &[LEDGER]).await;
    let refuse = async |by: &TestClient, token: &str| {
        exchange(&app, by, token, &[("resource", LEDGER)]).await.assert_error(400, "invalid_request");
    };
    refuse(&stranger, &access).await;
    refuse(&orders, tokens.refresh_token()).await;
    refuse(&orders, &tokens.access).await;
    for made_up in ["x", "a.b.c", &access[..access.len() - 1], &format!("{access}A")] {
        refuse(&orders, made_up).await;
    }
    let of_type = |kind| [("grant_type", EXCHANGE), ("subject_token", access.as_str()), ("subject_token_type", kind)];
    for of in ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:saml2", "access_token"] {
        app.post_as(&orders, "/o/token/", &of_type(of)).await.assert_error(400, "invalid_request");
    }
    let own = app.token_of(&stranger, "read").await.access;
    let other = [("actor_token", own.as_str()), ("actor_token_type", ACCESS_TOKEN), ("resource", LEDGER)];
    exchanged(&app, &stranger, &own, &other[..2]).await;
    let dead = app.token_of(&orders, "read").await.access;
    app.revoke(&orders, &dead).await.assert_status(200);
    let dead = [("actor_token", dead.as_str()), ("actor_token_type", ACCESS_TOKEN), ("resource", LEDGER)];
    exchange(&app, &orders, &access, &dead).await.assert_error(400, "invalid_request");
    app.revoke(&client, &access).await.assert_status(200);
    refuse(&orders, &access).await;
    app.app.clock.advance(3600);
    let (_, fresh) = shop(&app, "read").await;
    app.app.clock.advance(3600);
    refuse(&orders, &fresh).await;
}

async fn what_ends_the_grant_or_one_by_whose_hands_it_came_ends_what_came_of_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let ends: [(&str, Cause); 4] = [
        ("client", Cause::ClientDisabled),
        ("service", Cause::ClientDisabled),
        ("user", Cause::UserLocked),
        ("consent", Cause::ConsentWithdrawn),
    ];
    for (what, cause) in ends {
        let (client, access) = shop(&app, "read").await;
        let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
        let ledger = service(&app, "introspection", &[LEDGER]).await;
        let token = exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await;
        assert!(app.is_active(&ledger, &token).await);
        match what {
            "client" => app.disable(client.id).await,
            "service" => app.disable(orders.id).await,
            "consent" => app.withdraw_consent(&client).await,
            _ => drop(app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap()),
        }
        assert!(!app.is_active(&ledger, &token).await, "{what}");
        let found = grantlog::audit::token(&app.app.dispatch, &token, &mut |_| {}).await.unwrap().unwrap();
        assert_eq!(found.token().ended.as_ref().map(|end| end.cause), Some(cause), "{what}");
        if what == "user" {
            app.app.dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
        }
    }
}

async fn a_token_goes_by_several_hands(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let ledger = service(&app, "read", &[LEDGER, ARCHIVE]).await;
    let archive = service(&app, "introspection", &[ARCHIVE]).await;
    let first = exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await;
    let second = exchanged(&app, &ledger, &first, &[("resource", ARCHIVE)]).await;
    assert_eq!(claims(&second)["through"], json!([client.identifier, orders.identifier]));
    assert!(app.is_active(&archive, &second).await);
    app.disable(orders.id).await;
    assert!(!app.is_active(&archive, &second).await && app.is_active(&client, &access).await);
    exchange(&app, &ledger, &second, &[("resource", ARCHIVE)]).await.assert_error(400, "invalid_request");
}

async fn an_exchanged_token_is_its_clients_to_revoke_and_ends_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let token = exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await;
    app.revoke(&client, &token).await.assert_status(200);
    assert!(app.is_active(&orders, &token).await, "it is another client's");
    app.revoke(&orders, &access).await.assert_status(200);
    assert!(app.is_active(&client, &access).await, "it is another client's");
    app.revoke(&orders, &token).await.assert_status(200);
    assert!(!app.is_active(&orders, &token).await && app.is_active(&client, &access).await);
}

async fn resource_servers_behind_hear_when_the_grant_ends(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read offline_access").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let ledger = service(&app, "introspection", &[LEDGER]).await;
    exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await;
    let grant_id = claims(&access)["grant_id"].clone();
    let id = grant_id.as_str().unwrap().parse().unwrap();
    app.app.dispatch.revoke_grants(Actor::Operator, &[id]).await.unwrap();
    let request = app.http.get(app.url("/o/revocations?after=0&wait=0"));
    let request = request.basic_auth(&ledger.identifier, Some(secrecy::ExposeSecret::expose_secret(&ledger.secret)));
    let told = Answer::of(request).await.assert_status(200).json();
    let heard = told["revocations"].as_array().unwrap().iter().any(|entry| entry["what"]["grant_id"] == grant_id);
    assert!(heard, "{told}");
    assert!(!app.is_active(&client, &access).await);
}

async fn only_who_is_registered_for_it_exchanges(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read").await;
    exchange(&app, &client, &access, &[("resource", ORDERS)]).await.assert_error(400, "unauthorized_client");
    let metadata = app.get("/.well-known/oauth-authorization-server/o").await.json();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(EXCHANGE)));
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    app.post_as(&orders, "/o/token/", &[("grant_type", EXCHANGE)]).await.assert_error(400, "invalid_request");
    app.post("/o/token/", &[("grant_type", EXCHANGE), ("subject_token", &access)]).await.assert_error(401, "invalid_client");
}

async fn many_exchange_one_token_at_once_on_two_nodes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, access) = shop(&app, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let nodes = [app.address, app.another_node_serving().await];
    let form = [("grant_type", EXCHANGE), ("subject_token", &access), ("subject_token_type", ACCESS_TOKEN), ("resource", LEDGER)];
    let answers = join_all((0..30).map(|turn| app.post_to(nodes[turn % 2], &orders, ("/o/token/", &form)))).await;
    let mut ids: Vec<String> =
        answers.into_iter().map(|answer| claims(&answer.assert_status(200).tokens().access)["jti"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30, "each is a token of its own");
}

async fn the_audit_tells_who_exchanged_what_for_what(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, access) = shop(&app, "read").await;
    let orders = service(&app, "read", &[ORDERS, LEDGER]).await;
    let token = exchanged(&app, &orders, &access, &[("resource", LEDGER)]).await;
    let found = grantlog::audit::token(&app.app.dispatch, &token, &mut |_| {}).await.unwrap().unwrap();
    let names = found.names(&app.app.dispatch).await.unwrap();
    let told = found.lineage(&names, grantlog::audit::Words::of("en"), app.app.clock.now());
    let told = serde_json::to_value(&told).unwrap();
    let came_of: Vec<_> = told["came_of"].as_array().unwrap().iter().map(|token| token["kind"].as_str().unwrap()).collect();
    assert_eq!(came_of, ["access", "code"]);
    assert_eq!((&told["token"]["client_id"], &told["token"]["through"]), (&json!(orders.id), &json!([client.id])));
    let sentence = told["story"].as_array().unwrap().last().unwrap()["said"].as_str().unwrap().to_owned();
    assert!(sentence.starts_with("Service exchanged the access token") && sentence.ends_with(LEDGER), "{sentence}");
    assert_eq!(found.file.record.exchanges, 1);
    let of_first = grantlog::audit::token(&app.app.dispatch, &access, &mut |_| {}).await.unwrap().unwrap();
    let told = serde_json::to_value(of_first.lineage(&names, grantlog::audit::Words::of("en"), app.app.clock.now())).unwrap();
    let led_to: Vec<_> = told["led_to"].as_array().unwrap().iter().map(|token| token["jti"].clone()).collect();
    assert_eq!(led_to, [claims(&token)["jti"].clone()]);
}
