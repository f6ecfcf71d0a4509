//! Every value that the metadata names is used once and works; what it does not name is refused. A member that nothing here uses fails the
//! test: so nothing is named that does not work.

use domain::client::SigningAlgorithm;
use jsonwebtoken::{dangerous::insecure_decode, decode_header};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Browser, ClientKey, DEVICE_CODE, Kind, REDIRECT_URI, TestApp, TestClient, VERIFIER, both_stores};

use crate::{
    client_assertion::proves_itself,
    dpop::bound,
    introspection::signed,
    jwt_bearer::{JWT_BEARER, is_assured},
    request_object::request_is_taken,
    second_factor::context_reached,
    signed_answer::algorithm_of_answers,
    token_exchange::{EXCHANGE, exchange},
};

both_stores!(every_value_that_is_named_works, what_is_not_named_is_refused);

const DISCOVERY: &str = "/o/.well-known/openid-configuration";

async fn every_value_that_is_named_works(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = app.get(DISCOVERY).await.assert_status(200).json();
    let browser = Browser::signed_in(&app).await;
    for (member, value) in metadata.as_object().unwrap() {
        match value {
            Value::Array(values) => {
                assert!(!values.is_empty(), "{member}");
                for value in values {
                    works(&browser, member, value).await;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                works(&browser, member, value).await;
            }
        }
    }
}

/// Uses one value.
async fn works(browser: &Browser<'_>, member: &str, value: &Value) {
    let app = browser.app;
    let named = value.as_str().unwrap_or_default();
    match member {
        "issuer" => assert_eq!(app.get(DISCOVERY).await.json()["issuer"], *value),
        "authorization_endpoint" | "end_session_endpoint" | "jwks_uri" => is_there(app, Method::GET, named).await,
        "token_endpoint"
        | "device_authorization_endpoint"
        | "pushed_authorization_request_endpoint"
        | "revocation_endpoint"
        | "introspection_endpoint"
        | "userinfo_endpoint"
        | "registration_endpoint" => {
            is_there(app, Method::POST, named).await;
        }
        "revocations_endpoint" => is_there(app, Method::GET, named).await,
        "scopes_supported" => a_scope_can_be_had(browser, named).await,
        "response_types_supported" => {
            assert!(allowed(browser, &[("response_type", named)]).await.answered("code").is_some());
        }
        "response_modes_supported" => a_mode_answers(browser, named).await,
        "grant_types_supported" => a_grant_gives_tokens(app, named).await,
        "token_endpoint_auth_methods_supported"
        | "revocation_endpoint_auth_methods_supported"
        | "introspection_endpoint_auth_methods_supported" => a_client_proves_itself(app, member, named).await,
        "token_endpoint_auth_signing_alg_values_supported"
        | "revocation_endpoint_auth_signing_alg_values_supported"
        | "introspection_endpoint_auth_signing_alg_values_supported" => {
            proves_itself(app, path_of(member), SigningAlgorithm::named(named).expect("one that we know")).await;
        }
        "code_challenge_methods_supported" => {
            assert!(allowed(browser, &[("code_challenge_method", named)]).await.answered("code").is_some());
        }
        "authorization_response_iss_parameter_supported" => {
            assert_eq!(allowed(browser, &[]).await.answered("iss").is_some(), *value == true);
        }
        "ui_locales_supported" => {
            let client = app.ordinary_client().await;
            let page = browser.get(&app.authorize_path(&client, &[("ui_locales", named)])).await.assert_status(200);
            assert_eq!(page.attribute("html", "lang").as_deref(), Some(named));
        }
        "display_values_supported" => assert!(allowed(browser, &[("display", named)]).await.answered("code").is_some()),
        "acr_values_supported" => assert_eq!(context_reached(app, named).await, *value),
        "subject_types_supported" => {
            let id_token = id_token(app, "subject_type", value).await;
            let sub = insecure_decode::<Value>(&id_token).unwrap().claims["sub"].take();
            assert_eq!(sub == json!(app.user), named == "public");
        }
        "id_token_signing_alg_values_supported" => {
            let id_token = id_token(app, "id_token_signed_response_alg", value).await;
            assert_eq!(json!(decode_header(&id_token).unwrap().alg), *value);
        }
        "userinfo_signing_alg_values_supported" => {
            let client = openid_client(app, "userinfo_signed_response_alg", value).await;
            let token = app.grant(&client, "openid").await.access;
            let answer = app.get_with("/o/userinfo/", &token).await.assert_status(200);
            assert_eq!(json!(decode_header(&answer.body).unwrap().alg), *value);
        }
        "claims_parameter_supported" => {
            let client = openid_client(app, "client_name", &json!("Asks")).await;
            let asked = [("scope", "openid"), ("claims", r#"{"id_token": {"preferred_username": null}}"#)];
            let code = browser.allow(&app.authorize_path(&client, &asked)).await.answered("code").unwrap();
            let id_token = app.redeem(&client, &code).await.assert_status(200).tokens().id_token.unwrap();
            assert_eq!(insecure_decode::<Value>(&id_token).unwrap().claims["preferred_username"], support::USER);
        }
        // Where the settings let clients come so, the tests of documents see it named.
        "client_id_metadata_document_supported" => assert_eq!(*value, false),
        // Both, and the refusal of what is not registered, have tests of their own.
        "request_parameter_supported" | "request_uri_parameter_supported" | "require_request_uri_registration" => {
            assert_eq!(*value, true, "{member}");
        }
        // No client has to that did not register for it: all others here do neither.
        "require_pushed_authorization_requests" | "require_signed_request_object" => assert_eq!(*value, false, "{member}"),
        "request_object_signing_alg_values_supported" => {
            request_is_taken(browser, SigningAlgorithm::named(named).expect("one that we know")).await;
        }
        "authorization_signing_alg_values_supported" => {
            assert_eq!(algorithm_of_answers(browser, json!({"authorization_signed_response_alg": named})).await, named);
        }
        "introspection_signing_alg_values_supported" => {
            let metadata =
                json!({"grant_types": ["client_credentials"], "scope": "read", "introspection_signed_response_alg": named});
            let client = app.client(metadata).await;
            let token = app.token_of(&client, "read").await.access;
            assert_eq!(json!(decode_header(signed(app, &client, &token).await).unwrap().alg), *value);
        }
        "dpop_signing_alg_values_supported" => {
            let key = ClientKey::new(SigningAlgorithm::named(named).expect("one that we know"));
            assert_eq!(bound(app, &app.ordinary_client().await, &key).await.assert_status(200).json()["token_type"], "DPoP");
        }
        "backchannel_logout_supported" | "backchannel_logout_session_supported" => {
            openid_client(app, "backchannel_logout_uri", &json!("https://app.example/out")).await;
        }
        "frontchannel_logout_supported" | "frontchannel_logout_session_supported" => {
            openid_client(app, "frontchannel_logout_uri", &json!("https://app.example/out")).await;
        }
        // Each claim is told: the test of the metadata's claims holds what is named to what is told.
        "claims_supported" => assert!(!named.is_empty()),
        "claim_types_supported" => assert_eq!(named, "normal", "claims stand in the answers themselves"),
        other => panic!("nothing uses {other}"),
    }
}

async fn is_there(app: &TestApp, method: Method, url: &str) {
    let answer = Answer::of(app.http.request(method, url)).await;
    assert!(![404, 405, 500].contains(&answer.status.as_u16()), "{url}: {answer:?}");
}

/// The answer that a client gets which may ask for everything.
async fn allowed(browser: &Browser<'_>, changes: &[(&str, &str)]) -> Answer {
    let client = browser.app.ordinary_client().await;
    browser.allow(&browser.app.authorize_path(&client, changes)).await
}

async fn openid_client(app: &TestApp, member: &str, value: &Value) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid profile", member: value})).await
}

async fn id_token(app: &TestApp, member: &str, value: &Value) -> String {
    let client = openid_client(app, member, value).await;
    app.grant(&client, "openid").await.id_token.expect("there is one")
}

/// From a user, or, a privileged one, by a client for itself.
async fn a_scope_can_be_had(browser: &Browser<'_>, scope: &str) {
    let app = browser.app;
    let grant_types = ["authorization_code", "client_credentials"];
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "grant_types": grant_types, "scope": scope})).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("scope", scope)])).await;
    let tokens = match answer.answered("code") {
        Some(code) => app.redeem(&client, &code).await.assert_status(200).tokens(),
        None => app.token_of(&client, scope).await,
    };
    assert_eq!(tokens.scope, scope);
}

