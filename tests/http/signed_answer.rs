//! Answers to authorization requests that are signed (JARM).

use jsonwebtoken::{dangerous::insecure_decode, decode_header};
use serde_json::{Value, json};
use support::{Answer, Browser, Kind, REDIRECT_URI, TestApp, both_stores};

both_stores!(
    the_answer_is_a_jwt_for_its_client,
    each_way_back_carries_it,
    a_refusal_is_signed_too,
    it_is_signed_as_the_client_registered,
);

/// The claims of the answer, which is all that goes back.
fn claims(answer: &Answer) -> Value {
    let url: reqwest::Url = answer.location().replace('#', "?").parse().unwrap();
    let parameters: Vec<_> = url.query_pairs().collect();
    assert!(matches!(&parameters[..], [(name, _)] if name == "response"), "{answer:?}");
    insecure_decode::<Value>(parameters[0].1.as_bytes()).unwrap().claims
}

async fn the_answer_is_a_jwt_for_its_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("response_mode", "jwt")])).await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?response=")), "{answer:?}");
    let said = claims(&answer);
    assert_eq!((&said["iss"], &said["aud"]), (&json!(app.url("/o")), &json!(client.identifier)));
    let lives = said["exp"].as_i64().unwrap() - app.app.clock.now().unix();
    assert!((10..=600).contains(&lives), "{lives}");
    assert_eq!(said["state"], "af0ifjsldkj");
    app.redeem(&client, said["code"].as_str().unwrap()).await.assert_status(200);
    let jwt = answer.answered("response").unwrap();
    let keys = app.get("/o/.well-known/jwks.json").await.json();
    let kid = decode_header(&jwt).unwrap().kid.unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(decode_header(&jwt).unwrap().alg);
    validation.set_audience(&[&client.identifier]);
    assert!(jsonwebtoken::decode::<Value>(&jwt, &key, &validation).is_ok());
}

async fn each_way_back_carries_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    for (mode, joint) in [("query.jwt", '?'), ("fragment.jwt", '#')] {
        let answer = browser.allow(&app.authorize_path(&client, &[("response_mode", mode)])).await;
        assert!(answer.location().starts_with(&format!("{REDIRECT_URI}{joint}response=")), "{answer:?}");
        assert!(claims(&answer)["code"].is_string());
    }
    // What was allowed before is not asked again: this is the page that posts itself.
    let page = browser.open(&app.authorize_path(&client, &[("response_mode", "form_post.jwt")])).await;
    let form = page.form("continue");
    let [(name, jwt)] = &form.fields[..] else { panic!("{form:?}") };
    assert_eq!((form.action.as_str(), name.as_str()), (REDIRECT_URI, "response"));
    assert!(insecure_decode::<Value>(jwt).unwrap().claims["code"].is_string());
}

async fn a_refusal_is_signed_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for (changes, code) in [
        ([("response_mode", "jwt"), ("prompt", "none")], "login_required"),
        ([("response_mode", "jwt"), ("scope", "admin")], "invalid_scope"),
    ] {
        let said = claims(&app.get(&app.authorize_path(&client, &changes)).await);
        assert_eq!((&said["error"], &said["state"]), (&json!(code), &json!("af0ifjsldkj")));
    }
    let browser = Browser::signed_in(&app).await;
    let page = browser.open(&app.authorize_path(&client, &[("response_mode", "jwt"), ("scope", "write")])).await;
    assert_eq!(claims(&browser.press(&page, "deny").await)["error"], "access_denied");
    for unknown in ["jwt.query", ".jwt", "query.jwt.jwt", "queryjwt"] {
        let answer = app.get(&app.authorize_path(&client, &[("response_mode", unknown)])).await;
        assert_eq!(answer.answered("error").as_deref(), Some("invalid_request"), "{unknown}");
    }
}

/// The algorithm that signs the answers to a client with this metadata.
pub(crate) async fn algorithm_of_answers(browser: &Browser<'_>, more: Value) -> String {
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "read"});
    let client = browser.app.client(support::with(metadata, more)).await;
    let answer = browser.allow(&browser.app.authorize_path(&client, &[("response_mode", "jwt")])).await;
    let header = decode_header(answer.answered("response").unwrap()).unwrap();
    serde_json::to_value(header.alg).unwrap().as_str().unwrap().to_owned()
}

async fn it_is_signed_as_the_client_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = Browser::signed_in(&app).await;
    assert_eq!(algorithm_of_answers(&browser, json!({})).await, "RS256");
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
        assert_eq!(algorithm_of_answers(&browser, json!({"authorization_signed_response_alg": algorithm})).await, algorithm);
    }
}
