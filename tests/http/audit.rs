//! `/audit/`: programs with the privileged scope are told what the log says; nobody else is, and each read is remembered.

use serde_json::{Value, json};
use support::{
    Answer, Kind, REDIRECT_URI, TestApp, TestClient, both_stores,
    traffic::{all_events, history},
};

both_stores!(
    only_a_clients_own_token_with_the_scope_is_told,
    all_grants_are_told_with_their_digest,
    one_grant_and_one_token_are_told_back_and_forth,
    clients_and_users_are_told_with_what_changed,
    who_can_do_what_is_told_at_any_moment,
    what_cannot_be_asked_is_refused_by_name,
    every_read_is_remembered_as_the_clients,
);

/// A client that may ask the log, and its token.
pub(crate) async fn auditor(app: &TestApp) -> (TestClient, String) {
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "audit read"})).await;
    let token = app.token_of(&client, "audit").await.access;
    (client, token)
}

/// Posts a form with a token.
pub(crate) async fn post_with(app: &TestApp, path: &str, token: &str, form: &[(&str, &str)]) -> Answer {
    Answer::of(app.http.post(app.url(path)).bearer_auth(token).form(form)).await
}

async fn only_a_clients_own_token_with_the_scope_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, token) = auditor(&app).await;
    let without = app.token_of(&client, "read").await.access;
    let elsewhere =
        app.client(json!({"grant_types": ["client_credentials"], "scope": "audit", "resources": ["https://api.example"]})).await;
    let form = [("grant_type", "client_credentials"), ("scope", "audit"), ("resource", "https://api.example")];
    let elsewhere = app.post_as(&elsewhere, "/o/token/", &form).await.assert_status(200).tokens().access;
    for path in [
        "/audit/grants/",
        "/audit/grants",
        "/audit/grants/x/",
        "/audit/clients/x/",
        "/audit/users/x/",
        "/audit/who/",
        "/audit/diff/",
        "/audit/proof/",
    ] {
        app.get(path).await.assert_error(401, "invalid_token");
        app.get_with(path, "nothing").await.assert_error(401, "invalid_token");
        app.get_with(path, &elsewhere).await.assert_error(401, "invalid_token");
        app.get_with(path, &without).await.assert_error(403, "insufficient_scope");
    }
    for path in ["/audit/tokens/", "/audit/check-token/", "/audit/revoke/"] {
        app.post(path, &[("token", &token)]).await.assert_error(401, "invalid_token");
        post_with(&app, path, &without, &[]).await.assert_error(403, "insufficient_scope");
        app.get_with(path, &token).await.assert_error(405, "invalid_request");
    }
    app.get_with("/audit/grants/", &token).await.assert_status(200);
    app.revoke(&client, &token).await.assert_status(200);
    app.get_with("/audit/grants/", &token).await.assert_error(401, "invalid_token");
    let for_user =
        app.client(json!({"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code"], "scope": "read audit"})).await;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, &for_user, "read audit").await).await;
    let token = app.redeem(&for_user, &code).await.assert_status(200).tokens().access;
    app.get_with("/audit/grants/", &token).await.assert_error(403, "insufficient_scope");
}

/// What a program is told.
pub(crate) async fn told(app: &TestApp, path: &str, token: &str) -> Value {
    app.get_with(path, token).await.assert_status(200).json()
}

async fn all_grants_are_told_with_their_digest(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let (_, token) = auditor(&app).await;
    let all = told(&app, "/audit/grants/", &token).await;
    let grants = all["grants"].as_array().unwrap();
    assert_eq!((grants.len(), all["digest"].as_str().unwrap().len()), (8, 64));
    assert_eq!(
        (&grants[1]["username"], &grants[1]["state"], &grants[1]["refreshes"]),
        (&json!("mika"), &json!("live"), &json!(2))
    );
    assert_eq!(grants[2]["ended"]["cause"], "refresh_replayed");
    let of_client = told(&app, &format!("/audit/grants/?client={}&state=live", history.client.identifier), &token).await;
    assert_eq!(of_client["grants"].as_array().unwrap().len(), 3);
    let of_user = told(&app, &format!("/audit/grants/?user={}&scope=write", app.user), &token).await;
    assert_eq!(of_user["grants"].as_array().unwrap().len(), 4);
    let position = grants[1]["begun"]["position"].as_i64().unwrap();
    let earlier = told(&app, &format!("/audit/grants/?as_of={position}"), &token).await;
    assert_eq!((earlier["grants"].as_array().unwrap().len(), &earlier["position"]), (2, &json!(position)));
    assert_eq!(earlier["grants"][1]["access_tokens"], 0);
    let none = told(&app, "/audit/grants/?to=2020-01-01", &token).await;
    assert_eq!(none["grants"], json!([]));
}

