//! A store that a later grantlog has migrated is not touched by an earlier one.

use grantlog::log::{Log, MigrateError};
use projections::on_db;
use support::{Kind, Store, both_stores};

both_stores!(a_store_of_a_later_grantlog_is_refused_at_once_and_left_alone);

async fn a_store_of_a_later_grantlog_is_refused_at_once_and_left_alone(kind: Kind) {
    let store = Store::new(kind).await;
    let log = store.open().await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 99990101000000, 'later', true, checksum, 0 FROM _sqlx_migrations LIMIT 1";
    on_db!(log.db(), pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    let refused = Log::migrate(&store.settings).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Later(99_990_101_000_000)), "{refused}");
    let versions: i64 = on_db!(log.db(), pool => {
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success").fetch_one(pool).await
    })
    .unwrap();
    assert!(versions > 1);
}
