//! What a subscriber gets.

use futures_util::StreamExt;
use grantlog::{config::Settings, follow::relay::Relay, log::Actor};
use secrecy::ExposeSecret;
use support::{ADMINISTRATOR, Kind, NatsServer, PASSWORD, TestApp, USER, both_stores, traffic::history};

use crate::stream::{Sent, assert_is_the_log, caught_up, read, relay_to, relaying};

both_stores!(
    every_event_is_a_message_at_its_position,
    a_log_that_began_before_the_broker_is_relayed_from_its_start,
    a_log_is_relayed_from_a_chosen_position_where_the_broker_can,
    one_filter_is_all_revocations,
    a_message_names_who_did_it_and_the_trace_it_belongs_to,
    no_message_holds_a_secret_or_what_is_personal,
);

async fn every_event_is_a_message_at_its_position(kind: Kind) {
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    history(&app).await;
    let sent = assert_is_the_log(&nats, &app.app).await;
    for effect in ["registration", "approval", "issuance", "revocation", "session", "account", "key", "other"] {
        assert!(sent.iter().any(|message| message.effect() == effect), "{effect}");
    }
}

async fn a_log_that_began_before_the_broker_is_relayed_from_its_start(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (nats, master_key) = (NatsServer::start(), app.master_key());
    let before = app.app.log.known_head();
    let app = TestApp::over(app.stop().await, master_key, relay_to(&nats)).await;
    let _relay = tokio::spawn(Relay::new(app.app.clone()).run());
    app.ordinary_client().await;
    assert!(i64::try_from(assert_is_the_log(&nats, &app.app).await.len()).unwrap() > before);
}

async fn a_log_is_relayed_from_a_chosen_position_where_the_broker_can(kind: Kind) {
    let Some(nats) = NatsServer::start_newer() else {
        println!("not run: GRANTLOG_TEST_NATS_SERVER names no nats-server of 2.10 or later");
        return;
    };
    let app = TestApp::start(kind).await;
    history(&app).await;
    let first = app.app.log.known_head() - 20;
    let master_key = app.master_key();
    let from_there = |settings: &mut Settings| {
        relay_to(&nats)(settings);
        settings.relay.first_position = first.try_into().unwrap();
    };
    let app = TestApp::over(app.stop().await, master_key, from_there).await;
    let _relay = tokio::spawn(Relay::new(app.app.clone()).run());
    history(&app).await;
    caught_up(&app.app).await;
    let sent = read(&nats, "").await;
    let positions: Vec<_> = sent.iter().map(|message| i64::try_from(message.sequence).unwrap()).collect();
    assert_eq!(positions, (first..=app.app.log.head().await.unwrap()).collect::<Vec<_>>());
    let issued = sent.iter().find(|message| message.effect() == "issuance").unwrap();
    assert_eq!(issued.body["prev"], (first - 1).to_string());
}

async fn one_filter_is_all_revocations(kind: Kind) {
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    let listening = async_nats::connect(nats.url()).await.unwrap();
    let mut live = listening.subscribe("grantlog.revocation.>").await.unwrap();
    listening.flush().await.unwrap();
    let history = history(&app).await;
    app.app.dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
    caught_up(&app.app).await;
    let mut reasons = Vec::new();
    for message in read(&nats, "grantlog.revocation.>").await {
        let heard: serde_json::Value = serde_json::from_slice(&live.next().await.unwrap().payload).unwrap();
        assert_eq!(heard, message.body);
        reasons.push(message.body["data"]["reason"].as_str().unwrap().to_owned());
    }
    assert_eq!(reasons, ["refresh_replayed", "revoked_by_client", "signed_out", "client_disabled", "user_locked"]);
    assert_eq!(history.dead.len(), 4);
}

async fn a_message_names_who_did_it_and_the_trace_it_belongs_to(kind: Kind) {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    let client = app.ordinary_client().await;
    let form = [("grant_type", "client_credentials"), ("scope", "read")];
    for trace in [TRACE, "not-a-trace"] {
        let request = app.http.post(app.url("/o/token/")).form(&form).header("traceparent", trace);
        let request = request.basic_auth(&client.identifier, Some(client.secret.expose_secret()));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let sent = assert_is_the_log(&nats, &app.app).await;
    let [.., traced, untraced] = sent.as_slice() else { panic!("two tokens were issued") };
    assert_eq!(traced.body["actor"], format!("client:{}", client.id));
    assert_eq!(traced.body["traceparent"], TRACE);
    assert!(untraced.body.get("traceparent").is_none());
}

async fn no_message_holds_a_secret_or_what_is_personal(kind: Kind) {
    let nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    let history = history(&app).await;
    let secrets = [&history.own.access, &history.family.access, &history.code, history.family.refresh.as_ref().unwrap()];
    let mut never: Vec<_> = secrets.into_iter().chain(&history.dead).cloned().collect();
    let digests = never.iter().map(|secret| domain::Digest::of(secret.as_bytes()).as_str().to_owned()).collect::<Vec<_>>();
    never.extend(digests);
    never.extend([USER, ADMINISTRATOR, PASSWORD].map(str::to_owned));
    let text = |message: &Sent| format!("{} {}", message.subject, message.body);
    let whole: String = assert_is_the_log(&nats, &app.app).await.iter().map(text).collect();
    for secret in never {
        assert!(!whole.contains(&format!("\"{secret}\"")), "{secret}");
    }
}
