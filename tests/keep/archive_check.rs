//! The archive held against the store and the tree over the log: the first segment is named of which a file, a row or a tile is not what it was.

use std::{fs, path::PathBuf};

use grantlog::archive::{Checked, check};
use projections::on_db;
use serde_json::{Value, json};
use support::{
    Kind, TestApp,
    archive::{SEGMENT, archive_all, archived_server},
    both_stores,
    traffic::issue_many,
};

both_stores! {
    an_archive_as_it_was_made_is_found_right,
    a_file_that_is_not_what_it_was_is_named,
    a_manifest_that_says_another_thing_is_named,
    a_manifest_from_before_there_were_roots_is_read,
    positions_that_are_in_no_segment_are_noticed,
    a_tree_that_has_another_root_is_noticed,
}

const SEGMENTS: u64 = 4;

async fn begun(kind: Kind) -> TestApp {
    let app = archived_server(kind, 0, |_| {}).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, usize::try_from(SEGMENT).unwrap() * 4).await;
    assert_eq!(archive_all(&app.app).await.segments.len() as u64, SEGMENTS);
    app
}

async fn checked(app: &TestApp) -> Checked {
    check(&app.app.log, |_, _| {}).await.unwrap()
}

/// A file of the segment that so many are before.
fn file(app: &TestApp, before: u32, ending: &str) -> PathBuf {
    app.store.folder().join(format!("archive/{:020}.{ending}", before * SEGMENT + 1))
}

/// The segment after so many that are right is wrong, and this is said of it.
async fn assert_wrong(app: &TestApp, right: u64, said: &[&str]) {
    let Checked { segments, wrong, .. } = checked(app).await;
    let (segment, error) = wrong.unwrap();
    assert_eq!(segments, right);
    assert!(segment.first > i64::from(SEGMENT) * i64::try_from(right).unwrap());
    let error = error.to_string();
    assert!(said.iter().all(|said| error.contains(said)), "{error}");
}

async fn an_archive_as_it_was_made_is_found_right(kind: Kind) {
    let app = begun(kind).await;
    let Checked { segments, rooted, until, wrong } = checked(&app).await;
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!((segments, rooted, until), (SEGMENTS, SEGMENTS, i64::from(SEGMENT) * 4));
}

async fn a_file_that_is_not_what_it_was_is_named(kind: Kind) {
    let app = begun(kind).await;
    for ending in ["jsonl.zst", "streams", "json"] {
        let (path, other) = (file(&app, 1, ending), fs::read(file(&app, 2, ending)).unwrap());
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        for bytes in [changed, whole[..whole.len() / 2].to_vec(), other] {
            fs::write(&path, bytes).unwrap();
            assert_wrong(&app, 1, &[&path.display().to_string()]).await;
        }
        fs::remove_file(&path).unwrap();
        assert_wrong(&app, 1, &[&path.display().to_string()]).await;
        fs::write(&path, whole).unwrap();
    }
    assert!(checked(&app).await.wrong.is_none());
}

async fn a_manifest_that_says_another_thing_is_named(kind: Kind) {
    let app = begun(kind).await;
    let path = file(&app, 2, "json");
    let whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let before: Value = serde_json::from_slice(&fs::read(file(&app, 1, "json")).unwrap()).unwrap();
    for member in ["first", "last", "events", "digest", "recorded_from", "tree_size", "tree_root"] {
        let mut changed = whole.clone();
        changed[member] = if whole[member].is_string() { before[member].clone() } else { json!(7) };
        fs::write(&path, changed.to_string()).unwrap();
        assert_wrong(&app, 2, &[&path.display().to_string()]).await;
    }
}

async fn a_manifest_from_before_there_were_roots_is_read(kind: Kind) {
    let app = begun(kind).await;
    let path = file(&app, 0, "json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().retain(|name, _| !name.starts_with("tree_"));
    fs::write(&path, manifest.to_string()).unwrap();
    let Checked { segments, rooted, wrong, .. } = checked(&app).await;
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!((segments, rooted), (SEGMENTS, SEGMENTS - 1));
}

async fn positions_that_are_in_no_segment_are_noticed(kind: Kind) {
    let app = begun(kind).await;
    let sql = "DELETE FROM archive_segment WHERE first_position = 251";
    on_db!(app.app.log.db(), pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    assert_wrong(&app, 1, &[&file(&app, 2, "jsonl.zst").display().to_string(), "the events from 251 on"]).await;
}

async fn a_tree_that_has_another_root_is_noticed(kind: Kind) {
    let app = begun(kind).await;
    let mut hashes = app.app.log.tile(0, 1).await.unwrap().unwrap();
    hashes[0] ^= 1;
    let sql = "UPDATE transparency_tile SET hashes = $1 WHERE level = 0 AND number = 1";
    on_db!(app.app.log.db(), pool => sqlx::query(sql).bind(hashes).execute(pool).await.map(drop)).unwrap();
    assert_wrong(&app, 1, &[&file(&app, 1, "json").display().to_string(), "the tree in the store"]).await;
}
