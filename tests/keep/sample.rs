//! Streams that are picked by chance are folded anew: what does not stand as the log says is named.

use domain::Digest;
use grantlog::{
    log::{
        rebuild::{Difference, Differing},
        sample::{Differs, HeadDiffers, Sampled},
    },
    sweep,
};
use projections::on_db;
use support::{
    Kind, TestApp, both_stores,
    traffic::{History, history, issue_many},
};

both_stores! {
    a_store_that_is_as_the_log_says_has_no_differences,
    a_row_and_a_state_that_were_changed_are_named,
    what_was_swept_is_no_difference,
}

/// So many that every stream of a test's store is among them.
const ALL: u32 = 1_000;

async fn sampled(app: &TestApp) -> Sampled {
    app.app.log.sample(ALL, app.app.clock.now()).await.unwrap()
}

async fn begun(kind: Kind) -> (TestApp, History) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    (app, history)
}

async fn a_store_that_is_as_the_log_says_has_no_differences(kind: Kind) {
    let (app, history) = begun(kind).await;
    let (sampled, ()) = tokio::join!(sampled(&app), issue_many(&app.app, &history.client, 200));
    assert_eq!(sampled, Sampled { streams: u64::from(ALL), differences: Vec::new() });
}

async fn a_row_and_a_state_that_were_changed_are_named(kind: Kind) {
    let (app, history) = begun(kind).await;
    let digest = Digest::of(history.own.access.as_bytes()).as_str().to_owned();
    let (client, user) = (history.client.id, app.user);
    let statements = [
        format!("UPDATE token_g1 SET state = 'revoked', expires_at = expires_at + 1 WHERE digest = '{digest}'"),
        format!("UPDATE stream_head SET version = version + 1 WHERE aggregate_id = '{client}'"),
        format!("DELETE FROM stream_head WHERE aggregate_id = '{user}'"),
        "UPDATE stream_head SET state = '{}' WHERE aggregate_type = 'catalogue'".to_owned(),
    ];
    for statement in &statements {
        on_db!(app.app.log.db(), pool => sqlx::query(statement).execute(pool).await.map(drop)).unwrap();
    }
    let found = sampled(&app).await.differences;
    let columns = Differing::Columns(vec!["state".to_owned(), "expires_at".to_owned()]);
    assert!(found.contains(&Differs::Row(Difference { projection: "token", key: digest, what: columns })), "{found:?}");
    let counted = |one: &Differs| match one {
        Differs::Head { stream, what: HeadDiffers::Version { head, log } } => {
            *stream == format!("client-{client}") && *head == log + 1
        }
        Differs::Row(_) | Differs::Head { .. } => false,
    };
    assert!(found.iter().any(counted));
    assert!(found.contains(&Differs::Head { stream: format!("user-{user}"), what: HeadDiffers::Missing }));
    let catalogue =
        |one: &Differs| matches!(one, Differs::Head { stream, what: HeadDiffers::State } if stream.starts_with("catalogue-"));
    assert!(found.iter().any(catalogue));
}

async fn what_was_swept_is_no_difference(kind: Kind) {
    let (app, _) = begun(kind).await;
    app.app.clock.advance(400 * 86_400);
    sweep::pass(&app.app.log, app.app.clock.now()).await.unwrap();
    assert_eq!(sampled(&app).await.differences, []);
}
