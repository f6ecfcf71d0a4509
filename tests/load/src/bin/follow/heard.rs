//! How long after its answer a revocation is heard of.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all};
use grantlog::follow::relay::Relay;
use serde_json::Value;
use support::{Kind, NatsServer, TestApp, TestClient};
use tokio::time::MissedTickBehavior;

/// Clients that issue.
const ISSUERS: u64 = 16;
/// Between two revocations.
const EVERY: Duration = Duration::from_millis(10);

/// Revokes beside a steady stream of issuances, and listens in both ways.
pub(crate) async fn measure(kind: Kind, seconds: u64, rate: u64) -> String {
    let nats = NatsServer::start();
    let url = nats.url();
    let app = TestApp::start_with(kind, |settings| settings.relay.url = url.into()).await;
    let client = app.ordinary_client().await;
    let resource_server = app.client(serde_json::json!({"grant_types": ["client_credentials"], "scope": "introspection"})).await;
    let relaying = tokio::spawn(Relay::new(app.app.clone()).run());
    let end = Instant::now() + Duration::from_secs(seconds);
    let issuing = join_all((0..ISSUERS).map(|_| issue(&app, &client, rate / ISSUERS, end)));
    let (issued, answered, by_nats, by_feed) =
        tokio::join!(issuing, revoke(&app, &client, end), messages(&nats, end), feed(&app, &resource_server, end),);
    relaying.abort();
    let issued: usize = issued.into_iter().sum();
    format!(
        "heard beside {:.0} issuances/s, {} revocations: by NATS {}; by the feed {}",
        issued as f64 / seconds as f64,
        answered.len(),
        delays(&answered, &by_nats),
        delays(&answered, &by_feed)
    )
}

/// Issues tokens at a steady rate; gives how many.
async fn issue(app: &TestApp, client: &TestClient, rate: u64, end: Instant) -> usize {
    let mut turn = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate.max(1)).expect("a rate is small"));
    turn.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut issued = 0;
    while Instant::now() < end {
        turn.tick().await;
        app.token_of(client, "read").await;
        issued += 1;
    }
    issued
}

/// When each revocation was answered, by its position.
async fn revoke(app: &TestApp, client: &TestClient, end: Instant) -> HashMap<i64, Instant> {
    let mut answered = HashMap::new();
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() + Duration::from_millis(500) < end {
        turn.tick().await;
        let token = app.token_of(client, "read").await.access;
        let answer = app.revoke(client, &token).await.assert_status(200);
        answered.insert(answer.header("grantlog-position").parse().expect("it is a position"), Instant::now());
    }
    answered
}

/// When each revocation's message came, by its position.
async fn messages(nats: &NatsServer, end: Instant) -> HashMap<i64, Instant> {
    let client = async_nats::connect(nats.url()).await.expect("NATS answers");
    let mut messages = client.subscribe("grantlog.revocation.>").await.expect("NATS answers");
    let mut heard = HashMap::new();
    while let Ok(Some(message)) = tokio::time::timeout_at(end.into(), messages.next()).await {
        let now = Instant::now();
        let body: Value = serde_json::from_slice(&message.payload).expect("a message is JSON");
        let position = body["position"].as_str().and_then(|position| position.parse().ok());
        heard.entry(position.expect("a message has its position")).or_insert(now);
    }
    heard
}

/// When each revocation came in the feed, by its position.
async fn feed(app: &TestApp, resource_server: &TestClient, end: Instant) -> HashMap<i64, Instant> {
    let token = app.token_of(resource_server, "introspection").await.access;
    let mut heard = HashMap::new();
    let mut position = 0;
    while Instant::now() < end {
        let answer = app.get_with(&format!("/o/revocations?after={position}&wait=1"), &token).await.assert_status(200).json();
        let now = Instant::now();
        position = answer["position"].as_i64().expect("an answer has its position");
        for entry in answer["revocations"].as_array().expect("an answer lists revocations") {
            heard.entry(entry["position"].as_i64().expect("an entry has its position")).or_insert(now);
        }
    }
    heard
}

/// The median and the 99th percentile of the times between answer and message, in milliseconds; 0 where the message came first.
fn delays(answered: &HashMap<i64, Instant>, heard: &HashMap<i64, Instant>) -> String {
    let mut delays: Vec<_> = answered
        .iter()
        .filter_map(|(position, answered)| heard.get(position).map(|heard| heard.saturating_duration_since(*answered)))
        .collect();
    delays.sort_unstable();
    let missing = answered.len() - delays.len();
    let at = |percent: usize| {
        let place = (delays.len() * percent / 100).min(delays.len().saturating_sub(1));
        delays.get(place).map_or(0.0, |delay| delay.as_secs_f64() * 1e3)
    };
    format!("p50 {:.2} ms, p99 {:.2} ms, {missing} not heard of", at(50), at(99))
}