async fn a_mode_answers(browser: &Browser<'_>, mode: &str) {
    let answer = allowed(browser, &[("response_mode", mode)]).await;
    match mode {
        "query" => assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?code=")), "{answer:?}"),
        "fragment" => assert!(answer.location().starts_with(&format!("{REDIRECT_URI}#code=")), "{answer:?}"),
        "form_post" => assert_eq!(answer.attribute("form", "action").as_deref(), Some(REDIRECT_URI), "{answer:?}"),
        "jwt" | "query.jwt" => assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?response=")), "{answer:?}"),
        "fragment.jwt" => assert!(answer.location().starts_with(&format!("{REDIRECT_URI}#response=")), "{answer:?}"),
        "form_post.jwt" => assert_eq!(answer.form("continue").fields[0].0, "response", "{answer:?}"),
        other => panic!("nothing knows {other}"),
    }
}

async fn a_grant_gives_tokens(app: &TestApp, grant_type: &str) {
    let client = app.ordinary_client().await;
    match grant_type {
        "authorization_code" => drop(app.grant(&client, "read").await),
        "refresh_token" => {
            let tokens = app.grant(&client, "read").await;
            app.refresh(&client, tokens.refresh_token()).await.assert_status(200);
        }
        "client_credentials" => drop(app.token_of(&client, "read").await),
        DEVICE_CODE => {
            let client = app.device_client().await;
            let device = app.device(&client, "read").await;
            app.let_in(&device).await;
            app.poll(&client, &device).await.assert_status(200);
        }
        EXCHANGE => {
            let grant_types = json!([EXCHANGE, "client_credentials"]);
            let client = app.client(json!({"grant_types": grant_types, "scope": "read"})).await;
            let token = app.token_of(&client, "read").await.access;
            exchange(app, &client, &token, &[]).await.assert_status(200);
        }
        JWT_BEARER => is_assured(app).await,
        other => panic!("nothing knows {other}"),
    }
}