async fn one_grant_and_one_token_are_told_back_and_forth(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let (_, token) = auditor(&app).await;
    let ask = async |text: &str| post_with(&app, "/audit/tokens/", &token, &[("token", text)]).await;
    let family = ask(history.family.refresh_token()).await.assert_status(200).json();
    assert_eq!(
        (&family["token"]["kind"], &family["token"]["generation"], &family["token"]["state"]),
        (&json!("refresh"), &json!(3), &json!("live"))
    );
    assert_eq!((family["came_of"].as_array().unwrap().len(), family["led_to"].as_array().unwrap().len()), (3, 0));
    ask("nothing").await.assert_error(404, "invalid_request");
    let id = family["grant"]["grant_id"].as_str().unwrap();
    let grant = told(&app, &format!("/audit/grants/{id}/"), &token).await;
    assert_eq!(grant["tokens"].as_array().unwrap().len(), 7);
    assert!(grant["story"].as_array().unwrap().iter().any(|chapter| chapter["said"] == "mika signed in by pwd"));
    app.get_with("/audit/grants/019ab3c0-5f2e-7d10-8c5a-0123456789ab/", &token).await.assert_error(404, "invalid_request");
    app.get_with("/audit/grants/x/", &token).await.assert_error(404, "invalid_request");
}

async fn clients_and_users_are_told_with_what_changed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, token) = auditor(&app).await;
    let of_client = told(&app, &format!("/audit/clients/{}/", client.identifier), &token).await;
    assert_eq!(of_client["story"][0]["type"], "client.registered");
    assert!(of_client["story"][0]["changes"].as_array().unwrap().iter().any(|change| change["after"] == "audit read"));
    let of_user = told(&app, &format!("/audit/users/{}/", app.user), &token).await;
    let changes = of_user["story"][0]["changes"].as_array().unwrap();
    assert!(changes.contains(&json!({"member": "username", "before": null, "after": "mika"})), "{changes:?}");
    for path in ["/audit/clients/nobody/", "/audit/users/mika/", "/audit/users/019ab3c0-5f2e-7d10-8c5a-0123456789ab/"] {
        app.get_with(path, &token).await.assert_error(404, "invalid_request");
    }
}

async fn who_can_do_what_is_told_at_any_moment(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    let client = app.ordinary_client().await;
    app.grant(&client, "read").await;
    app.grant(&client, "read").await;
    let who = told(&app, "/audit/who/?scope=read", &token).await;
    assert_eq!((&who["access"][0]["username"], &who["access"][0]["grants"]), (&json!("mika"), &json!(2)));
    let position = who["position"].as_i64().unwrap();
    app.disable(client.id).await;
    assert_eq!(told(&app, "/audit/who/?scope=read", &token).await["access"], json!([]));
    assert_eq!(told(&app, &format!("/audit/who/?scope=read&as_of={position}"), &token).await["access"], who["access"]);
    app.get_with("/audit/who/", &token).await.assert_error(400, "invalid_request");
}

async fn what_cannot_be_asked_is_refused_by_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_, token) = auditor(&app).await;
    for (query, name) in [("from=x", "from"), ("state=odd", "state"), ("as_of=then", "as_of"), ("user=mika", "user")] {
        let refused = app.get_with(&format!("/audit/grants/?{query}"), &token).await.assert_error(400, "invalid_request");
        assert!(refused.json()["error_description"].as_str().unwrap().starts_with(&format!("{name}: ")));
    }
    app.get_with("/audit/grants/?client=nobody", &token).await.assert_error(404, "invalid_request");
}

async fn every_read_is_remembered_as_the_clients(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, token) = auditor(&app).await;
    told(&app, "/audit/grants/", &token).await;
    told(&app, &format!("/audit/users/{}/", app.user), &token).await;
    let events = all_events(&app.app.log).await;
    let reads: Vec<_> = events.iter().filter(|event| event.event_type == "audit.read").collect();
    assert_eq!(reads.len(), 2);
    assert!(reads.iter().all(|event| event.metadata.contains(&format!("client:{}", client.id))));
    assert!(reads[1].payload.contains(&app.user.to_string()));
}
