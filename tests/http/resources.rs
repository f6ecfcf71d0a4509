//! Resources (RFC 8707): a token is for one of those that were granted, has the scopes that this one understands, and the form that the settings'
//! catalogue gives it.

use domain::client::AccessTokenFormat;
use grantlog::config::ResourceSetting;
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Answer, Browser, Device, Kind, REDIRECT_URI, TestApp, TestClient, Tokens, both_stores};

both_stores!(
    a_token_is_for_one_resource,
    of_several_that_were_granted_a_token_request_names_one,
    one_that_was_granted_needs_no_name,
    a_token_has_the_scopes_that_its_resource_understands,
    a_resource_that_understands_nothing_of_the_scope_gets_no_token,
    a_refresh_asks_for_no_scope_that_was_not_granted,
    a_resource_has_its_own_form_and_lifetime_of_tokens,
    a_pairwise_client_gets_opaque_tokens_for_any_resource,
    userinfo_takes_tokens_of_the_default_resource_alone,
    the_default_resource_keeps_what_the_issuer_goes_by,
    people_are_asked_by_the_names_of_resources,
    a_device_gets_a_token_for_one_of_its_resources,
    an_exchanged_token_has_what_its_resource_understands,
    any_application_may_ask_for_an_open_resource,
    a_resource_says_who_exchanges_for_it_and_that_they_are_named,
    a_changed_catalogue_rules_the_next_token_on_every_node,
    the_metadata_names_the_resources,
);

pub(crate) const PHOTOS: &str = "https://photos.example/";
pub(crate) const VIDEOS: &str = "https://videos.example/";
/// Not in the catalogue.
pub(crate) const OTHER: &str = "https://other.example/";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn setting(scopes: &[&str]) -> ResourceSetting {
    ResourceSetting { scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), ..ResourceSetting::default() }
}

/// Photos understand `read`; videos have no words and take every scope, in opaque tokens that live for a minute.
pub(crate) async fn app(kind: Kind) -> TestApp {
    TestApp::start_with(kind, |settings| {
        let names = [("en".to_owned(), "Your photos".to_owned()), ("ja".to_owned(), "あなたの写真".to_owned())];
        settings.resources.insert(PHOTOS.to_owned(), ResourceSetting { names: names.into(), ..setting(&["read"]) });
        let (token_format, access_token_lifetime) = (Some(AccessTokenFormat::Opaque), Some(60));
        let videos = ResourceSetting { token_format, access_token_lifetime, ..setting(&[]) };
        settings.resources.insert(VIDEOS.to_owned(), videos);
    })
    .await
}

pub(crate) async fn client(app: &TestApp) -> TestClient {
    app.client(json!({
        "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile read write", "resources": [PHOTOS, VIDEOS, OTHER],
    }))
    .await
}

/// A code for a client, for these resources.
pub(crate) async fn code(app: &TestApp, client: &TestClient, scope: &str, resources: &[&str]) -> String {
    let session = app.sign_in().await;
    let mut approval = app.approval(&session, client, scope).await;
    approval.resources = resources.iter().map(|resource| (*resource).to_owned()).collect();
    app.code_of(&approval).await
}

pub(crate) async fn redeem(app: &TestApp, client: &TestClient, code: &str, resources: &[&str]) -> Answer {
    let usual = [("redirect_uri", REDIRECT_URI), ("code_verifier", support::VERIFIER)];
    let named: Vec<_> = resources.iter().map(|resource| ("resource", *resource)).collect();
    app.redeem_with(client, code, &[&usual[..], &named].concat()).await
}

