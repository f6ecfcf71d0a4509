//! A server whose old events move to an archive, by segments and partitions so small that a test's log is many of them.

use grantlog::{
    archive::archive_old,
    config::Settings,
    log::archive::{ArchiveSettings, Archived},
    state::App,
    vault::MasterKey,
};
use projections::on_db;

use crate::{Kind, Store, TestApp};

/// Events of a segment.
pub const SEGMENT: u32 = 250;
/// Positions of a partition on PostgreSQL.
pub const PARTITION: u32 = 1_000;

/// A server whose log is archived, when it is told to, but for the newest events.
pub async fn archived_server(kind: Kind, after_events: u32, change: impl FnOnce(&mut Settings)) -> TestApp {
    let mut store = Store::new(kind).await;
    if kind == Kind::Postgres {
        let log = store.open().await;
        let small = format!(
            "DROP TABLE events_0, events_1;
             CREATE OR REPLACE FUNCTION make_event_partitions(head BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
             BEGIN
                 FOR number IN head / {PARTITION} .. head / {PARTITION} + 1 LOOP
                     EXECUTE format('CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)',
                         number, number * {PARTITION}, (number + 1) * {PARTITION});
                 END LOOP;
                 RETURN (head / {PARTITION} + 1) * {PARTITION};
             END $$;
             SELECT make_event_partitions(0)"
        );
        on_db!(log.db(), pool => sqlx::raw_sql(&small).execute(pool).await.map(drop)).expect("the store answers");
    }
    let folder = store.folder().join("archive");
    store.settings.archive = Some(ArchiveSettings { folder, after_events, after: None, segment_events: SEGMENT, rooted: true });
    TestApp::over(store, MasterKey::generate(), change).await
}

/// Takes all that the log holds into the tree over it.
///
/// # Panics
/// Where the store does not answer.
pub async fn grow_tree(app: &App) {
    app.transparency.signed_with(app.log.known_head()).await.expect("the tree grows");
}

/// Moves all that is old into the archive, once the tree holds it.
///
/// # Panics
/// Where something was in the way.
pub async fn archive_all(app: &App) -> Archived {
    grow_tree(app).await;
    archive_old(&app.log, app.clock.now(), 0, |_, _| {}).await.expect("what is old can be archived")
}
