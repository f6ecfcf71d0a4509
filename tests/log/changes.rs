//! What an append carries beside events: names, vault rows, ephemeral rows, each in the transaction of the events.

use domain::Timestamp;
use grantlog::{
    ephemeral,
    log::{Append, AppendError, ClaimChange, EphemeralChange, VaultChange},
    vault::store::VaultStore,
};
use tokio::join;
use uuid::Uuid;

use crate::{
    commands::{client, disable, issue, register},
    over_both_stores,
    store::{Store, number, text},
};

over_both_stores! {
    a_name_is_taken_once,
    a_name_that_was_released_can_be_taken,
    a_name_passes_from_one_to_another_within_a_batch,
    a_fact_is_used_once_even_by_two_nodes,
    a_fact_whose_time_is_over_can_be_used_again,
    vault_rows_are_written_with_their_command_or_not_at_all,
    ephemeral_rows_are_written_with_their_command_or_not_at_all,
    a_counter_counts_every_one_of_parallel_tries,
    what_has_expired_is_swept_and_nothing_else,
}

const LONG: Timestamp = Timestamp::from_unix(9_999_999_999);
const PAST: Timestamp = Timestamp::from_unix(1_000);

fn taking(name: &str) -> Append {
    let id = Uuid::now_v7();
    Append { claims: vec![ClaimChange::Take { name: name.to_owned(), stream: client(id) }], ..register(id) }
}

fn releasing(name: &str) -> Append {
    Append { claims: vec![ClaimChange::Release { name: name.to_owned() }], ..register(Uuid::now_v7()) }
}

fn using(key: &str, expires_at: Timestamp) -> Append {
    let claim = EphemeralChange::Claim { kind: "jti", key: key.to_owned(), expires_at };
    Append { ephemeral: vec![claim], ..issue(Uuid::now_v7()) }
}

async fn a_name_is_taken_once(store: Store) {
    let (log, other) = (store.open().await, store.open().await);
    let taken = Err(AppendError::ClaimTaken("alice".to_owned()));
    let (first, second, beside) = join!(log.append(taking("alice")), log.append(taking("alice")), log.append(taking("bob")));
    assert!(first.is_ok() && beside.is_ok());
    assert_eq!(second, taken);
    assert_eq!(other.append(taking("alice")).await, taken);
}

async fn a_name_that_was_released_can_be_taken(store: Store) {
    let log = store.open().await;
    log.append(taking("alice")).await.unwrap();
    log.append(releasing("alice")).await.unwrap();
    assert!(log.append(taking("alice")).await.is_ok());
    assert_eq!(number(&log, "SELECT count(*) FROM claim").await, 1);
}

async fn a_name_passes_from_one_to_another_within_a_batch(store: Store) {
    let log = store.open().await;
    log.append(taking("alice")).await.unwrap();
    let (released, taken) = join!(log.append(releasing("alice")), log.append(taking("alice")));
    assert!(released.is_ok() && taken.is_ok());
}

async fn a_fact_is_used_once_even_by_two_nodes(store: Store) {
    let nodes = [store.open().await, store.open().await];
    let tries = (0..20).map(|n| nodes[n % 2].append(using("proof", LONG)));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let used = AppendError::EphemeralTaken { kind: "jti", key: "proof".to_owned() };
    assert!(outcomes.into_iter().filter_map(Result::err).all(|error| error == used));
    assert_eq!(number(&nodes[0], "SELECT count(*) FROM events").await, 1);
}

async fn a_fact_whose_time_is_over_can_be_used_again(store: Store) {
    let log = store.open().await;
    log.append(using("proof", PAST)).await.unwrap();
    log.append(using("proof", LONG)).await.unwrap();
    assert!(log.append(using("proof", LONG)).await.is_err());
}

async fn vault_rows_are_written_with_their_command_or_not_at_all(store: Store) {
    let log = store.open().await;
    let vault = VaultStore::new(log.db().clone());
    let id = Uuid::now_v7();
    let put = |sealed: &str| VaultChange::Put { kind: "password", id: "1".to_owned(), sealed: sealed.to_owned() };
    log.append(Append { vault: vec![put("one")], ..register(id) }).await.unwrap();
    log.append(Append { vault: vec![put("two")], ..disable(id, 8) }).await.unwrap_err();
    assert_eq!(vault.get("password", "1").await.unwrap().as_deref(), Some("one"));
    log.append(Append { vault: vec![put("two")], ..disable(id, 1) }).await.unwrap();
    assert_eq!(vault.get("password", "1").await.unwrap().as_deref(), Some("two"));
    let gone = VaultChange::Delete { kind: "password", id: "1".to_owned() };
    log.append(Append { vault: vec![gone], ..disable(id, 2) }).await.unwrap();
    assert_eq!(vault.get("password", "1").await.unwrap(), None);
}

async fn ephemeral_rows_are_written_with_their_command_or_not_at_all(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    let put =
        |value: &str| EphemeralChange::Put { kind: "answer", key: "1".to_owned(), value: value.to_owned(), expires_at: LONG };
    log.append(Append { ephemeral: vec![put("one")], ..register(id) }).await.unwrap();
    log.append(Append { ephemeral: vec![put("two")], ..disable(id, 8) }).await.unwrap_err();
    assert_eq!(ephemeral::get(log.db(), "answer", "1", PAST).await.unwrap().as_deref(), Some("one"));
    assert_eq!(ephemeral::get(log.db(), "answer", "1", LONG).await.unwrap(), None);
    let gone = EphemeralChange::Delete { kind: "answer", key: "1".to_owned() };
    log.append(Append { ephemeral: vec![gone], ..disable(id, 1) }).await.unwrap();
    assert_eq!(ephemeral::get(log.db(), "answer", "1", PAST).await.unwrap(), None);
}

async fn a_counter_counts_every_one_of_parallel_tries(store: Store) {
    let log = store.open().await;
    let tries = (0..30).map(|_| ephemeral::count_up(log.db(), "failures", "alice", LONG, PAST));
    let mut counts = futures_util::future::try_join_all(tries).await.unwrap();
    counts.sort_unstable();
    assert_eq!(counts, (1..=30).collect::<Vec<_>>());
    ephemeral::count_down(log.db(), "failures", "alice").await.unwrap();
    assert_eq!(ephemeral::count_up(log.db(), "failures", "alice", LONG, PAST).await.unwrap(), 30);
    assert_eq!(ephemeral::count_up(log.db(), "failures", "alice", LONG, LONG).await.unwrap(), 1);
}

async fn what_has_expired_is_swept_and_nothing_else(store: Store) {
    let log = store.open().await;
    for n in 0..5 {
        ephemeral::put(log.db(), "kind", &n.to_string(), "value", Timestamp::from_unix(1_000 + n)).await.unwrap();
    }
    let moment = Timestamp::from_unix(1_003);
    assert_eq!(ephemeral::sweep(log.db(), moment, 2).await.unwrap(), 2);
    assert_eq!(ephemeral::sweep(log.db(), moment, 2).await.unwrap(), 1);
    assert_eq!(text(&log, "SELECT min(key) FROM ephemeral").await.as_deref(), Some("3"));
    assert_eq!(ephemeral::sweep(log.db(), moment, 2).await.unwrap(), 0);
}