pub(crate) async fn refresh(app: &TestApp, client: &TestClient, tokens: &Tokens, more: &[(&str, &str)]) -> Answer {
    let form = [&[("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())], more].concat();
    app.post_as(client, "/o/token/", &form).await
}

async fn of_client(app: &TestApp, client: &TestClient, scope: &str, resources: &[&str]) -> Answer {
    let named = resources.iter().map(|resource| ("resource", *resource));
    let form: Vec<_> = [("grant_type", "client_credentials"), ("scope", scope)].into_iter().chain(named).collect();
    app.post_as(client, "/o/token/", &form).await
}

async fn told(app: &TestApp, client: &TestClient, token: &str) -> Value {
    app.introspect(client, token).await.assert_status(200).json()
}

fn claims(token: &str) -> Value {
    insecure_decode::<Value>(token).expect("it is a JWT").claims
}

fn description(refused: &Answer) -> String {
    refused.json()["error_description"].as_str().expect("there is a description").to_owned()
}

async fn a_token_is_for_one_resource(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let refused = of_client(&app, &client, "read", &[PHOTOS, OTHER]).await.assert_error(400, "invalid_target");
    assert!(description(&refused).contains("name one"), "{refused:?}");
    for unknown in ["https://photos.example", "https://unknown.example/", "photos", "https://photos.example/#", "/"] {
        of_client(&app, &client, "read", &[unknown]).await.assert_error(400, "invalid_target");
    }
    for (resources, audience) in [(&[PHOTOS] as &[&str], PHOTOS), (&[PHOTOS, PHOTOS], PHOTOS), (&[], &app.url(""))] {
        let tokens = of_client(&app, &client, "read", resources).await.assert_status(200).tokens();
        assert_eq!(claims(&tokens.access)["aud"], audience, "a single one is a string");
        assert_eq!(told(&app, &client, &tokens.access).await["aud"], json!([audience]));
    }
}

async fn of_several_that_were_granted_a_token_request_names_one(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let code = code(&app, &client, "read", &[PHOTOS, OTHER]).await;
    let refused = redeem(&app, &client, &code, &[]).await.assert_error(400, "invalid_target");
    assert!(description(&refused).contains("name it with resource"), "{refused:?}");
    for named in [&[PHOTOS, OTHER] as &[&str], &[VIDEOS], &[&app.url("")]] {
        redeem(&app, &client, &code, named).await.assert_error(400, "invalid_target");
    }
    let first = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
    assert_eq!(told(&app, &client, &first.access).await["aud"], json!([PHOTOS]));
    refresh(&app, &client, &first, &[]).await.assert_error(400, "invalid_target");
    refresh(&app, &client, &first, &[("resource", VIDEOS)]).await.assert_error(400, "invalid_target");
    let other = refresh(&app, &client, &first, &[("resource", OTHER)]).await.assert_status(200).tokens();
    assert_eq!(told(&app, &client, &other.access).await["aud"], json!([OTHER]));
    let again = refresh(&app, &client, &other, &[("resource", PHOTOS)]).await.assert_status(200).tokens();
    assert_eq!(told(&app, &client, &again.access).await["aud"], json!([PHOTOS]));
    assert!(app.is_active(&client, &other.access).await, "tokens for several resources live beside one another");
}

async fn one_that_was_granted_needs_no_name(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let code = code(&app, &client, "read", &[PHOTOS]).await;
    let tokens = redeem(&app, &client, &code, &[]).await.assert_status(200).tokens();
    assert_eq!(told(&app, &client, &tokens.access).await["aud"], json!([PHOTOS]));
    let next = refresh(&app, &client, &tokens, &[]).await.assert_status(200).tokens();
    assert_eq!(told(&app, &client, &next.access).await["aud"], json!([PHOTOS]));
}

async fn a_token_has_the_scopes_that_its_resource_understands(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let code = code(&app, &client, "openid profile read write", &[PHOTOS, VIDEOS, OTHER]).await;
    let photos = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
    assert_eq!(photos.scope, "read");
    assert_eq!(claims(&photos.access)["scope"], "read");
    assert_eq!(told(&app, &client, &photos.access).await["scope"], "read");
    assert_eq!(claims(photos.id_token())["sub"], json!(app.user), "the ID token is for the application, whatever the resource");
    let videos = refresh(&app, &client, &photos, &[("resource", VIDEOS)]).await.assert_status(200).tokens();
    assert_eq!(videos.scope, "profile read write", "openid is the issuer's own");
    let other = refresh(&app, &client, &videos, &[("resource", OTHER)]).await.assert_status(200).tokens();
    assert_eq!(other.scope, "openid profile read write", "nothing is known of it");
    let narrowed = refresh(&app, &client, &other, &[("resource", VIDEOS), ("scope", "openid read")]).await;
    assert_eq!(narrowed.assert_status(200).tokens().scope, "read");
}

async fn a_resource_that_understands_nothing_of_the_scope_gets_no_token(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    of_client(&app, &client, "write", &[PHOTOS]).await.assert_error(400, "invalid_scope");
    let code = code(&app, &client, "read write", &[PHOTOS, VIDEOS]).await;
    let tokens = redeem(&app, &client, &code, &[VIDEOS]).await.assert_status(200).tokens();
    refresh(&app, &client, &tokens, &[("resource", PHOTOS), ("scope", "write")]).await.assert_error(400, "invalid_scope");
    refresh(&app, &client, &tokens, &[("resource", PHOTOS)]).await.assert_status(200);
    let browser = Browser::signed_in(&app).await;
    let asked = app.authorize_path(&client, &[("scope", "openid write"), ("resource", PHOTOS)]);
    browser.open(&asked).await.assert_error_redirect("invalid_scope");
}

async fn a_refresh_asks_for_no_scope_that_was_not_granted(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let code = code(&app, &client, "read", &[PHOTOS]).await;
    let tokens = redeem(&app, &client, &code, &[]).await.assert_status(200).tokens();
    refresh(&app, &client, &tokens, &[("scope", "read write")]).await.assert_error(400, "invalid_scope");
    refresh(&app, &client, &tokens, &[("scope", "read")]).await.assert_status(200);
}

async fn a_resource_has_its_own_form_and_lifetime_of_tokens(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let photos = of_client(&app, &client, "read", &[PHOTOS]).await.assert_status(200).tokens();
    let videos = of_client(&app, &client, "read", &[VIDEOS]).await.assert_status(200).tokens();
    assert!(insecure_decode::<Value>(&photos.access).is_ok() && insecure_decode::<Value>(&videos.access).is_err());
    assert_eq!((photos.expires_in, videos.expires_in), (3600, 60));
    assert_eq!(told(&app, &client, &videos.access).await["aud"], json!([VIDEOS]));
    let short = app
        .client(json!({
            "grant_types": ["client_credentials"], "scope": "read", "resources": [PHOTOS, VIDEOS],
            "access_token_lifetime": 30, "access_token_format": "opaque",
        }))
        .await;
    assert_eq!(of_client(&app, &short, "read", &[VIDEOS]).await.tokens().expires_in, 30, "a resource lengthens nothing");
    let opaque = of_client(&app, &short, "read", &[PHOTOS]).await.tokens().access;
    assert!(insecure_decode::<Value>(&opaque).is_err(), "photos leave the form to the application");
    app.app.clock.advance(60);
    assert!(!app.is_active(&client, &videos.access).await && app.is_active(&client, &photos.access).await);
}

async fn a_pairwise_client_gets_opaque_tokens_for_any_resource(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        let jwt = ResourceSetting { token_format: Some(AccessTokenFormat::Jwt), ..setting(&["read"]) };
        settings.resources.insert(PHOTOS.to_owned(), jwt);
    })
    .await;
    let grants = ["client_credentials", "authorization_code"];
    let of = |more: Value| {
        let usual =
            json!({"redirect_uris": [REDIRECT_URI], "grant_types": grants, "scope": "openid read", "resources": [PHOTOS]});
        app.client(support::with(usual, more))
    };
    let (opaque, pairwise) = (of(json!({"access_token_format": "opaque"})).await, of(json!({"subject_type": "pairwise"})).await);
    for (client, is_jwt) in [(opaque, true), (pairwise, false)] {
        let code = code(&app, &client, "openid read", &[PHOTOS]).await;
        let tokens = redeem(&app, &client, &code, &[]).await.assert_status(200).tokens();
        assert_eq!(insecure_decode::<Value>(&tokens.access).is_ok(), is_jwt);
    }
}

async fn userinfo_takes_tokens_of_the_default_resource_alone(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let own = app.url("");
    let code = code(&app, &client, "openid read", &[PHOTOS, OTHER, &own]).await;
    let photos = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
    app.get_with("/o/userinfo/", &photos.access).await.assert_error(401, "invalid_token");
    let other = refresh(&app, &client, &photos, &[("resource", OTHER)]).await.assert_status(200).tokens();
    app.get_with("/o/userinfo/", &other.access).await.assert_error(401, "invalid_token");
    let issuers = refresh(&app, &client, &other, &[("resource", &own)]).await.assert_status(200).tokens();
    assert_eq!(app.get_with("/o/userinfo/", &issuers.access).await.assert_status(200).json()["sub"], json!(app.user));
}

async fn the_default_resource_keeps_what_the_issuer_goes_by(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        settings.resources.insert(settings.default_resource().to_owned(), setting(&["read"]));
    })
    .await;
    let client = client(&app).await;
    let tokens = app.grant(&client, "openid profile read write").await;
    assert_eq!(tokens.scope, "openid profile read");
    app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200);
    let server = app.client(json!({"grant_types": ["client_credentials"], "scope": "introspection write"})).await;
    let own = app.token_of(&server, "introspection write").await;
    assert_eq!(own.scope, "introspection");
    let asked = app.http.post(app.url("/o/introspect/")).bearer_auth(own.access).form(&[("token", &tokens.access)]);
    assert_eq!(Answer::of(asked).await.assert_status(200).json()["scope"], "openid profile read");
}

