//! An issuer of the settings assures a client of whom it acts for, and the client gets a token (RFC 7523 section 2.1).

use std::net::SocketAddr;

use domain::{
    catalogue::{IssuerEntry, IssuerKeys, ResourceEntry, SubjectIs},
    client::SigningAlgorithm,
    cutoff::Cause,
};
use futures_util::future::join_all;
use grantlog::log::Actor;
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Answer, ClientKey, Kind, TestApp, TestClient, USER, both_stores, with};

use crate::client_assertion::{KeyServer, app_that_may_ask_here};

both_stores!(
    an_assured_client_gets_a_token_for_the_user_and_nothing_more,
    a_user_is_named_by_their_sub_or_their_sign_in_name,
    the_keys_may_be_at_an_address,
    an_assertion_that_is_not_right_is_refused,
    an_issuers_word_counts_for_its_clients_alone,
    under_fapi2_the_issuer_alone_is_the_audience,
    whom_nobody_may_act_for_is_refused_alike,
    an_assertion_is_good_once_over_two_nodes,
    a_refused_request_leaves_its_assertion_good,
    the_scope_is_what_registration_issuer_and_resource_allow,
    what_ends_the_user_the_client_or_the_token_ends_it,
    an_issuer_that_is_not_trusted_any_more_opens_nothing,
    only_who_is_registered_for_it_presents_assertions,
    the_audit_tells_who_assured_whom,
);

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const IDP: &str = "https://idp.example";
const PHOTOS: &str = "https://photos.example/";

/// An app that trusts an issuer, a client that may present what it says, and the issuer's key.
struct Place {
    app: TestApp,
    client: TestClient,
    key: ClientKey,
}

async fn place(kind: Kind) -> Place {
    trusting(TestApp::start(kind).await, |_| {}).await
}

/// The same with another node, which began with the settings that trust nobody.
async fn place_of_two(kind: Kind) -> (Place, SocketAddr) {
    let app = TestApp::start(kind).await;
    let other_node = app.another_node_serving().await;
    (trusting(app, |_| {}).await, other_node)
}

async fn trusting(app: TestApp, change: impl FnOnce(&mut IssuerEntry)) -> Place {
    let (client, key) = (client(&app, json!({})).await, ClientKey::ec());
    trust(&app, IssuerKeys::Jwks(ClientKey::jwks(&[&key])), &client, change).await;
    Place { app, client, key }
}

async fn client(app: &TestApp, more: Value) -> TestClient {
    let usual =
        json!({"client_name": "Gateway", "grant_types": [JWT_BEARER], "scope": "openid read write", "resources": [PHOTOS]});
    app.client(with(usual, more)).await
}

/// The settings come to name the issuer.
async fn trust(app: &TestApp, keys: IssuerKeys, client: &TestClient, change: impl FnOnce(&mut IssuerEntry)) {
    let mut entry = IssuerEntry {
        identifier: IDP.to_owned(),
        keys,
        algorithms: vec![SigningAlgorithm::ES256],
        clients: [client.identifier.clone()].into(),
        scopes: "openid read".parse().unwrap(),
        subject: SubjectIs::Username,
        assertion_lifetime: 300,
    };
    change(&mut entry);
    let mut entries = app.app.settings.catalogue();
    entries.issuers = vec![entry];
    app.app.dispatch.adopt_catalogue(entries).await.unwrap();
}

impl Place {
    fn claims(&self, jti: &str, changed: Value) -> Value {
        said(&self.app, jti, changed)
    }

    fn assertion(&self, jti: &str, changed: Value) -> String {
        self.key.sign(&self.key.header("JWT"), &self.claims(jti, changed))
    }

    async fn present(&self, assertion: &str, more: &[(&str, &str)]) -> Answer {
        present(&self.app, &self.client, assertion, more).await
    }
}

/// What is right, but for these claims.
fn said(app: &TestApp, jti: &str, changed: Value) -> Value {
    let now = app.app.clock.now().unix();
    let right = json!({"iss": IDP, "sub": USER, "aud": app.url("/o"), "exp": now + 60, "iat": now, "jti": jti});
    with(right, changed)
}

/// A new client gets a token by the word of an issuer that the app comes to trust.
pub(crate) async fn is_assured(app: &TestApp) {
    let (client, key) = (client(app, json!({})).await, ClientKey::ec());
    trust(app, IssuerKeys::Jwks(ClientKey::jwks(&[&key])), &client, |_| {}).await;
    let assertion = key.sign(&key.header("JWT"), &said(app, "1", json!({})));
    present(app, &client, &assertion, &[]).await.assert_status(200);
}

