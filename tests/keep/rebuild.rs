//! Live read models are rebuilt beside the live ones, compared and switched, while the server serves.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use domain::Digest;
use grantlog::{
    log::rebuild::{
        self, Difference, Differing, GenerationState, OnDifference, Plan, Progress, RebuildError, all_names, drop_unused, status,
    },
    state::App,
};
use projections::{Db, on_db, token};
use support::{
    Kind, TestApp, both_stores,
    traffic::{grant, history, issue_many, refreshed, sign_in},
};
use tokio::sync::Notify;

both_stores! {
    read_models_are_switched_while_tokens_are_issued_and_none_is_lost,
    look_ups_go_on_through_many_switches,
    a_verification_finds_what_the_log_says_and_leaves_nothing_behind,
    rows_that_differ_are_named_and_nothing_is_switched,
    a_damaged_read_model_is_repaired_when_the_operator_accepts_it,
    rows_that_expired_may_be_missing,
    tokens_that_ended_long_ago_are_not_built_again,
    a_rebuild_that_was_killed_goes_on_where_it_was,
    a_rebuild_of_others_than_were_left_begins_anew,
    two_rebuilds_at_once_are_refused,
    what_was_retired_stays_until_it_is_dropped,
    an_unknown_projection_is_refused_by_name,
}

static ALL: Plan = Plan { names: Vec::new(), duty: 100, differences: OnDifference::Refuse };

async fn rebuilt(app: &App, plan: &Plan) -> Result<rebuild::Rebuilt, RebuildError> {
    rebuild::rebuild(&app.log, &app.clock, plan, &mut |_| {}).await
}

async fn verified(app: &App) -> Result<rebuild::Rebuilt, RebuildError> {
    rebuild::verify(&app.log, &app.clock, &ALL, &mut |_| {}).await
}

async fn run(db: &Db, sql: &str) {
    on_db!(db, pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
}

/// The active generation of each projection.
async fn active(app: &App) -> Vec<i64> {
    let all = status(&app.log).await.unwrap();
    all.iter().filter(|row| row.state == GenerationState::Active).map(|row| row.generation).collect()
}

async fn read_models_are_switched_while_tokens_are_issued_and_none_is_lost(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 2_000).await;
    let node = app.another_node().await;
    let done = AtomicBool::new(false);
    let rebuilding = async {
        let rebuilt = rebuilt(&app.app, &Plan { duty: 50, ..ALL.clone() }).await;
        done.store(true, Ordering::Release);
        rebuilt
    };
    let issuing = async {
        let mut tokens = Vec::new();
        while !done.load(Ordering::Acquire) {
            let first = grant(&app, &history.client, &history.signed_in.session).await;
            tokens.push(refreshed(&app, &history.client, &first).await);
        }
        tokens.push(grant(&app, &history.client, &history.signed_in.session).await);
        tokens
    };
    let on_the_other_node = async {
        while !done.load(Ordering::Acquire) {
            issue_many(&node, &history.client, 20).await;
        }
        issue_many(&node, &history.client, 20).await;
    };
    let (rebuilt, tokens, ()) = tokio::join!(rebuilding, issuing, on_the_other_node);
    assert_eq!(rebuilt.unwrap().differences, []);
    assert_eq!(active(&app.app).await, vec![2; all_names().len()]);
    for token in tokens.iter().chain([&history.family, &history.own]) {
        assert!(app.is_active(&history.client, &token.access).await);
    }
    refreshed(&app, &history.client, &tokens[0]).await;
    for token in &history.dead {
        assert!(!app.is_active(&history.client, token).await);
    }
    // What was written around the switch is as the log says, row for row.
    verified(&app.app).await.unwrap();
}

async fn look_ups_go_on_through_many_switches(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let done = AtomicBool::new(false);
    let asking = |token: &'static str| {
        let (app, history, done) = (&app, &history, &done);
        async move {
            let token = if token == "own" { &history.own } else { &history.family };
            let mut asked = 0;
            while !done.load(Ordering::Acquire) {
                assert!(app.is_active(&history.client, &token.access).await);
                asked += 1;
            }
            asked
        }
    };
    let switching = async {
        for _ in 0..5 {
            rebuilt(&app.app, &ALL).await.unwrap();
            drop_unused(&app.app.log, &[]).await.unwrap();
        }
        done.store(true, Ordering::Release);
    };
    let (own, family, ()) = tokio::join!(asking("own"), asking("family"), switching);
    assert!(own > 0 && family > 0);
    assert_eq!(active(&app.app).await, vec![6; all_names().len()]);
}

