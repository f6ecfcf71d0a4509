//! The archive beside the tree over the log: the manifest of each segment says the root of the tree that ends with it.

use base64::{Engine, engine::general_purpose::STANDARD};
use grantlog::{
    archive::archive_old,
    log::{
        Log, LogSettings,
        archive::{ArchiveSettings, Manifest},
    },
};
use serde_json::{Value, json};
use support::{
    Kind, TestApp,
    archive::{SEGMENT, archive_all, archived_server, grow_tree},
    both_stores,
    traffic::issue_many,
};

use crate::verifier::{checkpoint, leaves, root_of};

both_stores! {
    a_manifest_says_the_root_of_the_tree_that_ends_with_its_segment,
    nothing_goes_that_the_tree_does_not_hold_yet,
    where_no_tree_is_grown_a_manifest_says_no_root,
}

async fn begun(kind: Kind) -> TestApp {
    let app = archived_server(kind, 0, |_| {}).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 900).await;
    app
}

/// A manifest as it lies in its file.
fn in_file(app: &TestApp, manifest: &Manifest) -> Value {
    let path = app.store.folder().join(format!("archive/{:020}.json", manifest.first));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

async fn a_manifest_says_the_root_of_the_tree_that_ends_with_its_segment(kind: Kind) {
    let app = begun(kind).await;
    let done = archive_all(&app.app).await;
    let leaves = leaves(&app, &checkpoint(&app).await).await;
    assert!(done.segments.len() >= 3);
    for manifest in &done.segments {
        let root = root_of(&leaves[..usize::try_from(manifest.last).unwrap()]);
        let told = in_file(&app, manifest);
        assert_eq!((&told["tree_size"], &told["tree_root"]), (&json!(manifest.last), &json!(STANDARD.encode(root))));
    }
}

async fn nothing_goes_that_the_tree_does_not_hold_yet(kind: Kind) {
    let app = begun(kind).await;
    assert_eq!(archive_old(&app.app.log, app.app.clock.now(), 0, |_, _| {}).await.unwrap().segments, []);
    grow_tree(&app.app).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 600).await;
    let (held, segment) = (app.app.log.sealed().await.unwrap().position, i64::from(SEGMENT));
    let done = archive_old(&app.app.log, app.app.clock.now(), 0, |_, _| {}).await.unwrap();
    assert_eq!(done.segments.last().unwrap().last, held - held % segment);
    assert!(archive_all(&app.app).await.segments.len() >= 2);
}

async fn where_no_tree_is_grown_a_manifest_says_no_root(kind: Kind) {
    let app = begun(kind).await;
    let archive = app.store.settings.archive.clone().map(|archive| ArchiveSettings { rooted: false, ..archive });
    let log = Log::open(&LogSettings { archive, ..app.store.settings.clone() }).await.unwrap();
    let done = archive_old(&log, app.app.clock.now(), 0, |_, _| {}).await.unwrap();
    assert!(done.segments.len() >= 3);
    let told = in_file(&app, &done.segments[0]);
    assert!(told["digest"].is_string() && told.get("tree_size").is_none() && told.get("tree_root").is_none(), "{told}");
}
