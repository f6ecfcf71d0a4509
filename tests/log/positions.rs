//! Positions: gapless, in commit order, never twice, whoever appends.

use std::{collections::BTreeSet, sync::Arc};

use grantlog::log::Log;
use tokio::{sync::Mutex, task::JoinSet};
use uuid::Uuid;

use crate::{
    commands::{disable, issue, register},
    over_both_stores,
    store::{Store, number, rounds},
};

over_both_stores! {
    two_nodes_under_contention_give_out_every_position_once_and_in_commit_order,
    a_reader_beside_the_writers_sees_every_position_in_order,
    racing_commands_on_one_stream_give_it_every_sequence_once,
}

/// Tasks that append at once.
const TASKS: usize = 64;

async fn two_nodes_under_contention_give_out_every_position_once_and_in_commit_order(store: Store) {
    let nodes = [store.open().await, store.open().await];
    let each = rounds(10, 500);
    let acknowledged = Arc::new(Mutex::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (node, acknowledged) = (nodes[task % 2].clone(), acknowledged.clone());
        tasks.spawn(async move {
            let mut positions = Vec::new();
            for _ in 0..each {
                let before = *acknowledged.lock().await;
                let position = node.append(issue(Uuid::now_v7())).await.unwrap().position;
                assert!(position > before, "{position} was acknowledged after {before}");
                let mut last = acknowledged.lock().await;
                *last = position.max(*last);
                positions.push(position);
            }
            positions
        });
    }
    let positions: BTreeSet<i64> = tasks.join_all().await.into_iter().flatten().collect();
    let all = i64::try_from(TASKS * each).unwrap();
    assert_eq!(positions, (1..=all).collect());
    assert_eq!(number(&nodes[0], "SELECT position FROM log_head").await, all);
    assert_eq!(number(&nodes[0], "SELECT count(DISTINCT position) FROM events").await, all);
}

async fn a_reader_beside_the_writers_sees_every_position_in_order(store: Store) {
    let (writer, other, reader) = (store.open().await, store.open().await, store.open().await);
    let each = rounds(40, 2000);
    let all = i64::try_from(2 * 8 * each).unwrap();
    let reading = tokio::spawn(async move {
        let mut seen = 0;
        while seen < all {
            for event in reader.read(seen, 100).await.unwrap() {
                assert_eq!(event.position, seen + 1);
                seen = event.position;
            }
            tokio::task::yield_now().await;
        }
    });
    let mut tasks = JoinSet::new();
    for node in [writer, other].iter().flat_map(|node| std::iter::repeat_n(node.clone(), 8)) {
        tasks.spawn(async move {
            for _ in 0..each {
                node.append(issue(Uuid::now_v7())).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    reading.await.unwrap();
}

async fn racing_commands_on_one_stream_give_it_every_sequence_once(store: Store) {
    let nodes = [store.open().await, store.open().await];
    let id = Uuid::now_v7();
    nodes[0].append(register(id)).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let node = nodes[task % 2].clone();
        tasks.spawn(async move { add(&node, id, rounds(5, 100)).await });
    }
    tasks.join_all().await;
    let all = i64::try_from(8 * rounds(5, 100) + 1).unwrap();
    assert_eq!(number(&nodes[0], "SELECT count(DISTINCT sequence) FROM events").await, all);
    assert_eq!(number(&nodes[0], "SELECT max(sequence) FROM events").await, all);
    assert_eq!(number(&nodes[0], "SELECT version FROM stream_head").await, all);
}

/// Appends so many events to a stream, each on what is there.
async fn add(node: &Log, id: Uuid, count: usize) {
    for _ in 0..count {
        loop {
            let version = node.load(&[crate::commands::client(id)]).await.unwrap().remove(0).unwrap().version;
            if node.append(disable(id, version)).await.is_ok() {
                break;
            }
        }
    }
}