async fn a_verification_finds_what_the_log_says_and_leaves_nothing_behind(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let before = status(&app.app.log).await.unwrap();
    let verified = verified(&app.app).await.unwrap();
    assert_eq!(verified.projections.iter().map(|projection| projection.name).collect::<Vec<_>>(), all_names());
    assert!(verified.projections.iter().all(|projection| projection.rows > 0), "{verified:?}");
    assert_eq!(status(&app.app.log).await.unwrap(), before);
    if kind == Kind::Sqlite {
        let left = std::fs::read_dir(app.store.folder()).unwrap().map(|file| file.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("rebuild")));
    }
}

/// Damages three rows of the tokens, each in another way.
async fn damage(app: &TestApp, tokens: [&str; 2]) -> [String; 3] {
    let [changed, lost] = tokens.map(|token| Digest::of(token.as_bytes()).as_str().to_owned());
    let db = app.app.log.db();
    run(db, &format!("UPDATE token_g1 SET state = 'used', scope = 'x' WHERE digest = '{changed}'")).await;
    run(db, &format!("DELETE FROM token_g1 WHERE digest = '{lost}'")).await;
    let columns = token::TABLE.columns.iter().map(|column| column.name).filter(|name| *name != "digest");
    let columns = columns.collect::<Vec<_>>().join(", ");
    let copied = format!("INSERT INTO token_g1 (digest, {columns}) SELECT 'invented', {columns} FROM token_g1");
    run(db, &format!("{copied} WHERE digest = '{changed}'")).await;
    [changed, lost, "invented".to_owned()]
}

async fn rows_that_differ_are_named_and_nothing_is_switched(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let [changed, lost, invented] = damage(&app, [&history.family.access, &history.own.access]).await;
    for outcome in [verified(&app.app).await, rebuilt(&app.app, &ALL).await] {
        let Err(RebuildError::Differs(mut differences)) = outcome else { panic!("{outcome:?}") };
        differences.sort_by(|one, other| one.key.cmp(&other.key));
        let mut expected = [
            (changed.clone(), Differing::Columns(vec!["state".to_owned(), "scope".to_owned()])),
            (lost.clone(), Differing::OnlyRebuilt),
            (invented.clone(), Differing::OnlyLive),
        ]
        .map(|(key, what)| Difference { projection: "token", key, what });
        expected.sort_by(|one, other| one.key.cmp(&other.key));
        assert_eq!(differences, expected);
        assert_eq!(status(&app.app.log).await.unwrap().len(), all_names().len());
        assert_eq!(active(&app.app).await, vec![1; all_names().len()]);
    }
}

async fn a_damaged_read_model_is_repaired_when_the_operator_accepts_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    damage(&app, [&history.family.access, &history.own.access]).await;
    assert!(!app.is_active(&history.client, &history.family.access).await);
    let plan = Plan { names: vec!["token".to_owned()], differences: OnDifference::Accept, ..ALL.clone() };
    let rebuilt = rebuilt(&app.app, &plan).await.unwrap();
    assert_eq!(rebuilt.differences.len(), 3);
    assert_eq!(active(&app.app).await.iter().sum::<i64>(), i64::try_from(all_names().len() + 1).unwrap());
    assert!(app.is_active(&history.client, &history.family.access).await);
    assert!(app.is_active(&history.client, &history.own.access).await);
    verified(&app.app).await.unwrap();
}

async fn rows_that_expired_may_be_missing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let digest = Digest::of(history.own.access.as_bytes());
    app.app.clock.advance(2 * 3600);
    run(app.app.log.db(), &format!("DELETE FROM token_g1 WHERE digest = '{}'", digest.as_str())).await;
    verified(&app.app).await.unwrap();
    app.app.clock.advance(-2 * 3600);
    assert!(matches!(verified(&app.app).await, Err(RebuildError::Differs(differences)) if differences.len() == 1));
}

