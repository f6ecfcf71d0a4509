//! A replay in a grant for several resources (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2): it ends all that came of the grant.

use support::{Kind, both_stores};

use crate::resources::{OTHER, PHOTOS, VIDEOS, app, client, code, redeem, refresh};

both_stores!(a_replayed_code_ends_the_tokens_for_all_its_resources, a_replay_ends_the_grant_whatever_resource_it_names);

async fn a_replayed_code_ends_the_tokens_for_all_its_resources(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    let code = code(&app, &client, "read", &[PHOTOS, OTHER]).await;
    let first = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
    let other = refresh(&app, &client, &first, &[("resource", OTHER)]).await.assert_status(200).tokens();
    redeem(&app, &client, &code, &[OTHER]).await.assert_error(400, "invalid_grant");
    assert!(!app.is_active(&client, &first.access).await && !app.is_active(&client, &other.access).await);
}

async fn a_replay_ends_the_grant_whatever_resource_it_names(kind: Kind) {
    let app = app(kind).await;
    let client = client(&app).await;
    for named in [&[] as &[&str], &[VIDEOS]] {
        let code = code(&app, &client, "read", &[PHOTOS, OTHER]).await;
        let tokens = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
        redeem(&app, &client, &code, named).await.assert_error(400, "invalid_grant");
        assert!(!app.is_active(&client, &tokens.access).await, "a replayed code naming {named:?} ends the grant");
    }
    for named in [&[] as &[(&str, &str)], &[("resource", VIDEOS)]] {
        let code = code(&app, &client, "read", &[PHOTOS, OTHER]).await;
        let first = redeem(&app, &client, &code, &[PHOTOS]).await.assert_status(200).tokens();
        let second = refresh(&app, &client, &first, &[("resource", PHOTOS)]).await.assert_status(200).tokens();
        refresh(&app, &client, &first, named).await.assert_error(400, "invalid_target");
        app.app.clock.advance(i64::from(app.app.settings.tokens.retry_grace));
        assert!(app.is_active(&client, &second.access).await, "within the grace time it may be an answer that was lost");
        refresh(&app, &client, &first, named).await.assert_error(400, "invalid_grant");
        assert!(!app.is_active(&client, &second.access).await, "a replayed refresh token naming {named:?} ends the family");
    }
}
