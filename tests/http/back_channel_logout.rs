//! Clients are told that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0), until they acknowledge it, and what came of it is in
//! the log.

use std::time::{Duration, Instant};

use domain::SessionId;
use grantlog::{
    config::Settings,
    dispatch::{ACCOUNTS, CurrentSession, SignIn},
    follow::logout,
    log::{Actor, PendingNotice},
    state::App,
};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};
use support::{ADMINISTRATOR, Kind, LogoutReceiver, PASSWORD, REDIRECT_URI, TestApp, TestClient, both_stores};
use tokio::task::JoinHandle;

both_stores!(
    a_client_is_told_of_the_end_of_the_sign_in_by_a_signed_token,
    every_end_of_a_sign_in_is_told_once,
    only_clients_that_learned_who_the_user_is_are_told,
    a_client_that_fails_is_told_again_until_it_acknowledges,
    a_client_that_never_acknowledges_is_given_up,
    one_that_does_not_answer_holds_up_no_other,
    what_is_pending_is_told_after_a_restart,
    a_client_that_may_no_longer_act_is_not_called,
    a_person_signs_out_without_waiting_for_anybody,
    nobody_is_called_on_a_private_network,
);

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A node that tells clients, until it is dropped.
struct Telling(JoinHandle<()>);

impl Telling {
    fn start(app: &App) -> Self {
        Self(tokio::spawn(logout::run(app.clone())))
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A server that tells clients, and tries again by itself.
async fn telling(kind: Kind) -> (TestApp, Telling) {
    begun(TestApp::start_in_real_time(kind, calls_this_machine).await).await
}

/// A server that tells clients, and tries again when its clock is advanced.
async fn telling_when_advanced(kind: Kind) -> (TestApp, Telling) {
    begun(standing(kind, calls_this_machine).await).await
}

/// A server whose clock stands, later than the store's, which says when something ended.
async fn standing(kind: Kind, change: impl FnOnce(&mut Settings)) -> TestApp {
    let app = TestApp::start_with(kind, change).await;
    app.app.clock.advance(600);
    app
}

fn calls_this_machine(settings: &mut Settings) {
    settings.fetch.private_hosts = vec!["127.0.0.1".to_owned()];
}

/// What ended before it first looked is not told.
async fn begun(app: TestApp) -> (TestApp, Telling) {
    app.app.log.followed_to(logout::NAME).await.unwrap();
    let telling = Telling::start(&app.app);
    (app, telling)
}

async fn client(app: &TestApp, receiver: &LogoutReceiver) -> TestClient {
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid offline_access read",
        "backchannel_logout_uri": receiver.url,
        "backchannel_logout_session_required": true,
    });
    app.client(metadata).await
}

/// The client gets an ID token in a session.
async fn learn(app: &TestApp, session: &CurrentSession, client: &TestClient, scope: &str) {
    let code = app.code_of(&app.approval(session, client, scope).await).await;
    app.redeem(client, &code).await.assert_status(200);
}

/// What came of telling clients of a session's end: for each event the client's stream, the outcome, the tries and the status.
async fn notices(app: &TestApp, session: SessionId) -> Vec<(String, String, u64, Option<u64>)> {
    let events = app.app.log.history(&["session"], session.uuid(), 0, 100).await.unwrap();
    let told = events.iter().filter(|event| event.event_type == "session.client_notified");
    told.map(|event| {
        assert_eq!(event.actor(), "system");
        let notice = &serde_json::from_str::<Value>(&event.payload).unwrap()["notice"];
        let text = |name: &str| notice[name].as_str().unwrap().to_owned();
        (text("client_id"), text("outcome"), notice["tries"].as_u64().unwrap(), notice["status"].as_u64())
    })
    .collect()
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn notices_of(app: &TestApp, session: SessionId, count: usize) -> Vec<(String, String, u64, Option<u64>)> {
    until("what came of it is not in the log", async || {
        Some(notices(app, session).await).filter(|notices| notices.len() >= count)
    })
    .await
}

async fn pending(app: &TestApp) -> Vec<PendingNotice> {
    app.app.log.pending_notices(100).await.unwrap()
}

/// Waits until something was tried so often in vain.
async fn put_off(app: &TestApp, tries: i64) -> PendingNotice {
    until("it is not put off", async || pending(app).await.pop().filter(|notice| notice.tries == tries)).await
}

async fn nothing_is_pending(app: &TestApp) {
    until("something is still pending", async || pending(app).await.is_empty().then_some(())).await;
}

/// The claims, once the signature, the issuer and the audience were checked as a client does.
async fn verified(app: &TestApp, client: &TestClient, token: &str) -> Value {
    let keys: JwkSet = serde_json::from_str(&app.get("/o/.well-known/jwks.json").await.body).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&client.identifier]);
    validation.set_issuer(&[app.url("/o")]);
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    decode(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

async fn a_client_is_told_of_the_end_of_the_sign_in_by_a_signed_token(kind: Kind) {
    let (app, _telling) = telling(kind).await;
    let receiver = LogoutReceiver::start().await;
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid read").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    let told = receiver.wait_for(1).await;
    let claims = verified(&app, &client, &told[0]).await;
    let (iat, jti) = (claims["iat"].as_i64().unwrap(), claims["jti"].as_str().unwrap());
    assert!(!jti.is_empty());
    let expected = json!({
        "iss": app.url("/o"), "sub": app.user, "aud": client.identifier, "iat": iat, "exp": iat + 120, "jti": jti,
        "sid": session.id, "events": {LOGOUT: {}},
    });
    assert_eq!(claims, expected);
    let notice = (client.id.to_string(), "acknowledged".to_owned(), 1, Some(200));
    assert_eq!(notices_of(&app, session.id, 1).await, [notice]);
    nothing_is_pending(&app).await;
    let metadata = app.get("/o/.well-known/openid-configuration").await.json();
    for member in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(metadata[member], true);
    }
}

