//! Most of the log is archived, and every reader finds it as if it stood in the table.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use grantlog::{
    archive::archive_old,
    audit::{Bounds, RecordsDigest, Replay},
    log::{
        Log, LogSettings, StoredEvent, Unavailable,
        archive::{ArchiveError, ArchiveSettings, SegmentError},
        backup::export,
        rebuild::{self, OnDifference, Plan},
    },
    sweep,
};
use projections::on_db;
use support::{
    Kind, Store, TestApp,
    archive::{PARTITION, archive_all, archived_server, grow_tree},
    both_stores,
    traffic::{History, all_events, history, issue_many, refreshed},
};
use uuid::Uuid;

use crate::backup::{backed_up, restored};

both_stores! {
    readers_find_what_is_archived,
    read_models_are_built_and_streams_are_folded_from_the_archive,
    a_backup_and_a_stream_hold_what_is_archived,
    tokens_go_on_while_events_are_archived_and_no_reader_misses_one,
    nothing_goes_that_what_follows_the_log_has_not_passed,
    a_file_that_was_changed_is_noticed,
    files_of_one_who_was_killed_are_written_anew,
    a_node_that_is_not_told_the_folder_says_so,
    the_server_archives_by_itself,
    events_stay_for_as_long_as_the_settings_say_and_their_number_too,
}

const EVENTS: usize = 2_300;

/// A server with a log that goes through every kind of event at its beginning and at its end.
async fn begun(kind: Kind) -> (TestApp, History) {
    let app = archived_server(kind, 0, |_| {}).await;
    let first = history(&app).await;
    issue_many(&app.app, &first.client, EVENTS).await;
    history(&app).await;
    (app, first)
}

/// Archives all that fills segments, and gives how many events are left in the table.
async fn archived(app: &TestApp) -> i64 {
    let done = archive_all(&app.app).await;
    assert!(done.segments.len() > 8 && done.dropped > 0, "{done:?}");
    let sql = "SELECT count(*) FROM events";
    let left = on_db!(app.app.log.db(), pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap();
    assert!(left < i64::from(PARTITION) && left < app.app.log.known_head() / 2, "{left} are left in the table");
    left
}

async fn of_stream(log: &Log, event: &StoredEvent) -> Vec<StoredEvent> {
    let id = Uuid::try_parse(&event.aggregate_id).unwrap();
    log.history(&[&event.aggregate_type], id, 0, 100_000).await.unwrap()
}

async fn replayed(app: &TestApp) -> String {
    let mut replayed = Replay::read(&app.app.log, app.app.log.known_head(), Bounds::default(), &mut |_| {}).await.unwrap();
    let mut digest = RecordsDigest::default();
    while let Some(records) = replayed.next_grants().unwrap() {
        records.iter().for_each(|record| digest.add(record));
    }
    digest.finish()
}

async fn digest(log: &Log) -> String {
    export(log, (Vec::new(), false), None, &mut |_| {}).await.unwrap().1.digest
}

async fn readers_find_what_is_archived(kind: Kind) {
    let (app, first) = begun(kind).await;
    let log = &app.app.log;
    let (events, replay) = (all_events(log).await, replayed(&app).await);
    archived(&app).await;
    assert_eq!(all_events(log).await, events);
    assert_eq!(replayed(&app).await, replay);
    for event in events.iter().step_by(97).chain(&events[..40]) {
        let same =
            |other: &&StoredEvent| (&other.aggregate_type, &other.aggregate_id) == (&event.aggregate_type, &event.aggregate_id);
        assert_eq!(of_stream(log, event).await, events.iter().filter(same).cloned().collect::<Vec<_>>());
        let first_after = log.read(event.position - 1, 3).await.unwrap();
        assert_eq!(first_after[0], *event);
    }
    let types: BTreeSet<_> = events.iter().map(|event| event.event_type.clone()).collect();
    for wanted in types {
        let of_type: Vec<_> = events.iter().filter(|event| event.event_type == wanted).take(500).cloned().collect();
        assert_eq!(log.read_types(&[wanted], 0, i64::MAX, 500).await.unwrap(), of_type);
    }
    let last = log.known_head();
    let found = log.read_at(&[1, 700, last]).await.unwrap();
    assert_eq!(found.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 700, last]);
    refreshed(&app, &first.client, &first.family).await;
}

