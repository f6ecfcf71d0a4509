//! Streams: the kept state is what the events make, the stored bytes are the same everywhere, and a long stream costs no more.

use domain::{Decide, aggregate::fold, grant::Grant};
use grantlog::log::{Log, StoredEvent};
use uuid::Uuid;

use crate::{
    commands::{events, family, issue, rotated, with},
    over_both_stores,
    store::{Kind, Store, number, rounds},
};

over_both_stores! {
    a_streams_kept_state_is_the_fold_of_its_events,
    heads_come_back_in_the_order_asked,
    a_late_rotation_reads_and_keeps_no_more_than_an_early_one,
}

async fn state_of(log: &Log, id: Uuid) -> Grant {
    serde_json::from_str(&log.load(&[Grant::stream(id)]).await.unwrap()[0].as_ref().unwrap().state).unwrap()
}

async fn a_streams_kept_state_is_the_fold_of_its_events(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    let family = family(3);
    for count in 0..family.len() {
        log.append(with(events::<Grant>(id, &family[..count], &family[count..=count]))).await.unwrap();
        assert_eq!(state_of(&log, id).await, fold::<Grant>(log.read_stream::<Grant>(id).await.unwrap()));
    }
    assert_eq!(log.read_stream::<Grant>(id).await.unwrap(), family);
    assert!(log.read_stream::<Grant>(Uuid::now_v7()).await.unwrap().is_empty());
}

async fn heads_come_back_in_the_order_asked(store: Store) {
    let log = store.open().await;
    let ids: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    for (length, id) in ids.iter().enumerate().skip(1) {
        log.append(with(events::<Grant>(*id, &[], &family(4)[..length.min(5)]))).await.unwrap();
    }
    let asked: Vec<_> = ids.iter().rev().map(|id| Grant::stream(*id)).collect();
    let heads = log.load(&asked).await.unwrap();
    assert!(heads[19].is_none());
    assert!(heads[..19].iter().rev().enumerate().all(|(n, head)| head.as_ref().unwrap().version == (n as i64 + 1).min(5)));
}

/// What is read is counted by PostgreSQL, not timed: the log itself must not be read at all.
async fn a_late_rotation_reads_and_keeps_no_more_than_an_early_one(store: Store) {
    let log = store.open().await;
    let id = Uuid::now_v7();
    let mut stream = events::<Grant>(id, &[], &family(10));
    log.append(with(stream.clone())).await.unwrap();
    let early = log.load(&[Grant::stream(id)]).await.unwrap().remove(0).unwrap();
    let last = u32::try_from(rounds(300, 10_000)).unwrap();
    for generation in 11..=last {
        let mut state: Grant = serde_json::from_str(&stream.state).unwrap();
        cqrs_es::Aggregate::apply(&mut state, rotated(generation));
        let next = events::<Grant>(id, &[], &[rotated(generation)]);
        stream.expected = i64::from(generation) + 2;
        stream.events = next.events;
        stream.state = serde_json::to_string(&state).unwrap();
        log.append(with(stream.clone())).await.unwrap();
    }
    let late = log.load(&[Grant::stream(id)]).await.unwrap().remove(0).unwrap();
    assert_eq!(late.version, i64::from(last) + 3);
    assert!(late.state.len() <= early.state.len() + 8, "{} bytes became {}", early.state.len(), late.state.len());
    if store.kind == Kind::Postgres {
        let reads = "SELECT COALESCE(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_user_tables \
             WHERE relname LIKE 'events%'";
        assert_eq!(number(&log, reads).await, 0);
    }
}

#[tokio::test]
async fn both_stores_hold_the_same_bytes() {
    let stores = [Store::new(Kind::Sqlite).await, Store::new(Kind::Postgres).await];
    let id = Uuid::now_v7();
    let mut odd = family(2);
    if let domain::grant::GrantEvent::Approved(approved) = &mut odd[0] {
        approved.nonce = Some("\"\\ \u{1f511} \u{7f} {} 日本語\n".to_owned());
    }
    let commands = [with(events::<Grant>(id, &[], &odd)), issue(Uuid::now_v7())];
    let mut held: Vec<Vec<StoredEvent>> = Vec::new();
    for store in &stores {
        let log = store.open().await;
        for command in &commands {
            log.append(command.clone()).await.unwrap();
        }
        let mut stored = log.read(0, 100).await.unwrap();
        stored.iter_mut().for_each(|event| event.recorded_at = 0);
        held.push(stored);
    }
    assert_eq!(held[0], held[1]);
    let written = commands.iter().flat_map(|command| &command.streams).flat_map(|stream| &stream.events);
    let written: Vec<&str> = written.map(|event| event.payload.as_str()).collect();
    assert_eq!(held[0].iter().map(|event| event.payload.as_str()).collect::<Vec<_>>(), written);
}
