//! Whatever happens to the broker: the stream is the log again, position by position, and no request waits for it.

use std::{fs, path::Path, process::Command, time::Duration};

use grantlog::{
    clock::Clock,
    config::Settings,
    follow::relay::{Relay, RelayError, RelayStatus},
    log::backup::{backup, restore},
    vault::{MasterKey, MasterKeys},
};
use support::{
    Kind, NatsServer, Store, TestApp, both_stores,
    traffic::{history, issue_many},
};

use crate::stream::{assert_is_the_log, caught_up, read, relay_to, relaying};

both_stores!(
    requests_go_on_while_the_broker_is_away_and_the_backlog_follows_in_order,
    a_broker_that_lost_its_data_gets_all_of_it_again,
    a_broker_that_lost_the_tail_of_the_stream_gets_it_again,
    of_two_relays_the_broker_takes_each_message_once,
    what_is_too_large_is_a_stub_at_its_place,
    a_relay_that_is_interrupted_says_how_far_behind_the_broker_is,
    a_restored_log_leaves_the_old_stream_as_it_is_and_fills_one_of_its_own,
);

async fn requests_go_on_while_the_broker_is_away_and_the_backlog_follows_in_order(kind: Kind) {
    let mut nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    caught_up(&app.app).await;
    nats.kill();
    history(&app).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 3_000).await;
    nats.start_again();
    history(&app).await;
    assert_is_the_log(&nats, &app.app).await;
}

async fn a_broker_that_lost_its_data_gets_all_of_it_again(kind: Kind) {
    let mut nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    history(&app).await;
    caught_up(&app.app).await;
    nats.wipe();
    nats.start_again();
    assert_is_the_log(&nats, &app.app).await;
}

async fn a_broker_that_lost_the_tail_of_the_stream_gets_it_again(kind: Kind) {
    let mut nats = NatsServer::start();
    let (app, _relay) = relaying(kind, &nats).await;
    history(&app).await;
    caught_up(&app.app).await;
    nats.kill();
    let earlier = nats.folder().join("earlier");
    copy(&nats.data(), &earlier);
    nats.start_again();
    history(&app).await;
    caught_up(&app.app).await;
    nats.wipe();
    copy(&earlier, &nats.data());
    nats.start_again();
    history(&app).await;
    assert_is_the_log(&nats, &app.app).await;
}

/// On PostgreSQL the lease lets one of them; on SQLite both go, and the broker refuses whoever is second.
async fn of_two_relays_the_broker_takes_each_message_once(kind: Kind) {
    let nats = NatsServer::start();
    let (app, first) = relaying(kind, &nats).await;
    let _second = tokio::spawn(Relay::new(app.another_node().await).run());
    let client = app.ordinary_client().await;
    for round in 0..4 {
        issue_many(&app.app, &client, 500).await;
        if round == 1 {
            first.abort();
        }
    }
    assert_is_the_log(&nats, &app.app).await;
}

async fn what_is_too_large_is_a_stub_at_its_place(kind: Kind) {
    let nats = NatsServer::start_with("max_payload: 1100\n");
    let (app, _relay) = relaying(kind, &nats).await;
    let uris: Vec<_> = (0..30).map(|number| format!("https://app.example/callback/{number}/of/many")).collect();
    app.client(serde_json::json!({"client_name": "Large", "redirect_uris": uris, "grant_types": ["authorization_code"]})).await;
    history(&app).await;
    let sent = assert_is_the_log(&nats, &app.app).await;
    let stubs: Vec<_> = sent.iter().filter(|message| message.body["type"] == "grantlog.log.omitted.v1").collect();
    let large = stubs.iter().find(|stub| stub.body["data"]["omitted_type"] == "grantlog.client.registered.v1").unwrap();
    assert!(large.body["data"]["bytes"].as_u64().unwrap() > 1100);
    assert!(stubs.iter().all(|stub| stub.effect() != "revocation"));
}

async fn a_relay_that_is_interrupted_says_how_far_behind_the_broker_is(kind: Kind) {
    let nats = NatsServer::start();
    let (app, relay) = relaying(kind, &nats).await;
    caught_up(&app.app).await;
    relay.abort();
    drop(relay.await);
    let before = app.app.log.head().await.unwrap();
    history(&app).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let status = RelayStatus::ask(&app.app.settings.relay, &app.app.log).await.unwrap();
    let head = app.app.log.head().await.unwrap();
    assert_eq!((status.last, status.head, status.lag.positions), (before, head, head - before));
    assert!(status.lag.seconds() > 0.0);
    let _relay = tokio::spawn(Relay::new(app.app.clone()).run());
    assert_is_the_log(&nats, &app.app).await;
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(copied.success() && fs::exists(to).unwrap());
}

/// A log that is restored to an earlier state goes another way from there: its positions are not those of the old stream.
async fn a_restored_log_leaves_the_old_stream_as_it_is_and_fills_one_of_its_own(kind: Kind) {
    let nats = NatsServer::start();
    let (app, relay) = relaying(kind, &nats).await;
    history(&app).await;
    let file = app.store.folder().join("backup");
    backup(&app.app.log, &file, &mut |_| {}).await.unwrap();
    history(&app).await;
    let old = assert_is_the_log(&nats, &app.app).await.len();
    relay.abort();

    let (store, key) = (Store::new(kind).await, app.master_key());
    let master = MasterKeys::new(MasterKey::parse(&key).unwrap(), Vec::new());
    restore(&store.settings, &file, master, &Clock::default(), &mut |_| {}).await.unwrap();
    let after = TestApp::over(store, key.clone(), relay_to(&nats)).await;
    let _relay = tokio::spawn(Relay::new(after.app.clone()).run());
    assert!(matches!(refused(&after).await, RelayError::Ahead { .. }));
    let client = after.ordinary_client().await;
    issue_many(&after.app, &client, 100).await;
    assert!(matches!(refused(&after).await, RelayError::OtherHistory { .. }));
    assert_eq!(read(&nats, "").await.len(), old);

    let of_its_own = |settings: &mut Settings| {
        relay_to(&nats)(settings);
        settings.relay.stream = "RESTORED".to_owned();
        settings.relay.prefix = "restored.grantlog".to_owned();
    };
    let after = TestApp::over(after.stop().await, key, of_its_own).await;
    let _relay = tokio::spawn(Relay::new(after.app.clone()).run());
    assert_is_the_log(&nats, &after.app).await;
}

/// What the relay says of the stream; it does not pass by itself.
async fn refused(app: &TestApp) -> RelayError {
    let error = RelayStatus::ask(&app.app.settings.relay, &app.app.log).await.unwrap_err();
    assert!(!error.passes() && error.to_string().contains("relay.stream"), "{error}");
    error
}