async fn read_models_are_built_and_streams_are_folded_from_the_archive(kind: Kind) {
    let (app, _) = begun(kind).await;
    archived(&app).await;
    assert_eq!(app.app.log.sample(400, app.app.clock.now()).await.unwrap().differences, []);
    let plan = Plan { names: Vec::new(), duty: 100, differences: OnDifference::Refuse };
    let rebuilt = rebuild::rebuild(&app.app.log, &app.app.clock, &plan, &mut |_| {}).await.unwrap();
    assert!(rebuilt.differences.is_empty() && rebuilt.projections.iter().all(|one| one.rows > 0));
}

async fn a_backup_and_a_stream_hold_what_is_archived(kind: Kind) {
    let (app, _) = begun(kind).await;
    let (before, events) = (digest(&app.app.log).await, all_events(&app.app.log).await);
    archived(&app).await;
    assert_eq!(digest(&app.app.log).await, before);
    let (path, backup) = backed_up(&app).await;
    assert_eq!(backup.digest, before);
    let into = Store::new(kind).await;
    restored(&into, &path, &app.master_key()).await.unwrap();
    assert_eq!(all_events(&into.open().await).await[..events.len()], events);
}

async fn tokens_go_on_while_events_are_archived_and_no_reader_misses_one(kind: Kind) {
    let (app, first) = begun(kind).await;
    let (node, done) = (app.another_node().await, AtomicBool::new(false));
    let issuing = async {
        while !done.load(Ordering::Acquire) {
            issue_many(&app.app, &first.client, 50).await;
        }
    };
    let reading = async {
        let mut rounds = 0;
        while rounds < 2 || !done.load(Ordering::Acquire) {
            let events = all_events(&node.log).await;
            assert!((1..).zip(&events).all(|(position, event)| event.position == position));
            rounds += 1;
        }
    };
    let archiving = async {
        let archived = archive_all(&app.app).await;
        done.store(true, Ordering::Release);
        archived
    };
    let ((), (), archived) = tokio::join!(issuing, reading, archiving);
    assert!(archived.segments.len() > 8 && archived.dropped > 0);
    assert!(app.is_active(&first.client, &first.family.access).await);
}

