//! The revocation feed and its snapshot: whoever holds the one at a position and the other from there knows all that is dead.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use grantlog::{
    http::{self, Listeners},
    log::Actor,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Answer, Kind, TestApp, TestClient, both_stores, traffic::history};
use tokio::{net::TcpListener, sync::oneshot};

both_stores!(
    the_feed_tells_what_died_of_what_by_whom_and_until_when_it_matters,
    what_a_client_was_allowed_before_anybody_asked_counts_as_well,
    the_snapshot_and_what_follows_it_are_everything,
    a_later_snapshot_has_what_came_since_the_one_before_and_not_what_ended,
    what_has_expired_by_itself_is_in_no_snapshot,
    an_answer_waits_for_the_next_revocation,
    a_revocation_at_one_node_is_heard_at_another,
    a_resource_server_hears_of_tokens_meant_for_it,
    whoever_asks_must_be_a_resource_server,
    an_event_source_hears_revocations_and_how_far_it_is_and_goes_on_where_it_was,
    whoever_knows_another_history_is_sent_to_the_snapshot,
    a_feed_without_its_store_says_so,
    nobody_waits_for_a_server_that_stops,
    a_token_that_ends_with_the_sign_in_names_it,
);

async fn resource_server(app: &TestApp, resources: &[&str]) -> TestClient {
    app.client(json!({"grant_types": ["client_credentials"], "scope": "introspection", "resources": resources})).await
}

fn request(app: &TestApp, node: SocketAddr, client: &TestClient, path: &str) -> reqwest::RequestBuilder {
    app.http.get(format!("http://{node}{path}")).basic_auth(&client.identifier, Some(client.secret.expose_secret()))
}

async fn ask(app: &TestApp, client: &TestClient, path: &str) -> Answer {
    Answer::of(request(app, app.address, client, path)).await
}

async fn told(app: &TestApp, client: &TestClient, path: &str) -> (i64, Vec<Value>) {
    let answer = ask(app, client, path).await.assert_status(200).json();
    assert_eq!(answer["epoch"], app.app.log.epoch().to_string());
    (answer["position"].as_i64().unwrap(), answer["revocations"].as_array().unwrap().clone())
}

/// Everything so far.
async fn all(app: &TestApp, client: &TestClient) -> Vec<Value> {
    let (position, revocations) = told(app, client, "/o/revocations?after=0&wait=0").await;
    assert!(position >= app.app.log.known_head() - 1);
    revocations
}

async fn the_feed_tells_what_died_of_what_by_whom_and_until_when_it_matters(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    history(&app).await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    let revocations = all(&app, &server).await;
    let kinds: Vec<_> = revocations.iter().map(|entry| entry["what"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["grant", "token", "session", "client", "user"]);
    let [_, token, .., user] = revocations.as_slice() else { panic!("five things ended") };
    assert_eq!((&token["reason"], &user["reason"]), (&json!("revoked_by_client"), &json!("user_locked")));
    assert!(token["actor"].as_str().unwrap().starts_with("client:"));
    assert_eq!((&user["actor"], &user["what"]["sub"]), (&json!("operator"), &json!(app.user)));
    assert_eq!(user["what"]["before"], user["position"]);
    let (at, forget_after) = (user["at"].as_i64().unwrap(), user["forget_after"].as_i64().unwrap());
    assert!((at + 3600..at + 3700).contains(&forget_after), "an hour, and what clocks may differ by");
}

async fn what_a_client_was_allowed_before_anybody_asked_counts_as_well(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    app.client(json!({"grant_types": ["client_credentials"], "access_token_lifetime": 36_000})).await;
    assert_eq!(all(&app, &server).await, [] as [Value; 0]);
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    let (_, snapshot) = told(&app, &server, "/o/revocations/snapshot").await;
    for revocation in all(&app, &server).await.into_iter().chain(snapshot) {
        let lasts = revocation["forget_after"].as_i64().unwrap() - revocation["at"].as_i64().unwrap();
        assert!(lasts >= 36_000, "a token of ten hours could outlive what is told of it: {lasts}");
    }
}

async fn the_snapshot_and_what_follows_it_are_everything(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    history(&app).await;
    let (position, snapshot) = told(&app, &server, "/o/revocations/snapshot").await;
    assert_eq!(snapshot, all(&app, &server).await);
    history(&app).await;
    let (reached, since) = told(&app, &server, &format!("/o/revocations?after={position}&wait=0")).await;
    assert!(reached >= since.last().unwrap()["position"].as_i64().unwrap());
    let known: BTreeSet<_> = snapshot.iter().chain(&since).map(ToString::to_string).collect();
    assert_eq!(known, all(&app, &server).await.iter().map(ToString::to_string).collect());
    let whole = told(&app, &server, &format!("/o/revocations?after={reached}&wait=0")).await;
    assert!(whole.0 >= reached && whole.1.is_empty());
}

async fn what_has_expired_by_itself_is_in_no_snapshot(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    history(&app).await;
    app.app.clock.advance(3600 + 120);
    let client = app.ordinary_client().await;
    let alive = app.token_of(&client, "read").await.access;
    app.revoke(&client, &alive).await.assert_status(200);
    let (_, snapshot) = told(&app, &server, "/o/revocations/snapshot").await;
    assert_eq!(snapshot.iter().map(|entry| &entry["what"]["kind"]).collect::<Vec<_>>(), ["token"], "{snapshot:?}");
}

async fn a_later_snapshot_has_what_came_since_the_one_before_and_not_what_ended(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    history(&app).await;
    let (position, _) = told(&app, &server, "/o/revocations/snapshot").await;
    history(&app).await;
    assert_eq!(told(&app, &server, "/o/revocations/snapshot").await.0, position, "it is kept for some seconds");
    app.app.clock.advance(10);
    let (later, snapshot) = told(&app, &server, "/o/revocations/snapshot").await;
    assert!(later > position);
    assert_eq!(snapshot, all(&app, &server).await);
    app.app.clock.advance(2 * 3600);
    assert!(told(&app, &server, "/o/revocations/snapshot").await.1.is_empty());
}

async fn an_answer_waits_for_the_next_revocation(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (server, client) = (resource_server(&app, &[]).await, app.ordinary_client().await);
    let token = app.token_of(&client, "read").await.access;
    let (position, none) = told(&app, &server, "/o/revocations?after=0&wait=0").await;
    assert!(none.is_empty());
    let path = format!("/o/revocations?after={position}&wait=60");
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        app.token_of(&client, "read").await;
        app.revoke(&client, &token).await.assert_status(200);
        Instant::now()
    };
    let ((reached, revocations), revoked) = tokio::join!(told(&app, &server, &path), revoking);
    assert_eq!(revocations.len(), 1);
    assert!(reached > position && revoked.elapsed() < Duration::from_secs(30));
}

