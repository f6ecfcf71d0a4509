//! Claims that the settings' scopes open beside the standard ones: in userinfo by the scope, one by one by the `claims` parameter, and to nobody
//! else.

use grantlog::config::ScopeSetting;
use jsonwebtoken::dangerous::insecure_decode;
use serde_json::{Value, json};
use support::{Browser, Kind, PASSWORD, REDIRECT_URI, TestApp, TestClient, Tokens, both_stores};

use crate::userinfo::person;

both_stores!(
    a_scope_opens_its_own_claims,
    a_claim_is_asked_for_by_its_name,
    who_may_not_have_the_scope_is_not_told,
    the_metadata_names_them,
);

/// The person of whom such things are known.
const CLERK: &str = "clerk";
const GROUPS: &str = "https://example.org/groups";

async fn app(kind: Kind) -> TestApp {
    let app = TestApp::start_with(kind, |settings| {
        let staff = ScopeSetting {
            privileged: false,
            claims: ["department".to_owned(), GROUPS.to_owned(), "email".to_owned()].into(),
            descriptions: [("en".to_owned(), "Know where you work".to_owned())].into(),
        };
        settings.scopes.insert("staff".to_owned(), staff);
    })
    .await;
    let claims = json!({"department": "Sales", "department#ja": "営業", GROUPS: ["a", "b"], "email": "clerk@example.org", "name": "Clerk"});
    person(&app, CLERK, &claims).await;
    app
}

async fn client(app: &TestApp, scope: &str) -> TestClient {
    app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": scope})).await
}

/// The clerk lets a client have what it asks for; what its page said.
async fn allowed(app: &TestApp, client: &TestClient, asked: &[(&str, &str)]) -> (String, Tokens) {
    let browser = Browser::new(app);
    browser.sign_in(CLERK, PASSWORD).await.assert_status(303);
    let asked = [asked, &[("prompt", "consent")]].concat();
    let page = browser.open(&app.authorize_path(client, &asked)).await.assert_status(200);
    let code = browser.press(&page, "allow").await.answered("code").unwrap();
    (page.text(), app.redeem(client, &code).await.assert_status(200).tokens())
}

async fn told(app: &TestApp, tokens: &Tokens) -> Value {
    let mut told = app.get_with("/o/userinfo/", &tokens.access).await.assert_status(200).json();
    told.as_object_mut().unwrap().remove("sub").expect("there is a sub");
    told
}

async fn a_scope_opens_its_own_claims(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app, "openid staff profile").await;
    let (said, tokens) = allowed(&app, &client, &[("scope", "openid staff")]).await;
    assert!(said.contains("Know where you work"), "{said}");
    let all = json!({"department": "Sales", "department#ja": "営業", GROUPS: ["a", "b"], "email": "clerk@example.org"});
    assert_eq!(told(&app, &tokens).await, all);
    let (_, tokens) = allowed(&app, &client, &[("scope", "openid")]).await;
    assert_eq!(told(&app, &tokens).await, json!({}));
}

async fn a_claim_is_asked_for_by_its_name(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app, "openid staff").await;
    let claims =
        json!({"userinfo": {"department#ja-JP": null}, "id_token": {GROUPS: {"essential": true}, "name": null}}).to_string();
    let (said, tokens) = allowed(&app, &client, &[("scope", "openid"), ("claims", &claims)]).await;
    assert!(said.contains(GROUPS), "the person is shown it: {said}");
    assert_eq!(told(&app, &tokens).await, json!({"department#ja": "営業"}));
    let id_token = insecure_decode::<Value>(tokens.id_token()).unwrap().claims;
    assert_eq!((&id_token[GROUPS], id_token.get("name")), (&json!(["a", "b"]), None), "it may not have the scope of a name");
    // With the scope the page says nothing of what that opens anyway.
    let (said, _) = allowed(&app, &client, &[("scope", "openid staff"), ("claims", &claims)]).await;
    assert!(!said.contains(GROUPS), "{said}");
}

async fn who_may_not_have_the_scope_is_not_told(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app, "openid profile").await;
    let claims = json!({"userinfo": {"department": null, "email": null}, "id_token": {GROUPS: null}}).to_string();
    let (said, tokens) = allowed(&app, &client, &[("scope", "openid"), ("claims", &claims)]).await;
    assert!(!said.contains("department") && !said.contains(GROUPS), "{said}");
    assert_eq!(told(&app, &tokens).await, json!({}));
    assert_eq!(insecure_decode::<Value>(tokens.id_token()).unwrap().claims.get(GROUPS), None);
}

async fn the_metadata_names_them(kind: Kind) {
    let app = app(kind).await;
    let metadata = app.get("/o/.well-known/openid-configuration").await.assert_status(200).json();
    for claim in ["department", GROUPS, "email", "sub"] {
        let named = metadata["claims_supported"].as_array().unwrap().iter().filter(|named| *named == claim);
        assert_eq!(named.count(), 1, "{claim}");
    }
}
