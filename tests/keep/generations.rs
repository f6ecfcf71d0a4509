//! Generations come and go: built and switched in two steps, rolled back, taken over by a later grantlog, taken back by an earlier one.

use grantlog::{
    log::{
        Log, MigrateError,
        rebuild::{self, GenerationState, OnDifference, Plan, RebuildError, Rebuilt, drop_unused, status},
    },
    state::App,
};
use projections::{Db, on_db};
use support::{
    Kind, TestApp, both_stores,
    traffic::{history, issue_many, refreshed},
};

both_stores! {
    what_is_built_waits_for_its_switch_and_the_one_before_can_be_had_back,
    where_nothing_is_ready_or_retired_nothing_is_switched,
    a_generation_that_is_not_equal_is_taken_back_only_when_the_operator_accepts_it,
    a_verification_leaves_what_is_ready_alone,
    a_read_model_of_an_earlier_form_is_built_anew_when_the_store_is_migrated,
    a_read_model_that_is_new_is_built_from_an_old_log_when_the_store_is_migrated,
    where_two_nodes_migrate_at_once_one_builds_and_both_go_on,
    a_node_gives_way_to_a_later_form_and_takes_its_own_back,
}

fn plan(names: &[&str], differences: OnDifference) -> Plan {
    Plan { names: names.iter().map(|name| (*name).to_owned()).collect(), duty: 100, differences }
}

fn token() -> Plan {
    plan(&["token"], OnDifference::Refuse)
}

async fn built(app: &App) -> Result<Rebuilt, RebuildError> {
    rebuild::build(&app.log, &app.clock, &token(), &mut |_| {}).await
}

async fn switched(app: &App) -> Result<Rebuilt, RebuildError> {
    rebuild::switch(&app.log, &app.clock, &token(), &mut |_| {}).await
}

async fn rolled_back(log: &Log, app: &App, plan: &Plan) -> Result<Rebuilt, RebuildError> {
    rebuild::rollback(log, &app.clock, plan, &mut |_| {}).await
}

async fn verified(app: &App) {
    rebuild::verify(&app.log, &app.clock, &plan(&[], OnDifference::Refuse), &mut |_| {}).await.unwrap();
}

async fn run(db: &Db, sql: &str) {
    on_db!(db, pool => sqlx::raw_sql(sql).execute(pool).await.map(drop)).unwrap();
}

/// The generations of a projection, and their states.
async fn generations(app: &App, name: &str) -> Vec<(i64, GenerationState)> {
    let all = status(&app.log).await.unwrap();
    all.into_iter().filter(|row| row.name == name).map(|row| (row.generation, row.state)).collect()
}

async fn what_is_built_waits_for_its_switch_and_the_one_before_can_be_had_back(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let before = app.app.log.known_head();
    assert_eq!(built(&app.app).await.unwrap().position, before);
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Active), (2, GenerationState::Ready)]);
    issue_many(&app.app, &history.client, 300).await;
    let switch = switched(&app.app).await.unwrap();
    assert_eq!((switch.from, switch.differences.len()), (before, 0));
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Retired), (2, GenerationState::Active)]);
    let family = refreshed(&app, &history.client, &history.family).await;
    issue_many(&app.app, &history.client, 300).await;
    let back = rolled_back(&app.app.log, &app.app, &token()).await.unwrap();
    assert_eq!((back.from, back.differences.len()), (switch.position, 0));
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Active), (2, GenerationState::Retired)]);
    assert!(app.is_active(&history.client, &family.access).await);
    for token in &history.dead {
        assert!(!app.is_active(&history.client, token).await);
    }
    refreshed(&app, &history.client, &family).await;
    verified(&app.app).await;
    rolled_back(&app.app.log, &app.app, &token()).await.unwrap();
    verified(&app.app).await;
    assert_eq!(drop_unused(&app.app.log, &[]).await.unwrap(), 1);
    assert_eq!(generations(&app.app, "token").await, [(2, GenerationState::Active)]);
}

async fn where_nothing_is_ready_or_retired_nothing_is_switched(kind: Kind) {
    let app = TestApp::start(kind).await;
    let outcome = switched(&app.app).await;
    assert!(matches!(outcome, Err(RebuildError::NothingBuilt(GenerationState::Ready))), "{outcome:?}");
    let outcome = rolled_back(&app.app.log, &app.app, &token()).await;
    assert!(matches!(outcome, Err(RebuildError::NothingBuilt(GenerationState::Retired))), "{outcome:?}");
}