async fn a_revocation_at_one_node_is_heard_at_another(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (server, client) = (resource_server(&app, &[]).await, app.ordinary_client().await);
    let token = app.token_of(&client, "read").await.access;
    let other = app.another_node_serving().await;
    let head = app.app.log.head().await.unwrap();
    let listening = Answer::of(request(&app, other, &server, &format!("/o/revocations?after={head}&wait=60")));
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        app.revoke(&client, &token).await.assert_status(200)
    };
    let (heard, _) = tokio::join!(listening, revoking);
    assert_eq!(heard.assert_status(200).json()["revocations"][0]["what"]["kind"], "token");
}

async fn a_resource_server_hears_of_tokens_meant_for_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (a, b) = ("https://api.example/a", "https://api.example/b");
    let (of_a, of_b) = (resource_server(&app, &[a]).await, resource_server(&app, &[b]).await);
    let of_default = resource_server(&app, &[]).await;
    let client = app.client(json!({"grant_types": ["client_credentials"], "scope": "read", "resources": [a, b]})).await;
    for resource in [a, b] {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        let token = app.post_as(&client, "/o/token/", &form).await.assert_status(200).tokens().access;
        app.revoke(&client, &token).await.assert_status(200);
    }
    let grant = app.grant(&app.ordinary_client().await, "read").await;
    drop(grant);
    app.disable(client.id).await;
    let kinds = async |server| {
        let entries = all(&app, server).await;
        entries.iter().map(|entry| entry["what"]["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&of_a).await, ["token", "client"]);
    assert_eq!(kinds(&of_b).await, ["token", "client"]);
    assert_eq!(kinds(&of_default).await, ["client"]);
    let (heard_a, heard_b) = (all(&app, &of_a).await, all(&app, &of_b).await);
    assert_ne!(heard_a[0]["what"]["jti"], heard_b[0]["what"]["jti"]);
    let snapshot = told(&app, &of_a, "/o/revocations/snapshot").await.1;
    assert_eq!(snapshot, heard_a);
}

async fn whoever_asks_must_be_a_resource_server(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (server, ordinary) = (resource_server(&app, &[]).await, app.ordinary_client().await);
    for path in ["/o/revocations?after=0&wait=0", "/o/revocations/snapshot/"] {
        app.get(path).await.assert_error(401, "invalid_client");
        let stranger = TestClient { secret: "wrong".into(), ..server.clone() };
        ask(&app, &stranger, path).await.assert_error(401, "invalid_client");
        ask(&app, &ordinary, path).await.assert_error(403, "insufficient_scope");
        app.get_with(path, &app.token_of(&ordinary, "read").await.access).await.assert_error(403, "insufficient_scope");
        app.get_with(path, &app.token_of(&server, "introspection").await.access).await.assert_status(200);
        let joint = if path.contains('?') { "&" } else { "?" };
        let in_url = format!("{path}{joint}client_id={}&client_secret={}", server.identifier, server.secret.expose_secret());
        app.get(&in_url).await.assert_error(401, "invalid_client");
    }
    app.disable(server.id).await;
    ask(&app, &server, "/o/revocations?after=0&wait=0").await.assert_error(401, "invalid_client");
    let other = resource_server(&app, &[]).await;
    ask(&app, &other, "/o/revocations?after=soon").await.assert_error(400, "invalid_request");
    ask(&app, &other, "/o/revocations").await.assert_error(400, "invalid_request");
}

/// The events of a stream, each its lines by name, until one is enough.
async fn events(mut response: reqwest::Response, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let (mut text, mut events) = (String::new(), Vec::new());
    while !enough(&events) {
        let chunk = response.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let lines = event.lines().filter_map(|line| line.split_once(": "));
            events.push(lines.map(|(name, value)| (name.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into());
            text = rest.to_owned();
        }
    }
    events
}

async fn an_event_source_hears_revocations_and_how_far_it_is_and_goes_on_where_it_was(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    history(&app).await;
    let listen = |path: &str| request(&app, app.address, &server, path).header("accept", "text/event-stream");
    let response = listen("/o/revocations?after=0").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let heard = events(response, |events| events.len() == 5).await;
    let names: Vec<_> = heard.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["revocation", "revocation", "revocation", "revocation", "position"]);
    let data = |event: &Value| serde_json::from_str::<Value>(event["data"].as_str().unwrap()).unwrap();
    assert_eq!(data(&heard[1]), all(&app, &server).await[1]);
    let (epoch, head) = (app.app.log.epoch(), app.app.log.head().await.unwrap());
    assert_eq!((&heard[4]["id"], &data(&heard[4])["position"]), (&json!(format!("{epoch}/{head}")), &json!(head)));

    let from_third = listen("/o/revocations").header("last-event-id", heard[2]["id"].as_str().unwrap());
    let rest = events(from_third.send().await.unwrap(), |events| !events.is_empty()).await;
    assert_eq!(rest[0], heard[3]);

    let live = listen(&format!("/o/revocations?after={head}")).send().await.unwrap();
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    app.revoke(&client, &token).await.assert_status(200);
    let heard = events(live, |events| events.iter().any(|event| event["event"] == "revocation")).await;
    assert_eq!(heard[0]["event"], "position", "at once, it hears how far it is");
}

async fn whoever_knows_another_history_is_sent_to_the_snapshot(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    let (epoch, head) = (app.app.log.epoch(), app.app.log.head().await.unwrap());
    ask(&app, &server, &format!("/o/revocations?after={head}&epoch={epoch}&wait=0")).await.assert_status(200);
    let beyond = ask(&app, &server, &format!("/o/revocations?after={}&wait=0", head + 1)).await;
    assert!(beyond.assert_error(409, "invalid_request").body.contains("snapshot"));
    let other = "/o/revocations?after=1&wait=0&epoch=019ab3c0-5f2e-7d10-8c5a-0123456789ab";
    ask(&app, &server, other).await.assert_error(409, "invalid_request");
}

async fn a_feed_without_its_store_says_so(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    all(&app, &server).await;
    app.close_store().await;
    ask(&app, &server, "/o/revocations/snapshot").await.assert_error(503, "temporarily_unavailable");
}

async fn nobody_waits_for_a_server_that_stops(kind: Kind) {
    let app = TestApp::start(kind).await;
    let server = resource_server(&app, &[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (node, address) = (app.another_node().await, listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(http::serve(node, Listeners::plain(listener), async move { drop(stopped.await) }));
    let head = app.app.log.head().await.unwrap();
    let waiting = Answer::of(request(&app, address, &server, &format!("/o/revocations?after={head}&wait=60")));
    let listening =
        request(&app, address, &server, &format!("/o/revocations?after={head}")).header("accept", "text/event-stream");
    let stopping = async {
        let listening = listening.send().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.send(()).unwrap();
        drop(listening.text().await);
    };
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(waiting, stopping);
    assert!(answer.assert_status(200).json()["revocations"].as_array().unwrap().is_empty());
    serving.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(40), "it does not wait out its patience");
}

async fn a_token_that_ends_with_the_sign_in_names_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app
        .client(json!({
            "redirect_uris": [support::REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"],
            "scope": "read offline_access",
        }))
        .await;
    let session = app.sign_in().await;
    let claims = async |scope: &str| {
        let code = app.code_of(&app.approval(&session, &client, scope).await).await;
        let token = app.redeem(&client, &code).await.assert_status(200).tokens().access;
        let payload = token.split('.').nth(1).unwrap();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    assert_eq!(claims("read").await["sid"], json!(session.id));
    assert!(claims("read offline_access").await.get("sid").is_none(), "it outlives the sign-in");
}
