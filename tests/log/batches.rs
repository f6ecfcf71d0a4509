//! Batches: their bounds, the bound of what waits for one, and what the store refuses of one.

use domain::{
    client::{Client, ClientEvent, ClientMetadata},
    grant::Grant,
};
use futures_util::future::join_all;
use grantlog::log::{AppendError, ClaimChange, Log, LogSettings};
use tokio::join;
use uuid::Uuid;

use crate::{
    commands::{AT, client, events, family, issue, register, registered, with},
    over_both_stores,
    store::{Kind, Lock, Store, number},
};

over_both_stores! {
    more_commands_than_a_batch_holds_are_all_written,
    more_bytes_than_a_batch_holds_are_all_written,
    a_command_larger_than_a_batch_is_written_alone,
    whoever_finds_the_queue_full_is_told_to_come_back,
    a_command_whose_rows_cannot_be_made_fails_alone,
}

async fn more_commands_than_a_batch_holds_are_all_written(store: Store) {
    let log = store.open().await;
    let outcomes = join_all((0..1_500).map(|_| log.append(issue(Uuid::now_v7())))).await;
    let positions: Vec<i64> = outcomes.into_iter().map(|outcome| outcome.unwrap().position).collect();
    assert_eq!(positions, (1..=1_500).collect::<Vec<_>>());
    assert_eq!(number(&log, "SELECT count(*) FROM token").await, 1_500);
}

fn large(bytes: usize) -> ClientEvent {
    let metadata = Box::new(ClientMetadata { client_name: Some("n".repeat(bytes)), ..ClientMetadata::default() });
    ClientEvent::Registered { identifier: Uuid::now_v7().to_string(), owner: None, metadata, by_itself: None, at: AT }
}

async fn more_bytes_than_a_batch_holds_are_all_written(store: Store) {
    let log = store.open().await;
    let registering = (0..40).map(|_| log.append(with(events::<Client>(Uuid::now_v7(), &[], &[large(100_000)]))));
    assert!(join_all(registering).await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(number(&log, "SELECT count(*) FROM client").await, 40);
}

async fn a_command_larger_than_a_batch_is_written_alone(store: Store) {
    let log = store.open().await;
    let huge = with(events::<Client>(Uuid::now_v7(), &[], &[large(3_000_000)]));
    let (before, huge, after) = join!(log.append(issue(Uuid::now_v7())), log.append(huge), log.append(issue(Uuid::now_v7())));
    assert_eq!([before, huge, after].map(|outcome| outcome.unwrap().position), [1, 2, 3]);
}

async fn whoever_finds_the_queue_full_is_told_to_come_back(store: Store) {
    let log = Log::open(&LogSettings { queue: 8, ..store.settings.clone() }).await.unwrap();
    let lock = Lock::take(&log).await;
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(append_one(log.clone()))).collect();
    while log.waiting() < 8 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.append(issue(Uuid::now_v7())).await, Err(AppendError::Unavailable));
    lock.release().await;
    assert!(join_all(waiting).await.into_iter().all(|outcome| outcome.unwrap()));
    assert_eq!(log.waiting(), 0);
    assert!(append_one(log).await);
}

async fn append_one(log: Log) -> bool {
    log.append(issue(Uuid::now_v7())).await.is_ok()
}

async fn a_command_whose_rows_cannot_be_made_fails_alone(store: Store) {
    let log = store.open().await;
    let mut without_terms = with(events::<Grant>(Uuid::now_v7(), &[], &family(0)));
    without_terms.streams[0].terms = None;
    let (before, refused, after) =
        join!(log.append(issue(Uuid::now_v7())), log.append(without_terms), log.append(issue(Uuid::now_v7())));
    assert!(matches!(refused, Err(AppendError::Rejected(_))));
    assert_eq!([before, after].map(|outcome| outcome.unwrap().position), [1, 2]);
}

#[tokio::test]
async fn of_a_batch_postgresql_refuses_the_commands_whose_data_it_cannot_hold_and_writes_the_others() {
    let log = Store::new(Kind::Postgres).await.open().await;
    let with_nul = || with(events::<Client>(Uuid::now_v7(), &[], &[registered("a\0b")]));
    let mut long_name = register(Uuid::now_v7());
    let name: String = (0..4_000_u32).map(|n| char::from_u32(0x4e00 + n * 7 % 20_000).unwrap()).collect();
    long_name.claims.push(ClaimChange::Take { name, stream: client(Uuid::now_v7()) });
    let mut racing = vec![(false, with_nul()), (false, long_name), (false, with_nul())];
    for n in 0..97 {
        racing.insert(n % racing.len(), (true, issue(Uuid::now_v7())));
    }
    let outcomes = join_all(racing.iter().map(|(_, command)| log.append(command.clone()))).await;
    for ((good, _), outcome) in racing.iter().zip(outcomes) {
        assert_eq!(outcome.is_ok(), *good, "{outcome:?}");
        assert!(outcome.is_ok() || matches!(outcome, Err(AppendError::Rejected(_))));
    }
    assert_eq!(number(&log, "SELECT position FROM log_head").await, 97);
    assert_eq!(number(&log, "SELECT count(*) FROM client").await, 0);
}