async fn tokens_that_ended_long_ago_are_not_built_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    app.app.clock.advance(3 * 86_400);
    let tokens = |rebuilt: rebuild::Rebuilt| rebuilt.projections.iter().find(|built| built.name == "token").unwrap().rows;
    let refresh_tokens = tokens(rebuilt(&app.app, &ALL).await.unwrap());
    let own = app.token_of(&history.client, "read").await;
    assert_eq!(tokens(verified(&app.app).await.unwrap()), refresh_tokens + 1);
    assert!(app.is_active(&history.client, &own.access).await);
    refreshed(&app, &history.client, &history.family).await;
}

/// Starts a rebuild and drops it once it has come past a position, as a killed process would.
async fn killed_after(app: &App, plan: &Plan, position: i64) {
    let reached = Notify::new();
    let mut progress = |progress: Progress| {
        if progress.position > position {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => {}
        outcome = rebuild::rebuild(&app.log, &app.clock, plan, &mut progress) => panic!("{outcome:?}"),
    }
}

async fn a_rebuild_that_was_killed_goes_on_where_it_was(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 3_000).await;
    killed_after(&app.app, &Plan { duty: 50, ..ALL.clone() }, 1_000).await;
    let left = status(&app.app.log).await.unwrap();
    let left: Vec<i64> = left.iter().filter(|row| row.state == GenerationState::Building).map(|row| row.position).collect();
    assert_eq!(left, vec![left[0]; all_names().len()]);
    assert!(left[0] > 1_000);
    let first = AtomicI64::new(i64::MAX);
    let mut progress = |progress: Progress| {
        first.fetch_min(progress.position, Ordering::AcqRel);
    };
    rebuild::rebuild(&app.app.log, &app.app.clock, &ALL, &mut progress).await.unwrap();
    assert!(first.load(Ordering::Acquire) > left[0]);
    assert_eq!(active(&app.app).await, vec![2; all_names().len()]);
    verified(&app.app).await.unwrap();
}

async fn a_rebuild_of_others_than_were_left_begins_anew(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 2_000).await;
    killed_after(&app.app, &Plan { duty: 50, ..ALL.clone() }, 500).await;
    let rebuilt = rebuilt(&app.app, &Plan { names: vec!["client".to_owned()], ..ALL.clone() }).await.unwrap();
    assert_eq!(rebuilt.projections.len(), 1);
    assert!(status(&app.app.log).await.unwrap().iter().all(|row| row.state != GenerationState::Building));
    verified(&app.app).await.unwrap();
}

async fn two_rebuilds_at_once_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 1_500).await;
    let begun = Notify::new();
    let mut progress = |_: Progress| begun.notify_one();
    let mut first = std::pin::pin!(rebuild::rebuild(&app.app.log, &app.app.clock, &ALL, &mut progress));
    tokio::select! {
        biased;
        () = begun.notified() => {}
        outcome = &mut first => panic!("{outcome:?}"),
    }
    assert!(matches!(verified(&app.app).await, Err(RebuildError::UnderWay)));
    let node = app.another_node().await;
    assert!(matches!(rebuilt(&node, &ALL).await, Err(RebuildError::UnderWay)));
    assert!(matches!(drop_unused(&node.log, &[]).await, Err(RebuildError::UnderWay)));
    first.await.unwrap();
    verified(&node).await.unwrap();
}

async fn what_was_retired_stays_until_it_is_dropped(kind: Kind) {
    let app = TestApp::start(kind).await;
    let user = sign_in(&app.app, support::USER).await.session.user_id;
    rebuilt(&app.app, &Plan { names: vec!["account".to_owned()], ..ALL.clone() }).await.unwrap();
    let accounts = || async {
        let all = status(&app.app.log).await.unwrap();
        all.into_iter().filter(|row| row.name == "account").map(|row| (row.generation, row.state, row.rows)).collect::<Vec<_>>()
    };
    assert_eq!(accounts().await, [(1, GenerationState::Retired, 2), (2, GenerationState::Active, 2)]);
    assert_eq!(drop_unused(&app.app.log, &["client".to_owned()]).await.unwrap(), 0);
    assert_eq!(drop_unused(&app.app.log, &[]).await.unwrap(), 1);
    assert_eq!(accounts().await, [(2, GenerationState::Active, 2)]);
    assert_eq!(app.app.dispatch.user_named(support::USER).await.unwrap(), Some(user));
}

async fn an_unknown_projection_is_refused_by_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let error = rebuilt(&app.app, &Plan { names: vec!["tokens".to_owned()], ..ALL.clone() }).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no projection tokens; there are client, account"), "{error}");
}
