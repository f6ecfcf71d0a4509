//! Outcomes: each command has its own. What one loses, its neighbours in the batch do not.

use domain::client::Client;
use grantlog::log::{AppendError, ClaimChange};
use tokio::join;
use uuid::Uuid;

use crate::{
    commands::{client, command, disable, events, guard, issue, issue_guarded, register, registered},
    over_both_stores,
    store::{Store, number},
};

over_both_stores! {
    a_conflict_fails_its_own_command_alone,
    a_new_stream_that_exists_already_is_a_conflict,
    a_failed_guard_fails_its_own_command_alone,
    a_guard_fails_when_its_stream_changes_in_the_same_batch,
    a_guard_fails_when_another_node_changed_its_stream,
    a_guard_on_a_stream_that_must_not_exist_fails_once_it_does,
    of_many_commands_on_one_version_one_is_written,
    a_command_on_several_streams_is_written_whole_or_not_at_all,
    a_command_that_nobody_waits_for_is_not_begun,
    what_a_command_lost_is_told_by_name,
}

async fn a_conflict_fails_its_own_command_alone(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    let (before, late, after) = join!(log.append(issue(id)), log.append(disable(id, 0)), log.append(issue(id)));
    assert_eq!(late.unwrap_err(), AppendError::Conflict(client(id)));
    assert_eq!((before.unwrap().position, after.unwrap().position), (2, 3));
    assert_eq!(number(&log, "SELECT count(*) FROM events").await, 3);
}

async fn a_new_stream_that_exists_already_is_a_conflict(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    assert_eq!(log.append(register(id)).await.unwrap_err(), AppendError::Conflict(client(id)));
}

async fn a_failed_guard_fails_its_own_command_alone(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    log.append(disable(id, 1)).await.unwrap();
    let (stale, free, fresh) = join!(log.append(issue_guarded(id, 1)), log.append(issue(id)), log.append(issue_guarded(id, 2)));
    assert_eq!(stale.unwrap_err(), AppendError::GuardFailed(client(id)));
    assert!(free.is_ok() && fresh.is_ok());
    assert_eq!(number(&log, "SELECT count(*) FROM token").await, 2);
}

async fn a_guard_fails_when_its_stream_changes_in_the_same_batch(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    let (disabled, after) = join!(log.append(disable(id, 1)), log.append(issue_guarded(id, 1)));
    assert!(disabled.is_ok());
    assert_eq!(after.unwrap_err(), AppendError::GuardFailed(client(id)));
    let (before, disabled) = join!(log.append(issue_guarded(id, 2)), log.append(disable(id, 2)));
    assert!(before.unwrap().position < disabled.unwrap().position);
}

async fn a_guard_fails_when_another_node_changed_its_stream(store: Store) {
    let (log, other) = (store.open().await, store.open().await);
    let id = Uuid::now_v7();
    log.append(register(id)).await.unwrap();
    assert_eq!(log.load(&[client(id)]).await.unwrap()[0].as_ref().unwrap().version, 1);
    other.append(disable(id, 1)).await.unwrap();
    assert_eq!(log.append(issue_guarded(id, 1)).await.unwrap_err(), AppendError::GuardFailed(client(id)));
}

async fn a_guard_on_a_stream_that_must_not_exist_fails_once_it_does(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    assert!(log.append(issue_guarded(id, 0)).await.is_ok());
    log.append(register(id)).await.unwrap();
    assert_eq!(log.append(issue_guarded(id, 0)).await.unwrap_err(), AppendError::GuardFailed(client(id)));
}

async fn of_many_commands_on_one_version_one_is_written(store: Store) {
    let nodes = [store.open().await, store.open().await];
    let id = Uuid::now_v7();
    nodes[0].append(register(id)).await.unwrap();
    let racing = (0..50).map(|n| nodes[n % 2].append(disable(id, 1)));
    let outcomes = futures_util::future::join_all(racing).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let lost = outcomes.into_iter().filter_map(Result::err);
    assert!(lost.into_iter().all(|error| error == AppendError::Conflict(client(id))));
}

async fn a_command_on_several_streams_is_written_whole_or_not_at_all(store: Store) {
    let log = store.open().await;
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    log.append(register(old)).await.unwrap();
    let mut both = register(new);
    both.streams.extend(disable(old, 7).streams);
    both.claims.push(ClaimChange::Take { name: "a name".to_owned(), stream: client(new) });
    assert_eq!(log.append(both.clone()).await.unwrap_err(), AppendError::Conflict(client(old)));
    assert!(log.load(&[client(new)]).await.unwrap()[0].is_none());
    assert_eq!(number(&log, "SELECT count(*) FROM claim").await, 0);
    both.streams[1].expected = 1;
    assert_eq!(log.append(both).await.unwrap().position, 3);
    let heads = log.load(&[client(new), client(old)]).await.unwrap();
    assert_eq!(heads.into_iter().map(|head| head.unwrap().version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(number(&log, "SELECT count(*) FROM claim").await, 1);
}

async fn a_command_that_nobody_waits_for_is_not_begun(store: Store) {
    let log = store.open().await;
    drop(futures_util::future::poll_immediate(std::pin::pin!(log.append(issue(Uuid::now_v7())))).await);
    assert_eq!(log.append(issue(Uuid::now_v7())).await.unwrap().position, 1);
}

async fn what_a_command_lost_is_told_by_name(store: Store) {
    let log = store.open().await;
    let (one, two, three) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    for id in [one, two, three] {
        log.append(register(id)).await.unwrap();
    }
    let mut guarded = issue(one);
    guarded.guards = vec![guard(one, 1), guard(two, 9), guard(three, 1)];
    let mut streams = command();
    streams.streams = vec![events::<Client>(Uuid::now_v7(), &[], &[registered("new")]), disable(three, 5).streams.remove(0)];
    let (guarded, streams) = join!(log.append(guarded), log.append(streams));
    assert_eq!(guarded.unwrap_err(), AppendError::GuardFailed(client(two)));
    assert_eq!(streams.unwrap_err(), AppendError::Conflict(client(three)));
}