async fn people_are_asked_by_the_names_of_resources(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let browser = Browser::signed_in(&app).await;
    let path = app.authorize_path(&client, &[("resource", PHOTOS), ("resource", VIDEOS)]);
    let page = browser.open(&path).await.assert_status(200);
    for shown in ["Your photos", PHOTOS, VIDEOS] {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    assert!(browser.open(&format!("{path}&ui_locales=ja")).await.text().contains("あなたの写真"));
    let code = browser.press(&page, "allow").await.answered("code").unwrap();
    redeem(&app, &client, &code, &[]).await.assert_error(400, "invalid_target");
    redeem(&app, &client, &code, &[VIDEOS]).await.assert_status(200);
    let granted = browser.open("/o/authorized_tokens/").await.assert_status(200);
    assert!(granted.text().contains("Your photos") && granted.text().contains(VIDEOS));
    let further = browser.open(&app.authorize_path(&client, &[("resource", OTHER)])).await.assert_status(200);
    assert!(further.text().contains(OTHER) && !further.text().contains("Your photos"));
}

async fn a_device_gets_a_token_for_one_of_its_resources(kind: Kind) {
    let app = app(kind).await;
    let client = app.client(json!({"grant_types": [DEVICE_CODE], "scope": "read write", "resources": [PHOTOS, VIDEOS]})).await;
    app.ask_on_device(&client, &[("scope", "write"), ("resource", PHOTOS)]).await.assert_error(400, "invalid_scope");
    let form = [("scope", "read write"), ("resource", PHOTOS), ("resource", VIDEOS)];
    let device = Device::of(&app.ask_on_device(&client, &form).await.assert_status(200));
    let browser = Browser::signed_in(&app).await;
    let page = browser.question_of(&device.user_code).await.assert_status(200);
    assert!(page.text().contains("Your photos") && page.text().contains(PHOTOS) && page.text().contains(VIDEOS));
    browser.press(&page, "allow").await.assert_status(200);
    app.poll(&client, &device).await.assert_error(400, "invalid_target");
    let form = [("grant_type", DEVICE_CODE), ("device_code", &device.device_code), ("resource", PHOTOS)];
    let tokens = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens();
    assert_eq!((tokens.scope.as_str(), &claims(&tokens.access)["aud"]), ("read", &json!(PHOTOS)));
}

async fn an_exchanged_token_has_what_its_resource_understands(kind: Kind) {
    const EXCHANGE: &str = crate::token_exchange::EXCHANGE;
    let app = app(kind).await;
    let metadata = json!({"grant_types": [EXCHANGE, "client_credentials"], "scope": "read write", "resources": [PHOTOS, VIDEOS]});
    let client = app.client(metadata).await;
    let exchange = async |scope: &str, resource: &str| {
        let subject = app.token_of(&client, scope).await.access;
        let of_type = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
        let form = [("grant_type", EXCHANGE), ("subject_token", subject.as_str()), of_type, ("resource", resource)];
        app.post_as(&client, "/o/token/", &form).await
    };
    let photos = exchange("read write", PHOTOS).await.assert_status(200).tokens();
    assert_eq!((photos.scope.as_str(), &claims(&photos.access)["aud"]), ("read", &json!(PHOTOS)));
    let videos = exchange("read write", VIDEOS).await.assert_status(200).tokens();
    assert_eq!(
        (videos.scope.as_str(), videos.expires_in, insecure_decode::<Value>(&videos.access).is_err()),
        ("read write", 60, true)
    );
    exchange("write", PHOTOS).await.assert_error(400, "invalid_scope");
}

async fn any_application_may_ask_for_an_open_resource(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        settings.resources.insert(VIDEOS.to_owned(), ResourceSetting { open: true, ..setting(&[]) });
        settings.resources.insert(PHOTOS.to_owned(), setting(&[]));
    })
    .await;
    let client = app.ordinary_client().await;
    of_client(&app, &client, "read", &[PHOTOS]).await.assert_error(400, "invalid_target");
    let token = of_client(&app, &client, "read", &[VIDEOS]).await.assert_status(200).tokens().access;
    assert_eq!(claims(&token)["aud"], VIDEOS);
    let code = code(&app, &client, "read", &[VIDEOS]).await;
    let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
    assert_eq!(claims(&tokens.access)["aud"], VIDEOS);
    let browser = Browser::signed_in(&app).await;
    let allowed = browser.get(&app.authorize_path(&client, &[("resource", VIDEOS)])).await;
    assert!(allowed.answered("code").is_some(), "they allowed it before: {allowed:?}");
    let refused = browser.get(&app.authorize_path(&client, &[("resource", PHOTOS)])).await;
    assert_eq!(refused.answered("error").as_deref(), Some("invalid_target"));
}