/// At the token endpoint with a code, at the others with the token that it gave.
async fn a_client_proves_itself(app: &TestApp, member: &str, method: &str) {
    if method == "private_key_jwt" {
        return proves_itself(app, path_of(member), SigningAlgorithm::ES256).await;
    }
    let client =
        app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "token_endpoint_auth_method": method})).await;
    let code = app.code(&client, "read").await;
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let token = post_by(app, &client, method, ("/o/token/", &grant)).await.assert_status(200).tokens().access;
    let path = path_of(member);
    if path != "/o/token/" {
        post_by(app, &client, method, (path, &[("token", &token)])).await.assert_status(200);
    }
}

/// The endpoint that a member is about.
fn path_of(member: &str) -> &'static str {
    match member.split_once('_').unwrap().0 {
        "token" => "/o/token/",
        "revocation" => "/o/revoke_token/",
        "introspection" => "/o/introspect/",
        other => panic!("nothing knows the endpoint {other}"),
    }
}

async fn post_by(app: &TestApp, client: &TestClient, method: &str, (path, form): (&str, &[(&str, &str)])) -> Answer {
    let id = ("client_id", client.identifier.as_str());
    match method {
        "client_secret_basic" => app.post_as(client, path, form).await,
        "client_secret_post" => app.post(path, &[form, &[id, ("client_secret", client.secret.expose_secret())]].concat()).await,
        "none" => app.post(path, &[form, &[id]].concat()).await,
        other => panic!("nothing knows {other}"),
    }
}

async fn what_is_not_named_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for (parameter, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_mode", "web_message", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "unheard_of", "invalid_scope"),
        ("prompt", "create", "invalid_request"),
        ("request", "x", "request_not_supported"),
        ("request_uri", "https://app.example/r", "request_uri_not_supported"),
    ] {
        let answer = app.get(&app.authorize_path(&client, &[(parameter, value)])).await;
        assert_eq!(answer.answered("error").as_deref(), Some(error), "{parameter}={value}: {answer:?}");
    }
    for grant_type in ["password", "urn:ietf:params:oauth:grant-type:saml2-bearer", "implicit"] {
        let form = [("grant_type", grant_type)];
        app.post_as(&client, "/o/token/", &form).await.assert_error(400, "unsupported_grant_type");
    }
    for (member, value) in [
        ("subject_type", "ephemeral"),
        ("id_token_signed_response_alg", "HS256"),
        ("id_token_signed_response_alg", "none"),
        ("userinfo_signed_response_alg", "none"),
        ("id_token_encrypted_response_alg", "RSA-OAEP-256"),
        ("token_endpoint_auth_method", "client_secret_jwt"),
    ] {
        let metadata = json!({"redirect_uris": [REDIRECT_URI], member: value});
        let refused = serde_json::from_value::<domain::client::ClientMetadata>(metadata).map(|metadata| metadata.check());
        assert!(!matches!(refused, Ok(Ok(()))), "{member}={value}");
    }
}