async fn a_generation_that_is_not_equal_is_taken_back_only_when_the_operator_accepts_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    built(&app.app).await.unwrap();
    switched(&app.app).await.unwrap();
    run(app.app.log.db(), "UPDATE token_g1 SET scope = 'everything' WHERE kind = 'refresh'").await;
    let refused = rolled_back(&app.app.log, &app.app, &token()).await;
    assert!(matches!(refused, Err(RebuildError::Differs(_))), "{refused:?}");
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Retired), (2, GenerationState::Active)]);
    assert!(app.is_active(&history.client, &history.family.access).await);
    let back = rolled_back(&app.app.log, &app.app, &plan(&["token"], OnDifference::Accept)).await.unwrap();
    assert!(!back.differences.is_empty());
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Active), (2, GenerationState::Retired)]);
}

async fn a_verification_leaves_what_is_ready_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    built(&app.app).await.unwrap();
    verified(&app.app).await;
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Active), (2, GenerationState::Ready)]);
    switched(&app.app).await.unwrap();
    verified(&app.app).await;
}

/// The tokens as an earlier grantlog had them: in another form, without a column that there is today.
async fn make_tokens_earlier(app: &TestApp) {
    let statements = [
        "DROP VIEW token",
        "ALTER TABLE token_g1 DROP COLUMN audience",
        "CREATE VIEW token AS SELECT digest, state FROM token_g1",
        "UPDATE projection SET form = 0 WHERE name = 'token'",
    ];
    for statement in statements {
        run(app.app.log.db(), statement).await;
    }
}

async fn a_read_model_of_an_earlier_form_is_built_anew_when_the_store_is_migrated(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    make_tokens_earlier(&app).await;
    assert!(matches!(Log::open(&app.store.settings).await, Err(MigrateError::NotMigrated)));
    Log::migrate(&app.store.settings).await.unwrap();
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Retired), (2, GenerationState::Active)]);
    assert_eq!(generations(&app.app, "client").await, [(1, GenerationState::Active)]);
    let node = app.another_node().await;
    verified(&node).await;
    assert!(app.is_active(&history.client, &history.family.access).await);
    refreshed(&app, &history.client, &history.family).await;
    issue_many(&node, &history.client, 20).await;
    let back = rolled_back(&node.log, &node, &token()).await;
    assert!(matches!(back, Err(RebuildError::NothingBuilt(_))), "an earlier form is not this program's: {back:?}");
    assert_eq!(drop_unused(&app.app.log, &[]).await.unwrap(), 1);
    verified(&app.app).await;
}

async fn a_read_model_that_is_new_is_built_from_an_old_log_when_the_store_is_migrated(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    for statement in ["DELETE FROM projection WHERE name = 'cutoff'", "DROP VIEW cutoff", "DROP TABLE cutoff_g1"] {
        run(app.app.log.db(), statement).await;
    }
    Log::migrate(&app.store.settings).await.unwrap();
    let node = app.another_node().await;
    for token in &history.dead {
        assert!(!app.is_active(&history.client, token).await);
    }
    app.token_of(&history.client, "read").await;
    verified(&node).await;
}

async fn where_two_nodes_migrate_at_once_one_builds_and_both_go_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    make_tokens_earlier(&app).await;
    let (one, other) = tokio::join!(Log::migrate(&app.store.settings), Log::migrate(&app.store.settings));
    one.and(other).unwrap();
    assert_eq!(generations(&app.app, "token").await, [(1, GenerationState::Retired), (2, GenerationState::Active)]);
    verified(&app.another_node().await).await;
}

async fn a_node_gives_way_to_a_later_form_and_takes_its_own_back(kind: Kind) {
    let app = TestApp::start_in_real_time(kind, |_| {}).await;
    let history = history(&app).await;
    built(&app.app).await.unwrap();
    switched(&app.app).await.unwrap();
    // What a later grantlog leaves: its own form is live, and another read model that this one does not know.
    let later = [
        "UPDATE projection SET form = 99 WHERE name = 'token' AND state = 'active'",
        "INSERT INTO projection (name, generation, state, position, form) VALUES ('lamp', 1, 'active', 0, 1)",
        "UPDATE log_head SET generations = generations + 1",
    ];
    for statement in later {
        run(app.app.log.db(), statement).await;
    }
    let request = [("grant_type", "client_credentials")];
    app.post_as(&history.client, "/o/token/", &request).await.assert_status(503);
    assert_eq!(app.get("/readyz").await.assert_status(503).json()["status"], "not ready");
    assert!(matches!(Log::open(&app.store.settings).await, Err(MigrateError::LaterForm(_))));
    assert!(matches!(Log::migrate(&app.store.settings).await, Err(MigrateError::LaterForm(_))));
    let log = Log::open_in_any_form(&app.store.settings).await.unwrap();
    rolled_back(&log, &app.app, &token()).await.unwrap();
    app.get("/readyz").await.assert_status(200);
    app.post_as(&history.client, "/o/token/", &request).await.assert_status(200);
    verified(&app.app).await;
}
