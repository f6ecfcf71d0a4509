//! What has ended is swept: a swept grant's code and tokens give nothing, and what still lives is left alone.

use grantlog::sweep::pass;
use support::{Kind, TestApp, both_stores};

both_stores!(
    the_code_and_tokens_of_a_swept_grant_give_nothing,
    a_live_family_outlives_a_sweep_and_still_knows_its_replays,
    a_session_that_lives_is_not_swept,
);

/// Past the end of any family, in seconds.
const LATER: i64 = 800 * 24 * 3600;
/// Past the end of an access token, and past the hour for which ended rows are kept.
const TWO_HOURS: i64 = 2 * 3600 + 60;

async fn sweep(app: &TestApp) {
    pass(&app.app.log, app.app.clock.now()).await.expect("the store answers");
}

async fn the_code_and_tokens_of_a_swept_grant_give_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let first = app.redeem(&client, &code).await.assert_status(200).tokens();
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    app.app.clock.advance(LATER);
    sweep(&app).await;
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    for tokens in [&first, &second] {
        app.refresh(&client, tokens.refresh_token()).await.assert_error(400, "invalid_grant");
        assert!(!app.is_active(&client, &tokens.access).await);
        app.revoke(&client, &tokens.access).await.assert_status(200);
        app.revoke(&client, tokens.refresh_token()).await.assert_status(200);
    }
}

async fn a_live_family_outlives_a_sweep_and_still_knows_its_replays(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let code = app.code(&client, "read").await;
    let first = app.redeem(&client, &code).await.assert_status(200).tokens();
    app.app.clock.advance(TWO_HOURS);
    sweep(&app).await;
    let second = app.refresh(&client, first.refresh_token()).await.assert_status(200).tokens();
    assert!(app.is_active(&client, &second.access).await);
    app.redeem(&client, &code).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &second.access).await);
    app.refresh(&client, second.refresh_token()).await.assert_error(400, "invalid_grant");
}

async fn a_session_that_lives_is_not_swept(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = app.sign_in().await;
    sweep(&app).await;
    let code = app.code_of(&app.approval(&session, &client, "read").await).await;
    app.redeem(&client, &code).await.assert_status(200);
}