async fn nothing_goes_that_what_follows_the_log_has_not_passed(kind: Kind) {
    let (app, _) = begun(kind).await;
    let sql = "INSERT INTO checkpoint (follower, position) VALUES ('slow', 600)";
    on_db!(app.app.log.db(), pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    grow_tree(&app.app).await;
    let plan = app.app.log.archive_plan(app.app.clock.now()).await.unwrap();
    assert_eq!((plan.archived, plan.until, plan.segments), (0, 500, 2));
    let done = archive_all(&app.app).await;
    assert_eq!(done.segments.iter().map(|one| (one.first, one.last)).collect::<Vec<_>>(), [(1, 250), (251, 500)]);
    assert_eq!(app.app.log.archive_plan(app.app.clock.now()).await.unwrap().segments, 0);
}

async fn a_file_that_was_changed_is_noticed(kind: Kind) {
    let (app, _) = begun(kind).await;
    archived(&app).await;
    let segment = app.store.folder().join("archive/00000000000000000001.jsonl.zst");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let node = app.another_node().await;
    assert_eq!(node.log.read(0, 10).await, Err(Unavailable));
    assert_eq!(node.log.read(250, 10).await.unwrap()[0].position, 251);
}

async fn files_of_one_who_was_killed_are_written_anew(kind: Kind) {
    let (app, _) = begun(kind).await;
    let (events, folder) = (all_events(&app.app.log).await, app.store.folder().join("archive"));
    std::fs::create_dir(&folder).unwrap();
    for ending in ["jsonl.zst", "streams", "json"] {
        std::fs::write(folder.join(format!("{:020}.{ending}", 1)), "cut sho").unwrap();
    }
    std::fs::write(folder.join(format!("{:020}.jsonl.zst.partial", 251)), "cut").unwrap();
    archived(&app).await;
    assert_eq!(all_events(&app.app.log).await, events);
}

async fn a_node_that_is_not_told_the_folder_says_so(kind: Kind) {
    let (app, _) = begun(kind).await;
    archived(&app).await;
    let log = Log::open(&LogSettings { archive: None, ..app.store.settings.clone() }).await.unwrap();
    assert_eq!(log.read(0, 10).await, Err(Unavailable));
    assert!(!log.read(log.known_head() - 3, 10).await.unwrap().is_empty());
    assert!(matches!(archive_old(&log, app.app.clock.now(), 0, |_, _| {}).await, Err(ArchiveError::NoFolder)));
    let moved = app.store.folder().join("elsewhere");
    std::fs::rename(app.store.folder().join("archive"), moved).unwrap();
    let node = app.another_node().await;
    assert_eq!(node.log.read(0, 10).await, Err(Unavailable));
    let outcome = archive_old(&node.log, app.app.clock.now(), 0, |_, _| {}).await;
    assert!(!matches!(outcome, Err(ArchiveError::Segment(SegmentError::Damaged { .. }))), "{outcome:?}");
}

async fn the_server_archives_by_itself(kind: Kind) {
    let (app, _) = begun(kind).await;
    let events = all_events(&app.app.log).await;
    grow_tree(&app.app).await;
    sweep::pass(&app.app.log, app.app.clock.now()).await.unwrap();
    assert!(app.app.log.segments().await.unwrap().len() > 8);
    assert_eq!(all_events(&app.app.log).await, events);
}

async fn events_stay_for_as_long_as_the_settings_say_and_their_number_too(kind: Kind) {
    const KEPT: u32 = 30 * 86_400;
    let (app, _) = begun(kind).await;
    let month_ago = "UPDATE events SET recorded_at = recorded_at - 2592000000000 WHERE position <= 1100";
    on_db!(app.app.log.db(), pool => sqlx::query(month_ago).execute(pool).await.map(drop)).unwrap();
    grow_tree(&app.app).await;
    let archive = app.store.settings.archive.clone().map(|archive| ArchiveSettings { after: Some(KEPT), ..archive });
    let log = Log::open(&LogSettings { archive, ..app.store.settings.clone() }).await.unwrap();
    // A day before the first are old enough, and a day after; then the same of the others.
    let (clock, head) = (&app.app.clock, log.known_head());
    clock.advance(-86_400);
    assert_eq!(log.archive_plan(clock.now()).await.unwrap().segments, 0);
    clock.advance(2 * 86_400);
    assert_eq!(log.archive_plan(clock.now()).await.unwrap().until, 1_000);
    assert_eq!(archive_old(&log, clock.now(), 0, |_, _| {}).await.unwrap().segments.len(), 4);
    clock.advance(28 * 86_400);
    assert_eq!(log.archive_plan(clock.now()).await.unwrap().segments, 0);
    clock.advance(2 * 86_400);
    assert_eq!(log.archive_plan(clock.now()).await.unwrap().until, head - head % 250);

    let archive =
        app.store.settings.archive.clone().map(|archive| ArchiveSettings { after_events: 800, after: Some(KEPT), ..archive });
    let log = Log::open(&LogSettings { archive, ..app.store.settings.clone() }).await.unwrap();
    let plan = log.archive_plan(clock.now()).await.unwrap();
    assert_eq!(plan.until, (head - 800) - (head - 800) % 250);
}