async fn a_resource_says_who_exchanges_for_it_and_that_they_are_named(kind: Kind) {
    const EXCHANGE: &str = crate::token_exchange::EXCHANGE;
    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    let app = app(kind).await;
    let metadata =
        json!({"grant_types": [EXCHANGE, "client_credentials"], "scope": "read write", "resources": [PHOTOS, VIDEOS, OTHER]});
    let (client, other) = (app.client(metadata.clone()).await, app.client(metadata).await);
    let mut entries = app.app.settings.catalogue();
    for entry in entries.resources.iter_mut().filter(|entry| entry.identifier == PHOTOS) {
        entry.exchange_by = Some([client.identifier.clone()].into());
        entry.exchange_needs_actor = true;
    }
    app.app.dispatch.adopt_catalogue(entries).await.unwrap();
    let exchange = async |by: &TestClient, acts: bool, resource: &str| {
        let (subject, own) = (app.token_of(by, "read").await.access, app.token_of(by, "read").await.access);
        let form = [("grant_type", EXCHANGE), ("subject_token", &subject), ("subject_token_type", ACCESS_TOKEN)];
        let actor = [("actor_token", own.as_str()), ("actor_token_type", ACCESS_TOKEN)];
        let actor = if acts { actor.as_slice() } else { &[] };
        app.post_as(by, "/o/token/", &[&form, actor, &[("resource", resource)]].concat()).await
    };
    let token = exchange(&client, true, PHOTOS).await.assert_status(200).tokens().access;
    assert_eq!(claims(&token)["act"], json!({"sub": client.identifier}));
    exchange(&client, false, PHOTOS).await.assert_error(400, "invalid_request");
    exchange(&other, true, PHOTOS).await.assert_error(400, "invalid_target");
    exchange(&other, false, OTHER).await.assert_status(200);
}