async fn present(app: &TestApp, client: &TestClient, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let form = [&[("grant_type", JWT_BEARER), ("assertion", assertion)], more].concat();
    app.post_as(client, "/o/token/", &form).await
}

fn claims(token: &str) -> Value {
    insecure_decode::<Value>(token).unwrap().claims
}

async fn an_assured_client_gets_a_token_for_the_user_and_nothing_more(kind: Kind) {
    let place = place(kind).await;
    let answer = place.present(&place.assertion("1", json!({})), &[]).await.assert_status(200);
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let told = answer.json();
    assert_eq!((told.get("refresh_token"), told.get("id_token"), &told["scope"]), (None, None, &json!("read")));
    let token = told["access_token"].as_str().unwrap();
    let said = claims(token);
    assert_eq!((&said["sub"], &said["client_id"]), (&json!(place.app.user), &json!(place.client.identifier)));
    assert_eq!((said.get("auth_time"), said.get("sid"), said.get("acr")), (None, None, None), "nobody signed in here");
    let resource = place.app.get_with("/api/resource", token).await.assert_status(200).json();
    assert_eq!(resource["username"], USER);
    for header in ["authorization-grant+jwt", "jwt"] {
        let assertion = place.key.sign(&place.key.header(header), &place.claims(header, json!({})));
        place.present(&assertion, &[]).await.assert_status(200);
    }
}

async fn a_user_is_named_by_their_sub_or_their_sign_in_name(kind: Kind) {
    let place = trusting(TestApp::start(kind).await, |entry| entry.subject = SubjectIs::Sub).await;
    let id = place.app.user.to_string();
    let token = place.present(&place.assertion("1", json!({"sub": id})), &[]).await.assert_status(200).tokens().access;
    assert_eq!(claims(&token)["sub"], json!(id));
    for (n, other) in [USER.to_owned(), id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}")].into_iter().enumerate() {
        let assertion = place.assertion(&format!("other {n}"), json!({"sub": other}));
        place.present(&assertion, &[]).await.assert_error(400, "invalid_grant");
    }
}

async fn the_keys_may_be_at_an_address(kind: Kind) {
    let (app, key) = (app_that_may_ask_here(kind).await, ClientKey::ec());
    let server = KeyServer::start(ClientKey::jwks(&[&key])).await;
    let client = client(&app, json!({})).await;
    trust(&app, IssuerKeys::JwksUri(server.jwks_uri.clone()), &client, |_| {}).await;
    let place = Place { app, client, key };
    for jti in ["1", "2"] {
        place.present(&place.assertion(jti, json!({})), &[]).await.assert_status(200);
    }
    assert_eq!(server.asked(), 1, "they are kept for a while");
}

async fn an_assertion_that_is_not_right_is_refused(kind: Kind) {
    let place = place(kind).await;
    let (now, foreign) = (place.app.app.clock.now().unix(), ClientKey::ec());
    let token_endpoint = place.app.url("/o/token/");
    for (n, changed) in [
        json!({"iss": "https://idp.example/"}),
        json!({"iss": place.client.identifier}),
        json!({"aud": "https://else.example"}),
        json!({"aud": place.app.url("/o/introspect/")}),
        json!({"exp": now - 61}),
        json!({"exp": now + 361}),
        json!({"exp": null}),
        json!({"exp": (now + 60).to_string()}),
        json!({"nbf": now + 61}),
        json!({"iat": now + 61}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"sub": null}),
        json!({"sub": 1}),
    ]
    .into_iter()
    .enumerate()
    {
        place.present(&place.assertion(&n.to_string(), changed), &[]).await.assert_error(400, "invalid_grant");
    }
    let sign = |header: Value| place.key.sign_with_header(&header, &place.claims("header", json!({})));
    let kid = place.key.thumbprint();
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": kid}),
        json!({"alg": "RS256", "kid": kid}),
        json!({"alg": "ES256", "kid": kid, "typ": "client-authentication+jwt"}),
        json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}),
        json!({"alg": "ES256", "kid": kid, "crit": ["exp"]}),
        json!({"alg": "ES256", "kid": "another"}),
    ] {
        place.present(&sign(header), &[]).await.assert_error(400, "invalid_grant");
    }
    let brought = foreign.sign_with_header(&json!({"alg": "ES256", "jwk": foreign.jwk()}), &place.claims("own key", json!({})));
    let right = place.assertion("right", json!({"aud": ["https://else.example", token_endpoint]}));
    let cut = &right[..right.len() - 4];
    for none in [&brought, cut, "x", "a.b.c", "a.b.c.d.e", &"a".repeat(20_000)] {
        place.present(none, &[]).await.assert_error(400, "invalid_grant");
    }
    place.app.post_as(&place.client, "/o/token/", &[("grant_type", JWT_BEARER)]).await.assert_error(400, "invalid_request");
    place.present(&right, &[("resource", PHOTOS)]).await.assert_status(200);
}

