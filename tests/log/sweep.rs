//! What has ended goes, an hour after its end; what may still act stays.

use domain::{
    ClientId, Decide, Digest, Timestamp,
    device_authorization::{DeviceAuthorization, DeviceAuthorizationEvent, DeviceRequest},
    grant::{Grant, GrantEvent, RevocationReason},
};
use grantlog::{
    ephemeral::USER_CODE,
    log::{AppendError, EphemeralChange, Log, TurnOf},
    sweep::pass,
};
use uuid::Uuid;

use crate::{
    commands::{AT, events, family, issue, rotated, with},
    over_both_stores,
    store::{Kind, Store, number},
};

over_both_stores! {
    a_familys_rows_go_as_they_end_and_its_stream_with_the_last_of_them,
    a_code_that_nobody_redeemed_takes_its_stream_with_it,
    a_revoked_grant_stays_known_until_the_last_of_its_tokens_would_have_ended,
    more_than_a_batch_goes_in_one_pass,
    a_stream_that_was_swept_is_not_written_to_again,
    the_log_keeps_what_was_swept,
    a_device_that_nobody_let_in_takes_its_code_and_its_stream_with_it,
}

/// So long after its end a row is kept.
const KEPT: i64 = 3_600;

async fn sweep_after(log: &Log, end: i64) {
    pass(log, Timestamp::from_unix(end + KEPT + 1)).await.unwrap();
}

/// Tokens, grants' rows, and heads that are left.
async fn left(log: &Log) -> (i64, i64, i64) {
    let tokens = number(log, "SELECT count(*) FROM token").await;
    let grants = number(log, "SELECT count(*) FROM authorization_grant").await;
    (tokens, grants, number(log, "SELECT count(*) FROM stream_head").await)
}

async fn a_familys_rows_go_as_they_end_and_its_stream_with_the_last_of_them(store: Store) {
    let log = store.open().await;
    log.append(with(events::<Grant>(Uuid::now_v7(), &[], &family(1)))).await.unwrap();
    // A code, two access tokens, two refresh tokens.
    sweep_after(&log, 1_059).await;
    assert_eq!(left(&log).await, (5, 1, 1));
    sweep_after(&log, 1_060).await;
    assert_eq!(left(&log).await, (4, 1, 1));
    sweep_after(&log, 4_000).await;
    assert_eq!(left(&log).await, (2, 1, 1));
    sweep_after(&log, 9_000).await;
    assert_eq!(left(&log).await, (0, 1, 0));
    sweep_after(&log, 10_000).await;
    assert_eq!(left(&log).await, (0, 0, 0));
}

async fn a_code_that_nobody_redeemed_takes_its_stream_with_it(store: Store) {
    let log = store.open().await;
    log.append(with(events::<Grant>(Uuid::now_v7(), &[], &family(0)[..1]))).await.unwrap();
    sweep_after(&log, 1_060).await;
    assert_eq!(left(&log).await, (0, 1, 0));
}

async fn a_revoked_grant_stays_known_until_the_last_of_its_tokens_would_have_ended(store: Store) {
    let log = store.open().await;
    let (id, family) = (Uuid::now_v7(), family(0));
    let ends_at = Timestamp::from_unix(10_000);
    let revoked = GrantEvent::Revoked { reason: RevocationReason::RevokedByClient, ends_at, at: AT };
    log.append(with(events::<Grant>(id, &[], &family))).await.unwrap();
    log.append(with(events::<Grant>(id, &family, &[revoked]))).await.unwrap();
    sweep_after(&log, 4_000).await;
    assert_eq!(left(&log).await, (1, 1, 1));
    sweep_after(&log, 9_000).await;
    assert_eq!(left(&log).await, (0, 1, 0));
    assert_eq!(number(&log, "SELECT count(*) FROM cutoff").await, 1);
    sweep_after(&log, 10_000).await;
    assert_eq!(number(&log, "SELECT count(*) FROM cutoff").await, 0);
}

async fn more_than_a_batch_goes_in_one_pass(store: Store) {
    let log = store.open().await;
    let issuing = (0..1_200).map(|_| log.append(issue(Uuid::now_v7())));
    assert!(futures_util::future::join_all(issuing).await.iter().all(Result::is_ok));
    log.append(with(events::<Grant>(Uuid::now_v7(), &[], &family(0)))).await.unwrap();
    sweep_after(&log, 4_000).await;
    assert_eq!(left(&log).await, (1, 1, 1));
}

async fn a_stream_that_was_swept_is_not_written_to_again(store: Store) {
    let log = store.open().await;
    let (id, family) = (Uuid::now_v7(), family(0));
    log.append(with(events::<Grant>(id, &[], &family))).await.unwrap();
    sweep_after(&log, 9_000).await;
    assert!(log.load(&[Grant::stream(id)]).await.unwrap()[0].is_none());
    let late = with(events::<Grant>(id, &family, &[rotated(1)]));
    assert_eq!(log.append(late).await, Err(AppendError::Conflict(Grant::stream(id))));
}

async fn the_log_keeps_what_was_swept(store: Store) {
    let log = store.open().await;
    let (id, family) = (Uuid::now_v7(), family(2));
    log.append(with(events::<Grant>(id, &[], &family))).await.unwrap();
    sweep_after(&log, 10_000).await;
    assert_eq!(log.read_stream::<Grant>(id).await.unwrap(), family);
    assert_eq!(log.read(0, 100).await.unwrap().len(), family.len());
}

async fn a_device_that_nobody_let_in_takes_its_code_and_its_stream_with_it(store: Store) {
    let log = store.open().await;
    let request = DeviceRequest {
        client_id: ClientId::new(Uuid::from_u128(1)),
        scope: "read".parse().unwrap(),
        resources: Vec::new(),
        device_code: Digest::of(b"device code"),
        expires_at: Timestamp::from_unix(1_600),
        at: AT,
    };
    for number in 0..3 {
        let (id, expires_at) = (Uuid::now_v7(), Timestamp::from_unix(1_600 + number));
        let requested = DeviceAuthorizationEvent::Requested(Box::new(DeviceRequest { expires_at, ..request.clone() }));
        let mut append = with(events::<DeviceAuthorization>(id, &[], &[requested]));
        let (key, value) = (format!("code {number}"), id.to_string());
        append.ephemeral.push(EphemeralChange::Put { kind: USER_CODE, key, value, expires_at });
        log.append(append).await.unwrap();
    }
    let left =
        async || (number(&log, "SELECT count(*) FROM ephemeral").await, number(&log, "SELECT count(*) FROM stream_head").await);
    sweep_after(&log, 1_599).await;
    assert_eq!(left().await, (3, 3));
    sweep_after(&log, 1_601).await;
    assert_eq!(left().await, (1, 1));
    sweep_after(&log, 1_602).await;
    assert_eq!(left().await, (0, 0));
    assert_eq!(log.read(0, 100).await.unwrap().len(), 3, "the log keeps what was swept");
}

#[tokio::test]
async fn of_several_nodes_one_sweeps() {
    let store = Store::new(Kind::Postgres).await;
    let (log, other) = (store.open().await, store.open().await);
    let turn = log.turn(TurnOf::Sweep).await.unwrap();
    assert!(other.turn(TurnOf::Sweep).await.unwrap().is_none());
    turn.unwrap().give_back().await.unwrap();
    assert!(other.turn(TurnOf::Sweep).await.unwrap().is_some());
}