async fn every_end_of_a_sign_in_is_told_once(kind: Kind) {
    let (app, _telling) = telling(kind).await;
    let receiver = LogoutReceiver::start().await;
    let client = client(&app, &receiver).await;
    let mut ended = Vec::new();
    for end in ["signed out", "replaced", "by an operator", "password", "locked", "erased"] {
        let sessions = match end {
            "password" | "locked" | "erased" => vec![app.sign_in().await, app.sign_in().await],
            _ => vec![app.sign_in().await],
        };
        for session in &sessions {
            learn(&app, session, &client, "openid read").await;
            // A second visit to the same client is not told twice.
            learn(&app, session, &client, "openid").await;
        }
        let (dispatch, session) = (&app.app.dispatch, sessions[0].clone());
        match end {
            "signed out" => drop(dispatch.sign_out(&session).await.unwrap()),
            "replaced" => {
                // The last of as many accounts as a browser has, which one more pushes out.
                let mut existing = Vec::new();
                for _ in 1..ACCOUNTS {
                    existing.push(app.sign_in().await);
                }
                existing.push(session);
                let (source, password) = (std::net::Ipv4Addr::LOCALHOST.into(), PASSWORD.into());
                let request = SignIn { username: ADMINISTRATOR.to_owned(), password, source, agent: None, existing };
                drop(dispatch.sign_in(request).await.unwrap());
            }
            "by an operator" => drop(dispatch.end_session(Actor::Operator, session.id).await.unwrap()),
            "password" => drop(dispatch.set_password(Actor::Operator, app.user, PASSWORD.into()).await.unwrap()),
            "locked" => {
                dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
                dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
            }
            _ => drop(dispatch.erase_user(Actor::Operator, app.user).await.unwrap()),
        }
        ended.extend(sessions.iter().map(|session| json!(session.id)));
        receiver.wait_for(ended.len()).await;
    }
    nothing_is_pending(&app).await;
    let mut told = Vec::new();
    for token in receiver.told() {
        told.push(verified(&app, &client, &token).await["sid"].clone());
    }
    let in_order = |mut ids: Vec<Value>| {
        ids.sort_by_key(ToString::to_string);
        ids
    };
    assert_eq!(in_order(told), in_order(ended));
}

async fn only_clients_that_learned_who_the_user_is_are_told(kind: Kind) {
    let (app, _telling) = telling(kind).await;
    let receiver = LogoutReceiver::start().await;
    let elsewhere = LogoutReceiver::start().await;
    let (told, untold) = (client(&app, &receiver).await, client(&app, &elsewhere).await);
    let silent = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid"})).await;
    let (session, other) = (app.sign_in().await, app.sign_in().await);
    learn(&app, &session, &told, "openid offline_access").await;
    learn(&app, &session, &untold, "read").await;
    learn(&app, &session, &silent, "openid").await;
    learn(&app, &other, &untold, "openid").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    assert_eq!(notices_of(&app, session.id, 1).await[0].0, told.id.to_string());
    nothing_is_pending(&app).await;
    assert_eq!((receiver.told().len(), elsewhere.told().len()), (1, 0));
}

