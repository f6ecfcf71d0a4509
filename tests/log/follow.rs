//! Followers: woken at each batch, in order, without a gap, each at its own pace.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grantlog::log::{Follower, Log};
use uuid::Uuid;

use crate::{
    commands::issue,
    over_both_stores,
    store::{Kind, Store, rounds},
};

over_both_stores! {
    followers_see_every_event_in_order_each_at_its_own_pace,
    a_follower_is_given_what_the_store_holds,
    a_follower_is_woken_by_its_own_node,
    a_follower_begins_where_it_is_told,
    a_follower_whose_wait_was_given_up_goes_on_where_it_was,
    a_follower_notices_what_another_process_appended,
}

async fn followers_see_every_event_in_order_each_at_its_own_pace(store: Store) {
    let (log, other) = (store.open().await, store.open().await);
    let count = i64::try_from(rounds(300, 20_000)).unwrap();
    let following = [(log.follow(0, 1_000), 1), (log.follow(0, 7), 50), (other.follow(0, 1), 1)]
        .map(|(follower, yields)| tokio::spawn(follow(follower, count, yields)));
    for n in 0..count {
        let node = if n % 3 == 0 { &other } else { &log };
        node.append(issue(Uuid::now_v7())).await.unwrap();
    }
    for follower in following {
        follower.await.unwrap();
    }
}

async fn follow(mut follower: Follower, until: i64, yields: usize) {
    let mut seen = 0;
    while seen < until {
        for event in follower.next().await.unwrap() {
            assert_eq!(event.position, seen + 1);
            seen = event.position;
        }
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(follower.position(), until);
}

/// Those that its own node wrote come from memory, others from the store.
async fn a_follower_is_given_what_the_store_holds(store: Store) {
    let (log, other) = (store.open().await, store.open().await);
    for n in 0..30 {
        let node = if n % 10 == 3 { &other } else { &log };
        let written = join_all((0..n % 4 + 1).map(|_| node.append(issue(Uuid::now_v7())))).await;
        assert!(written.iter().all(Result::is_ok));
    }
    let stored = other.read(0, 1_000).await.unwrap();
    for limit in [1, 3, 1_000] {
        let (mut follower, mut given) = (log.follow(0, limit), Vec::new());
        while given.len() < stored.len() {
            given.extend(follower.next().await.unwrap());
        }
        assert_eq!(given, stored);
    }
}

/// How long it takes from an acknowledgement to the follower, sorted.
async fn delays(writer: &Log, mut follower: Follower) -> Vec<Duration> {
    let mut delays = Vec::new();
    for _ in 0..rounds(200, 5_000) {
        let (appended, seen) = tokio::join!(
            async {
                let appended = writer.append(issue(Uuid::now_v7())).await.unwrap();
                (appended.position, Instant::now())
            },
            async {
                let events = follower.next().await.unwrap();
                (events.last().unwrap().position, Instant::now())
            }
        );
        assert_eq!(appended.0, seen.0);
        delays.push(seen.1.saturating_duration_since(appended.1));
    }
    delays.sort_unstable();
    delays
}

fn assert_woken(delays: &[Duration]) {
    let (median, high) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    println!("woken after {median:?} (p50), {high:?} (p99)");
    // Unwoken it would look every five seconds.
    assert!(median < Duration::from_secs(1), "{median:?}, {high:?}");
}

async fn a_follower_is_woken_by_its_own_node(store: Store) {
    let log = store.open().await;
    assert_woken(&delays(&log, log.follow(0, 100)).await);
}

#[tokio::test]
async fn postgresql_wakes_the_followers_of_other_nodes() {
    let store = Store::new(Kind::Postgres).await;
    let (log, other) = (store.open().await, store.open().await);
    // The first notice may come before the node listens.
    log.append(issue(Uuid::now_v7())).await.unwrap();
    assert!(other.wait_for(1, Duration::from_secs(5)).await);
    assert_woken(&delays(&log, other.follow(1, 100)).await);
}

async fn a_follower_begins_where_it_is_told(store: Store) {
    let log = store.open().await;
    for _ in 0..5 {
        log.append(issue(Uuid::now_v7())).await.unwrap();
    }
    let mut follower = log.follow(3, 100);
    assert_eq!(follower.next().await.unwrap().iter().map(|event| event.position).collect::<Vec<_>>(), [4, 5]);
}

async fn a_follower_whose_wait_was_given_up_goes_on_where_it_was(store: Store) {
    let log = store.open().await;
    let mut follower = log.follow(0, 100);
    for n in 1..20 {
        drop(tokio::time::timeout(Duration::from_millis(1), follower.next()).await);
        let position = follower.position();
        log.append(issue(Uuid::now_v7())).await.unwrap();
        let events = follower.next().await.unwrap();
        assert_eq!((events[0].position, events.last().unwrap().position), (position + 1, n));
    }
}

async fn a_follower_notices_what_another_process_appended(store: Store) {
    let (server, command_line) = (store.open().await, store.open().await);
    let mut follower = server.follow(0, 100);
    command_line.append(issue(Uuid::now_v7())).await.unwrap();
    let events = tokio::time::timeout(Duration::from_secs(30), follower.next()).await.unwrap().unwrap();
    assert_eq!(events.len(), 1);
}
