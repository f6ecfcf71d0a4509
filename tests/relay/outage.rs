//! NATS stops under traffic: every request is answered as ever, the metrics and `relay status` tell how far the broker is behind, and when it is
//! back all of it follows in order.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use grantlog::config;
use serde_json::Value;
use support::{Cluster, Kind, NatsServer, TestApp, TestClient, both_stores, sizes::outage, traffic::history};

use crate::{
    GRANTLOG,
    stream::{assert_is_the_log, caught_up_with, end_of},
};

both_stores!(requests_are_answered_while_the_broker_is_away_and_the_lag_is_told);

/// Clients that ask at once.
const CLIENTS: usize = 8;
/// The longest until a metric tells it.
const TOLD: Duration = Duration::from_secs(60);

async fn requests_are_answered_while_the_broker_is_away_and_the_lag_is_told(kind: Kind) {
    let mut nats = NatsServer::start();
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let (app, url) = (&cluster.app, nats.url());
    let relay = config::Relay { url: url.clone().into(), ..app.app.settings.relay.clone() };
    let node = cluster.start_with(&[("NATS_URL", &url)]);
    let client = app.ordinary_client().await;
    caught_up_with(&relay, &app.app.log).await;
    let relayed = end_of(&nats).await;

    nats.kill();
    let away = AtomicBool::new(true);
    let traffic = join_all((0..CLIENTS).map(|_| ask_while(app, node.address, &client, &away)));
    let told = async {
        tokio::time::sleep(outage()).await;
        let lag = lag_of(app, node.address, |lag| lag > 0).await;
        away.store(false, Ordering::Release);
        lag
    };
    let (asked, lag) = join(traffic, told).await;
    let (asked, head) = (asked.into_iter().sum::<i64>(), app.app.log.head().await.unwrap());
    println!("{asked} requests were answered while the broker was away; the lag was told to be {lag}");
    assert!(lag <= head - relayed && head - relayed >= asked);
    let status = cluster.command(&["relay", "status"]).env("NATS_URL", &url).output().unwrap();
    let said = String::from_utf8(status.stderr).unwrap();
    assert!(status.status.code() == Some(4) && said.contains("NATS does not answer"), "{said}");

    // The server is held, so that what the broker lacks can be told before it follows.
    node.process.hold();
    nats.start_again();
    let behind = status_of(&cluster, &url);
    assert_eq!((&behind["last"], &behind["head"]), (&relayed.into(), &head.into()));
    assert_eq!(behind["lag_positions"], head - relayed);
    assert!(behind["lag_seconds"].as_f64().unwrap() > 0.0);
    node.process.go_on();
    history(app).await;
    assert_is_the_log(&nats, &app.app).await;
    lag_of(app, node.address, |lag| lag == 0).await;
    assert_eq!(status_of(&cluster, &url)["lag_positions"], 0);
}

/// Gets tokens and revokes every other, while it lasts; gives how many events came of it. Every answer is what it would be at any time.
async fn ask_while(app: &TestApp, node: SocketAddr, client: &TestClient, lasts: &AtomicBool) -> i64 {
    let mut events = 0;
    while lasts.load(Ordering::Acquire) {
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        let mut tokens = Vec::new();
        for _ in 0..2 {
            tokens.push(app.post_to(node, client, ("/o/token/", &form)).await.assert_status(200).tokens().access);
        }
        app.post_to(node, client, ("/o/revoke_token/", &[("token", &tokens[0])])).await.assert_status(200);
        for (token, active) in tokens.iter().zip([false, true]) {
            assert_eq!(app.introspect_at(node, client, token).await.assert_status(200).json()["active"], active);
        }
        events += 3;
    }
    events
}

/// Waits until the server's metric of the lag is as wanted.
async fn lag_of(app: &TestApp, node: SocketAddr, wanted: impl Fn(i64) -> bool) -> i64 {
    let begun = Instant::now();
    loop {
        let metrics = app.http.get(format!("http://{node}/metrics")).send().await.unwrap().text().await.unwrap();
        let lag = metrics.lines().find_map(|line| line.strip_prefix("grantlog_relay_lag_positions ")?.parse().ok());
        if let Some(lag) = lag.filter(|lag| wanted(*lag)) {
            return lag;
        }
        assert!(begun.elapsed() < TOLD, "the lag is told to be {lag:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn status_of(cluster: &Cluster, url: &str) -> Value {
    let status = cluster.command(&["relay", "status", "--json"]).env("NATS_URL", url).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    serde_json::from_slice(&status.stdout).unwrap()
}
