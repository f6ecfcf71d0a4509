//! An event that no part of this grantlog can read: whoever must understand it stops there and says where, and all others go on.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use grantlog::{config, follow::relay::RelayStatus};
use projections::on_db;
use support::{
    Cluster, Kind, NatsServer, Node, both_stores,
    traffic::{history, issue_many, refreshed},
};
use uuid::Uuid;

use crate::GRANTLOG;

both_stores!(an_event_that_cannot_be_read_stops_whoever_must_and_nobody_else);

/// The longest until a server tells something of itself.
const TOLD: Duration = Duration::from_secs(60);

async fn an_event_that_cannot_be_read_stops_whoever_must_and_nobody_else(kind: Kind) {
    let (nats, cluster) = (NatsServer::start(), Cluster::new(kind, GRANTLOG).await);
    let (app, url) = (&cluster.app, nats.url());
    let node = cluster.start_with(&[("NATS_URL", &url)]);
    let first = history(app).await;
    let poison = app.app.log.head().await.unwrap() + 1;
    let row = format!(
        "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, command_id, \
         recorded_at) SELECT position + 1, 'client', '{}', 1, 'client.forgotten', '1', '{{}}', '{{}}', 'c', recorded_at FROM log_head; \
         UPDATE log_head SET position = position + 1",
        Uuid::now_v7()
    );
    on_db!(app.app.log.db(), pool => { sqlx::raw_sql(&row).execute(pool).await.unwrap(); });
    issue_many(&app.app, &first.client, 50).await;
    let family = refreshed(app, &first.client, &first.family).await;
    let head = app.app.log.head().await.unwrap();
    let at = format!("position {poison}");

    until(&cluster, &node, |metrics| metrics.get("grantlog_follower_stopped{follower=\"relay\"}") == Some(&1.0)).await;
    node.process.has_logged(&["ERROR", &at]);
    let relay = config::Relay { url: url.into(), ..app.app.settings.relay.clone() };
    assert_eq!(RelayStatus::ask(&relay, &app.app.log).await.unwrap().last, poison - 1);
    until(&cluster, &node, |metrics| metrics.get("grantlog_transparency_size").is_some_and(|size| *size >= head as f64)).await;
    for command in [
        &["projections", "rebuild", "--duty", "100"][..],
        &["projections", "verify", "--duty", "100"],
        &["audit", "replay", "--digest"],
        // A proof is a read that is remembered, and nobody can say of whom.
        &["audit", "prove", &poison.to_string()],
    ] {
        let done = cluster.run(command);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(&at), "{command:?}: {said}");
    }
    for command in [
        &["audit", "verify-log"][..],
        &["log", "tail", "--all"],
        &["log", "export"],
        &["audit", "prove", &head.to_string()],
        &["audit", "token", &family.access],
    ] {
        let done = cluster.run(command);
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let tokens = app.introspect_at(node.address, &first.client, &family.access).await.assert_status(200).json();
    assert_eq!(tokens["active"], true);
    app.refresh_at(node.address, &first.client, family.refresh_token()).await.assert_status(200);
    the_relay_is_let_pass_over(&cluster, &nats, poison).await;
}

/// An operator lets the relay go on.
async fn the_relay_is_let_pass_over(cluster: &Cluster, nats: &NatsServer, poison: i64) {
    let (url, log, position) = (nats.url(), &cluster.app.app.log, poison.to_string());
    let skip = |position: &str, more: &[&str]| {
        let mut command =
            cluster.command(&["relay", "skip", "--position", position, "--reason", "of a release that was withdrawn"]);
        command.env("NATS_URL", &url).args(more).output().unwrap()
    };
    for (position, more, why) in [
        (position.as_str(), &[][..], "--ends-nothing"),
        ("1", &["--ends-nothing"], "the event can be read"),
        ("1000000", &["--ends-nothing"], "no event at this position"),
    ] {
        let done = skip(position, more);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && said.contains(why), "{position}: {said}");
    }
    let done = skip(&position, &["--ends-nothing"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let relay = config::Relay { url: url.into(), ..cluster.app.app.settings.relay.clone() };
    let begun = Instant::now();
    while RelayStatus::ask(&relay, log).await.unwrap().last < log.head().await.unwrap() {
        assert!(begun.elapsed() < TOLD, "the relay goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let jetstream = async_nats::jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let stream = jetstream.get_stream(&relay.stream).await.unwrap();
    let stub = stream.get_raw_message(poison.try_into().unwrap()).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&stub.payload).unwrap();
    assert!(stub.subject.starts_with("grantlog.other.log.unread."), "{}", stub.subject);
    assert_eq!((&told["position"], &told["data"]["stored_type"]), (&position.into(), &"client.forgotten".into()));
    let decided = cluster.run(&["log", "tail", "--all", "--json"]);
    assert!(String::from_utf8(decided.stdout).unwrap().contains("audit.passed_over"));
}

/// Waits until a server's metrics are as wanted.
async fn until(cluster: &Cluster, node: &Node, wanted: impl Fn(&BTreeMap<String, f64>) -> bool) {
    let begun = Instant::now();
    loop {
        let text = cluster.app.http.get(format!("http://{}/metrics", node.address)).send().await.unwrap().text().await.unwrap();
        let metrics = text
            .lines()
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        if wanted(&metrics.collect()) {
            return;
        }
        assert!(begun.elapsed() < TOLD, "{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