async fn an_issuers_word_counts_for_its_clients_alone(kind: Kind) {
    let place = place(kind).await;
    let other = client(&place.app, json!({})).await;
    let assertion = place.assertion("1", json!({}));
    present(&place.app, &other, &assertion, &[]).await.assert_error(400, "invalid_grant");
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
    place.app.post("/o/token/", &form).await.assert_error(401, "invalid_client");
    place.present(&assertion, &[]).await.assert_status(200);
}

async fn under_fapi2_the_issuer_alone_is_the_audience(kind: Kind) {
    let (app, own) = (TestApp::start(kind).await, ClientKey::ec());
    let more = json!({"policy": "fapi2", "grant_types": [JWT_BEARER]});
    let client = crate::client_assertion::signing(&app, &own, more).await;
    let key = ClientKey::ec();
    let mut entries = app.app.settings.catalogue();
    entries.issuers = vec![IssuerEntry {
        identifier: IDP.to_owned(),
        keys: IssuerKeys::Jwks(ClientKey::jwks(&[&key])),
        algorithms: vec![SigningAlgorithm::ES256],
        clients: [client.client_id.clone()].into(),
        scopes: "read".parse().unwrap(),
        subject: SubjectIs::Username,
        assertion_lifetime: 300,
    }];
    app.app.dispatch.adopt_catalogue(entries).await.unwrap();
    let exp = app.app.clock.now().unix() + 60;
    let issuer = app.url("/o");
    let audiences = [(json!(app.url("/o/token/")), 400), (json!([issuer]), 400), (json!(issuer), 200)];
    for (n, (audience, status)) in audiences.into_iter().enumerate() {
        let said = json!({"iss": IDP, "sub": USER, "aud": audience, "exp": exp, "jti": n.to_string()});
        let assertion = key.sign(&key.header("JWT"), &said);
        let proof = own.proof(&app, ("POST", "/o/token/"), None, json!({}));
        let client_proof = client.sign(&format!("client {n}"), json!({}));
        let form = [
            ("grant_type", JWT_BEARER),
            ("assertion", assertion.as_str()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", client_proof.as_str()),
        ];
        Answer::of(app.http.post(app.url("/o/token/")).header("dpop", proof).form(&form)).await.assert_status(status);
    }
}

async fn whom_nobody_may_act_for_is_refused_alike(kind: Kind) {
    let place = place(kind).await;
    let mut told = Vec::new();
    let mut refused = async |jti: &str, changed: Value| {
        let answer = place.present(&place.assertion(jti, changed), &[]).await.assert_error(400, "invalid_grant");
        told.push(answer.json()["error_description"].clone());
    };
    refused("nobody", json!({"sub": "nobody"})).await;
    place.app.app.dispatch.lock_user(Actor::Operator, place.app.user).await.unwrap();
    refused("locked", json!({})).await;
    place.app.app.dispatch.unlock_user(Actor::Operator, place.app.user).await.unwrap();
    place.present(&place.assertion("unlocked", json!({})), &[]).await.assert_status(200);
    place.app.app.dispatch.erase_user(Actor::Operator, place.app.user).await.unwrap();
    refused("erased", json!({})).await;
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

async fn an_assertion_is_good_once_over_two_nodes(kind: Kind) {
    let (place, other_node) = place_of_two(kind).await;
    let nodes = [place.app.address, other_node];
    let assertion = place.assertion("1", json!({}));
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
    let tries = (0..20).map(|n| place.app.post_to(nodes[n % 2], &place.client, ("/o/token/", &form)));
    let statuses: Vec<_> = join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    place.present(&assertion, &[]).await.assert_error(400, "invalid_grant");
    place.present(&place.assertion("2", json!({})), &[]).await.assert_status(200);
}

async fn a_refused_request_leaves_its_assertion_good(kind: Kind) {
    let place = place(kind).await;
    let assertion = place.assertion("1", json!({}));
    place.present(&assertion, &[("scope", "write")]).await.assert_error(400, "invalid_scope");
    place.present(&assertion, &[("resource", "https://else.example/")]).await.assert_error(400, "invalid_target");
    place.present(&assertion, &[("scope", "read")]).await.assert_status(200);
}

async fn the_scope_is_what_registration_issuer_and_resource_allow(kind: Kind) {
    let place = place(kind).await;
    let with_openid =
        place.present(&place.assertion("1", json!({})), &[("scope", "openid read")]).await.assert_status(200).tokens();
    assert_eq!(with_openid.scope, "openid read");
    let told = place.app.get_with("/o/userinfo/", &with_openid.access).await.assert_status(200).json();
    assert_eq!(told["sub"], json!(place.app.user));
    for (jti, scope) in [("2", "read write"), ("3", "write"), ("4", "introspection")] {
        place.present(&place.assertion(jti, json!({})), &[("scope", scope)]).await.assert_error(400, "invalid_scope");
    }
    let catalogue = place.app.app.dispatch.catalogue().await.unwrap();
    let mut entries = place.app.app.settings.catalogue();
    entries.issuers.clone_from(&catalogue.issuers);
    entries.resources = vec![ResourceEntry {
        identifier: PHOTOS.to_owned(),
        names: [].into(),
        scopes: "write".parse().unwrap(),
        token_format: None,
        access_token_lifetime: None,
        open: false,
        exchange_by: None,
        exchange_needs_actor: false,
    }];
    place.app.app.dispatch.adopt_catalogue(entries).await.unwrap();
    place.present(&place.assertion("5", json!({})), &[("resource", PHOTOS)]).await.assert_error(400, "invalid_scope");
}

async fn what_ends_the_user_the_client_or_the_token_ends_it(kind: Kind) {
    let place = place(kind).await;
    let server = place.app.ordinary_client().await;
    let app = &place.app;
    let token = async |jti: &str| place.present(&place.assertion(jti, json!({})), &[]).await.assert_status(200).tokens().access;
    let revoked = token("1").await;
    app.revoke(&place.client, &revoked).await.assert_status(200);
    app.get_with("/api/resource", &revoked).await.assert_error(401, "invalid_token");
    let by_operator = token("2").await;
    let grant = claims(&by_operator)["grant_id"].as_str().unwrap().parse().unwrap();
    app.app.dispatch.revoke_grants(Actor::Operator, &[grant]).await.unwrap();
    app.get_with("/api/resource", &by_operator).await.assert_error(401, "invalid_token");
    let of_user = token("3").await;
    app.get_with("/api/resource", &of_user).await.assert_status(200);
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    app.get_with("/api/resource", &of_user).await.assert_error(401, "invalid_token");
    let found = grantlog::audit::token(&app.app.dispatch, &of_user, &mut |_| {}).await.unwrap().unwrap();
    assert_eq!(found.token().ended.as_ref().map(|end| end.cause), Some(Cause::UserLocked));
    app.app.dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
    app.get_with("/api/resource", &of_user).await.assert_error(401, "invalid_token");
    let of_client = token("4").await;
    app.disable(place.client.id).await;
    app.get_with("/api/resource", &of_client).await.assert_error(401, "invalid_token");
    assert!(!app.is_active(&server, &of_client).await);
}

async fn an_issuer_that_is_not_trusted_any_more_opens_nothing(kind: Kind) {
    let (place, other_node) = place_of_two(kind).await;
    let ask = async |jti: &str| {
        let assertion = place.assertion(jti, json!({}));
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
        place.app.post_to(other_node, &place.client, ("/o/token/", &form)).await
    };
    ask("1").await.assert_status(200);
    place.app.app.dispatch.adopt_catalogue(place.app.app.settings.catalogue()).await.unwrap();
    ask("2").await.assert_error(400, "invalid_grant");
}

async fn only_who_is_registered_for_it_presents_assertions(kind: Kind) {
    let place = place(kind).await;
    let ordinary = place.app.ordinary_client().await;
    let assertion = place.assertion("1", json!({}));
    present(&place.app, &ordinary, &assertion, &[]).await.assert_error(400, "unauthorized_client");
    let metadata = place.app.get("/.well-known/oauth-authorization-server/o").await.json();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(JWT_BEARER)));
}

async fn the_audit_tells_who_assured_whom(kind: Kind) {
    let place = place(kind).await;
    let app = &place.app;
    let token = place.present(&place.assertion("assurance-1", json!({})), &[]).await.assert_status(200).tokens().access;
    let found = grantlog::audit::token(&app.app.dispatch, &token, &mut |_| {}).await.unwrap().unwrap();
    let record = serde_json::to_value(&found.file.record).unwrap();
    assert_eq!(
        (&record["kind"], &record["user_id"], &record["policy"]),
        (&json!("jwt_bearer"), &json!(app.user), &json!("default"))
    );
    let names = found.names(&app.app.dispatch).await.unwrap();
    let told = found.lineage(&names, grantlog::audit::Words::of("en"), app.app.clock.now());
    let told = serde_json::to_value(&told).unwrap();
    let sentence = told["story"].as_array().unwrap().last().unwrap()["said"].as_str().unwrap();
    for said in [IDP, "Gateway", USER, "assurance-1"] {
        assert!(sentence.contains(said), "{said}: {sentence}");
    }
}