async fn a_changed_catalogue_rules_the_next_token_on_every_node(kind: Kind) {
    let app = app(kind).await;
    let (client, other_node) = (client(&app).await, app.another_node_serving().await);
    let form = [("grant_type", "client_credentials"), ("scope", "read write"), ("resource", PHOTOS)];
    let before = app.post_to(other_node, &client, ("/o/token/", &form)).await.assert_status(200).tokens();
    assert_eq!(before.scope, "read");
    let mut entries = app.app.settings.catalogue();
    for photos in entries.resources.iter_mut().filter(|entry| entry.identifier == PHOTOS) {
        photos.scopes = "write".parse().unwrap();
        photos.token_format = Some(AccessTokenFormat::Opaque);
    }
    app.app.dispatch.adopt_catalogue(entries).await.unwrap();
    let after = app.post_to(other_node, &client, ("/o/token/", &form)).await.assert_status(200).tokens();
    assert_eq!((after.scope.as_str(), insecure_decode::<Value>(&after.access).is_err()), ("write", true));
}

async fn the_metadata_names_the_resources(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| {
        let names = [("en".to_owned(), "The example".to_owned()), ("ja".to_owned(), "例".to_owned())];
        let own = ResourceSetting { names: names.into(), ..setting(&["read"]) };
        settings.resources.insert(settings.default_resource().to_owned(), own);
        settings.resources.insert(PHOTOS.to_owned(), setting(&[]));
    })
    .await;
    let issuer = app.get("/.well-known/oauth-authorization-server/o").await.assert_status(200).json();
    assert_eq!(issuer["protected_resources"], json!([app.url(""), PHOTOS]));
    let resource = app.get("/.well-known/oauth-protected-resource").await.assert_status(200).json();
    assert_eq!((&resource["resource_name"], &resource["resource_name#ja"]), (&json!("The example"), &json!("例")));
    assert_eq!(resource["scopes_supported"], json!(["read"]));
    let none = TestApp::start(kind).await.get("/.well-known/oauth-authorization-server/o").await.json();
    assert_eq!(none.get("protected_resources"), None, "a member with no values is left out (RFC 8414 section 3.2)");
}
