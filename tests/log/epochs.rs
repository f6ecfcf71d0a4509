//! What changes under a running node: the log's epoch, the live projections' generations, the store's clock; and how a store begins.

use std::{collections::BTreeMap, time::Duration};

use grantlog::log::{AppendError, Log};
use projections::{Db, client::TABLE, create_apply_live};
use uuid::Uuid;

use crate::{
    commands::{issue, register},
    over_both_stores,
    store::{Kind, Store, number, run, text},
};

over_both_stores! {
    a_node_of_another_epoch_writes_nothing,
    a_node_learns_of_other_generations_and_writes_into_them,
    what_is_recorded_never_goes_back_in_time,
    recorded_times_are_the_stores_clock,
    a_store_is_opened_only_once_it_was_migrated,
    a_migration_leaves_a_log_as_it_is,
}

async fn a_node_of_another_epoch_writes_nothing(store: Store) {
    let log = store.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    run(&log, &format!("UPDATE log_head SET epoch = '{}'", Uuid::now_v7())).await;
    assert_eq!(log.append(issue(Uuid::now_v7())).await, Err(AppendError::Unavailable));
    assert_eq!(number(&log, "SELECT count(*) FROM events").await, 1);
    assert_eq!(store.open().await.append(issue(Uuid::now_v7())).await.unwrap().position, 2);
}

async fn a_node_learns_of_other_generations_and_writes_into_them(store: Store) {
    let (log, other) = (store.open().await, store.open().await);
    log.append(register(Uuid::now_v7())).await.unwrap();
    other.append(register(Uuid::now_v7())).await.unwrap();
    for statement in TABLE.create_generation(log.db().dialect(), 2).into_iter().chain(TABLE.create_view(log.db().dialect(), 2)) {
        run(&log, &statement).await;
    }
    let switch = format!(
        "UPDATE projection SET state = 'retired' WHERE name = 'client';
         INSERT INTO projection (name, generation, state, position, form) VALUES ('client', 2, 'active', 2, {});
         UPDATE log_head SET generations = generations + 1",
        TABLE.form
    );
    run(&log, &switch).await;
    match log.db() {
        Db::Postgres(_) => run(&log, &create_apply_live(&BTreeMap::from([("client".to_owned(), 2)]))).await,
        Db::Sqlite(_) => {}
    }
    log.append(register(Uuid::now_v7())).await.unwrap();
    other.append(register(Uuid::now_v7())).await.unwrap();
    assert_eq!(number(&log, "SELECT count(*) FROM client_g1").await, 2);
    assert_eq!(number(&log, "SELECT count(*) FROM client_g2").await, 2);
    assert_eq!(number(&log, "SELECT max(position) FROM client").await, 4);
}

async fn what_is_recorded_never_goes_back_in_time(store: Store) {
    const AHEAD: i64 = 9_000_000_000_000_000;
    let log = store.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    run(&log, &format!("UPDATE log_head SET recorded_at = {AHEAD}")).await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    let recorded: Vec<i64> = log.read(0, 10).await.unwrap().into_iter().map(|event| event.recorded_at).collect();
    assert!(recorded[0] < AHEAD && recorded[1] == AHEAD);
}

async fn recorded_times_are_the_stores_clock(store: Store) {
    let log = store.open().await;
    let before = log.store_clock().await.unwrap();
    for _ in 0..20 {
        log.append(issue(Uuid::now_v7())).await.unwrap();
    }
    let after = log.store_clock().await.unwrap();
    let recorded: Vec<i64> = log.read(0, 100).await.unwrap().into_iter().map(|event| event.recorded_at).collect();
    assert!(recorded.is_sorted() && recorded[0] >= before && recorded[19] <= after);
}

async fn a_store_is_opened_only_once_it_was_migrated(store: Store) {
    let empty = Store::unmigrated(store.kind).await;
    assert!(Log::open(&empty.settings).await.is_err());
    let migrating = (0..8).map(|_| Log::migrate(&empty.settings));
    for outcome in futures_util::future::join_all(migrating).await {
        outcome.unwrap();
    }
    assert_eq!(empty.open().await.append(register(Uuid::now_v7())).await.unwrap().position, 1);
}

async fn a_migration_leaves_a_log_as_it_is(store: Store) {
    let log = store.open().await;
    let (id, epoch) = (Uuid::now_v7(), log.epoch());
    log.append(register(id)).await.unwrap();
    Log::migrate(&store.settings).await.unwrap();
    assert_eq!(store.open().await.epoch(), epoch);
    assert_eq!(text(&log, "SELECT id FROM client").await, Some(id.to_string()));
    assert_eq!(number(&log, "SELECT count(*) FROM log_epoch").await, 1);
}

#[tokio::test]
async fn the_next_partition_is_there_before_the_log_needs_it() {
    let log = Store::new(Kind::Postgres).await.open().await;
    run(&log, "UPDATE log_head SET position = 9999990").await;
    for _ in 0..15 {
        log.append(issue(Uuid::now_v7())).await.unwrap();
    }
    run(&log, "UPDATE log_head SET position = 19999990").await;
    for _ in 0..15 {
        log.append(issue(Uuid::now_v7())).await.unwrap();
    }
    assert_eq!(number(&log, "SELECT max(position) FROM events").await, 20_000_005);
    assert_eq!(number(&log, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass").await, 4);
}

#[tokio::test]
async fn the_heads_lock_is_free_while_a_client_thinks() {
    let log = Store::new(Kind::Postgres).await.open().await;
    log.append(issue(Uuid::now_v7())).await.unwrap();
    let Db::Postgres(pool) = log.db() else { unreachable!("the store is PostgreSQL") };
    for _ in 0..50 {
        log.append(issue(Uuid::now_v7())).await.unwrap();
        sqlx::query("SELECT * FROM log_head FOR UPDATE NOWAIT").execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn a_wait_for_a_position_ends_when_it_is_there_or_at_its_deadline() {
    let store = Store::new(Kind::Sqlite).await;
    let log = store.open().await;
    assert!(!log.wait_for(1, Duration::from_millis(20)).await);
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { log.wait_for(1, Duration::from_secs(30)).await }
    });
    log.append(issue(Uuid::now_v7())).await.unwrap();
    assert!(waiting.await.unwrap());
    assert!(log.wait_for(1, Duration::ZERO).await);
}
