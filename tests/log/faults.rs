//! Faults: a store that is down, locked, silent, or lost at the worst moment. Nothing durable is denied, and no restart is needed.

use std::time::{Duration, Instant};

use grantlog::log::{AppendError, Log};
use uuid::Uuid;

use crate::{
    commands::{client, disable, issue, register},
    proxy::{Proxy, Wire},
    store::{Kind, Lock, Store, address, by_way_of, number, run},
};

/// A node that reaches its store over a wire that can be cut, and one that reaches it directly.
async fn wired() -> (Log, Log, Proxy) {
    let store = Store::new(Kind::Postgres).await;
    let proxy = Proxy::to(address(&store)).await;
    let node = Log::open(&by_way_of(&store, &proxy.address)).await.unwrap();
    node.append(register(Uuid::now_v7())).await.unwrap();
    (node, store.open().await, proxy)
}

/// Appends until the store is there again.
async fn append_when_it_is_back(log: &Log) -> i64 {
    let begun = Instant::now();
    loop {
        match log.append(issue(Uuid::now_v7())).await {
            Ok(appended) => return appended.position,
            Err(error) => assert_eq!(error, AppendError::Unavailable),
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the store is back, the log is not");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_in_the_log() {
    let (node, direct, proxy) = wired().await;
    for _ in 0..10 {
        // Whatever connection is needed is there before the wire is cut.
        let before = node.append(issue(Uuid::now_v7())).await.unwrap().position;
        let command = issue(Uuid::now_v7());
        let id = command.command_id.to_string();
        proxy.set(Wire::CutBeforeAnswer);
        assert_eq!(node.append(command).await.unwrap().position, before + 1);
        assert_eq!(direct.read(before, 10).await.unwrap()[0].command_id, id);
    }
}

#[tokio::test]
async fn an_append_that_was_not_heard_is_unavailable_and_not_in_the_log() {
    let (node, direct, proxy) = wired().await;
    for _ in 0..5 {
        proxy.set(Wire::CutBeforeRequest);
        let before = number(&direct, "SELECT position FROM log_head").await;
        match node.append(issue(Uuid::now_v7())).await {
            Ok(appended) => assert_eq!(appended.position, before + 1),
            Err(error) => {
                assert_eq!(error, AppendError::Unavailable);
                assert_eq!(number(&direct, "SELECT position FROM log_head").await, before);
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_unavailable_at_once_and_comes_back_without_a_restart() {
    let (node, direct, proxy) = wired().await;
    let id = Uuid::now_v7();
    let position = node.append(register(id)).await.unwrap().position;
    proxy.set(Wire::Down);
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(node.append(issue(id)).await, Err(AppendError::Unavailable));
    }
    assert!(node.load(&[client(id)]).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    proxy.set(Wire::Whole);
    assert_eq!(append_when_it_is_back(&node).await, position + 1);
    assert_eq!(node.append(disable(id, 0)).await, Err(AppendError::Conflict(client(id))));
    assert_eq!(direct.append(issue(id)).await.unwrap().position, position + 2);
    assert!(node.wait_for(position + 2, Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_silent_store_is_unavailable_in_bounded_time() {
    let (node, direct, proxy) = wired().await;
    let position = node.known_head();
    proxy.set(Wire::Silent);
    let (begun, streams) = (Instant::now(), [client(Uuid::now_v7())]);
    let (appended, loaded) = tokio::join!(node.append(issue(Uuid::now_v7())), node.load(&streams));
    assert_eq!(appended, Err(AppendError::Unavailable));
    assert!(loaded.is_err());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(direct.append(issue(Uuid::now_v7())).await.unwrap().position, position + 1);
    proxy.set(Wire::Whole);
    assert!(append_when_it_is_back(&node).await > position + 1);
}

#[tokio::test]
async fn a_server_that_ends_the_writers_session_costs_one_answer_at_most() {
    let store = Store::new(Kind::Postgres).await;
    let log = store.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    run(
        &log,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    .await;
    drop(log.append(issue(Uuid::now_v7())).await);
    log.append(issue(Uuid::now_v7())).await.unwrap();
}

#[tokio::test]
async fn a_head_that_another_holds_too_long_is_unavailable_and_then_free() {
    let log = Store::new(Kind::Postgres).await.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    let lock = Lock::take(&log).await;
    assert_eq!(log.append(issue(Uuid::now_v7())).await, Err(AppendError::Unavailable));
    lock.release().await;
    assert_eq!(log.append(issue(Uuid::now_v7())).await.unwrap().position, 2);
}

#[tokio::test]
async fn a_file_that_another_holds_too_long_is_unavailable_and_then_free() {
    let store = Store::new(Kind::Sqlite).await;
    let log = store.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    let lock = Lock::take(&log).await;
    let begun = Instant::now();
    assert_eq!(log.append(issue(Uuid::now_v7())).await, Err(AppendError::Unavailable));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    lock.release().await;
    assert_eq!(log.append(issue(Uuid::now_v7())).await.unwrap().position, 2);
}

#[tokio::test]
async fn a_batch_that_sqlite_breaks_off_leaves_nothing_and_the_next_is_written() {
    let store = Store::new(Kind::Sqlite).await;
    let log = store.open().await;
    run(
        &log,
        "CREATE TRIGGER broken BEFORE INSERT ON client_g1 WHEN NEW.client_name = 'poison' BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    .await;
    let poison = crate::commands::with(crate::commands::events::<domain::client::Client>(
        Uuid::now_v7(),
        &[],
        &[crate::commands::registered("poison")],
    ));
    let (before, refused, after) =
        tokio::join!(log.append(issue(Uuid::now_v7())), log.append(poison), log.append(issue(Uuid::now_v7())));
    assert!(matches!(refused, Err(AppendError::Rejected(_))), "{refused:?}");
    assert_eq!([before, after].map(|outcome| outcome.unwrap().position), [1, 2]);
    assert_eq!(number(&log, "SELECT count(*) FROM stream_head").await, 2);
}