async fn a_client_that_fails_is_told_again_until_it_acknowledges(kind: Kind) {
    let (app, _telling) = telling_when_advanced(kind).await;
    let receiver = LogoutReceiver::start().await;
    receiver.answer(&[503, 400, 302, 204]);
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    let first = put_off(&app, 1).await;
    assert!(first.problem.as_deref().is_some_and(|problem| problem.contains("503")) && first.due_at > first.ended_at);
    for tries in 1..=3 {
        put_off(&app, tries).await;
        app.app.clock.advance(60);
    }
    let notice = (client.id.to_string(), "acknowledged".to_owned(), 4, Some(204));
    assert_eq!(notices_of(&app, session.id, 1).await, [notice]);
    nothing_is_pending(&app).await;
}

async fn a_client_that_never_acknowledges_is_given_up(kind: Kind) {
    let (app, _telling) = telling_when_advanced(kind).await;
    let receiver = LogoutReceiver::start().await;
    receiver.answer(&[400; 10]);
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    put_off(&app, 1).await;
    app.app.clock.advance(i64::from(app.app.settings.sessions.logout_patience));
    let notice = (client.id.to_string(), "given_up".to_owned(), 1, None);
    assert_eq!(notices_of(&app, session.id, 1).await, [notice]);
    nothing_is_pending(&app).await;
    assert_eq!(receiver.told().len(), 1);
}

async fn one_that_does_not_answer_holds_up_no_other(kind: Kind) {
    let (app, _telling) = telling(kind).await;
    let (silent, receiver) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let held = silent.hold().await;
    let (one, other) = (client(&app, &silent).await, client(&app, &receiver).await);
    for _ in 0..3 {
        let session = app.sign_in().await;
        learn(&app, &session, &one, "openid").await;
        learn(&app, &session, &other, "openid").await;
        app.app.dispatch.sign_out(&session).await.unwrap();
    }
    receiver.wait_for(3).await;
    assert_eq!(pending(&app).await.iter().filter(|notice| notice.client_id == one.id.to_string()).count(), 3);
    drop(held);
    nothing_is_pending(&app).await;
}

async fn what_is_pending_is_told_after_a_restart(kind: Kind) {
    let (app, telling) = telling_when_advanced(kind).await;
    let receiver = LogoutReceiver::start().await;
    receiver.answer(&[500]);
    let client = client(&app, &receiver).await;
    let (before, during) = (app.sign_in().await, app.sign_in().await);
    for session in [&before, &during] {
        learn(&app, session, &client, "openid").await;
    }
    app.app.dispatch.sign_out(&before).await.unwrap();
    put_off(&app, 1).await;
    drop(telling);
    // While nobody tells.
    app.app.dispatch.sign_out(&during).await.unwrap();
    let another = app.another_node().await;
    another.clock.advance(660);
    let _telling = Telling::start(&another);
    receiver.wait_for(3).await;
    for session in [before, during] {
        assert_eq!(notices_of(&app, session.id, 1).await[0].1, "acknowledged");
    }
    nothing_is_pending(&app).await;
}

async fn a_client_that_may_no_longer_act_is_not_called(kind: Kind) {
    let (app, _telling) = telling_when_advanced(kind).await;
    let receiver = LogoutReceiver::start().await;
    receiver.answer(&[500]);
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    put_off(&app, 1).await;
    app.disable(client.id).await;
    app.app.clock.advance(60);
    assert_eq!(notices_of(&app, session.id, 1).await[0].1, "given_up");
    assert_eq!(receiver.told().len(), 1);
}

async fn a_person_signs_out_without_waiting_for_anybody(kind: Kind) {
    let (app, _telling) = telling(kind).await;
    let receiver = LogoutReceiver::start().await;
    let _held = receiver.hold().await;
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid").await;
    let begun = Instant::now();
    app.app.dispatch.sign_out(&session).await.unwrap();
    // It would wait for ten.
    assert!(begun.elapsed() < Duration::from_secs(9));
    receiver.wait_for(1).await;
}

async fn nobody_is_called_on_a_private_network(kind: Kind) {
    let (app, _telling) = begun(standing(kind, |_| {}).await).await;
    let receiver = LogoutReceiver::start().await;
    let (client, session) = (client(&app, &receiver).await, app.sign_in().await);
    learn(&app, &session, &client, "openid").await;
    app.app.dispatch.sign_out(&session).await.unwrap();
    let waiting = put_off(&app, 1).await;
    assert!(waiting.problem.is_some() && receiver.told().is_empty(), "{waiting:?}");
}
