//! The head lock, held by whoever decides much at once: nobody appends meanwhile, on any node.

use grantlog::log::{AppendError, Log};
use tokio::join;
use uuid::Uuid;

use crate::{
    commands::{disable, issue, register},
    over_both_stores,
    store::{Lock, Store},
};

over_both_stores! {
    whoever_holds_the_head_lock_appends_before_all_that_came_meanwhile,
    a_hold_that_is_given_up_leaves_nothing_and_lets_the_others_go_on,
    what_has_changed_before_the_hold_is_refused_and_the_lock_is_given_back,
    a_hold_that_finds_the_lock_taken_waits_for_it,
}

async fn append_one(log: Log) -> i64 {
    log.append(issue(Uuid::now_v7())).await.unwrap().position
}

async fn whoever_holds_the_head_lock_appends_before_all_that_came_meanwhile(store: Store) {
    let (log, node) = (store.open().await, store.open().await);
    append_one(log.clone()).await;
    let hold = log.hold().await.unwrap();
    let others = [tokio::spawn(append_one(log.clone())), tokio::spawn(append_one(node.clone()))];
    while log.waiting() + node.waiting() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.head().await.unwrap(), 1);
    assert_eq!(hold.append(issue(Uuid::now_v7())).await.unwrap().position, 2);
    let [first, second] = others;
    let (first, second) = join!(first, second);
    assert_eq!(first.unwrap() + second.unwrap(), 3 + 4);
}

async fn a_hold_that_is_given_up_leaves_nothing_and_lets_the_others_go_on(store: Store) {
    let (log, node) = (store.open().await, store.open().await);
    drop(log.hold().await.unwrap());
    assert_eq!(append_one(node.clone()).await, 1);
    assert_eq!(append_one(log.clone()).await, 2);
    drop(node.hold().await.unwrap());
    assert_eq!(log.hold().await.unwrap().append(issue(Uuid::now_v7())).await.unwrap().position, 3);
}

async fn what_has_changed_before_the_hold_is_refused_and_the_lock_is_given_back(store: Store) {
    let (log, node) = (store.open().await, store.open().await);
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    let refused = log.hold().await.unwrap().append(disable(id, 7)).await;
    assert!(matches!(refused, Err(AppendError::Conflict(_))), "{refused:?}");
    assert_eq!(append_one(node).await, 2);
    assert_eq!(append_one(log).await, 3);
}

async fn a_hold_that_finds_the_lock_taken_waits_for_it(store: Store) {
    let log = store.open().await;
    let lock = Lock::take(&log).await;
    let asking = tokio::spawn({
        let log = log.clone();
        async move { log.hold().await.unwrap().append(issue(Uuid::now_v7())).await.unwrap().position }
    });
    tokio::task::yield_now().await;
    lock.release().await;
    assert_eq!(asking.await.unwrap(), 1);
}
