//! The log was restored from a backup: another history begins, in which nothing issued before is good.

use grantlog::{
    clock::Clock,
    log::backup::{backup, restore},
    vault::{MasterKey, MasterKeys},
};
use support::{Kind, Store, TestApp, both_stores};

use crate::notes::{Place, Way};

both_stores!(a_restored_log_is_noticed_and_what_was_issued_before_is_refused);

async fn a_restored_log_is_noticed_and_what_was_issued_before_is_refused(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let before = place.token().await;
    let (path, into) = (place.app.store.folder().join("backup"), Store::new(kind).await);
    backup(&place.app.app.log, &path, &mut |_| {}).await.unwrap();
    // Its position lies beyond the backup, in a history that is gone.
    for _ in 0..5 {
        place.token().await;
    }
    let lost = place.token().await;
    place.notes.lets_in(&before).await;
    place.notes.lets_in(&lost).await;
    // A second later: tokens say when they were issued in seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let master = MasterKeys::new(MasterKey::parse(&place.app.master_key()).unwrap(), Vec::new());
    restore(&into.settings, &path, master, &Clock::default(), &mut |_| {}).await.unwrap();
    let public_url = place.app.app.settings.server.public_url.clone();
    let restored = TestApp::over(into, place.app.master_key(), |settings| settings.server.public_url = public_url).await;
    let epoch = restored.app.log.epoch().to_string();
    place.wire.lead_to(restored.address);
    place.notes.until(|health| health["whole"] == true && health["epoch"] == epoch.as_str()).await;
    place.notes.read(&before).await.assert_status(401);
    place.notes.read(&lost).await.assert_status(401);
    let client = restored.ordinary_client().await;
    place.notes.lets_in(&restored.token_of(&client, "read").await.access).await;
}
