//! Brings a store to this program's form: one node does it, others wait. SQL files make what does not change with the projections;
//! the live projections' tables are made from their descriptions.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use projections::{Db, Dialect, LIVE, SqliteStore, create_apply_live, on_db};
use sqlx::{Executor, PgPool, Row, SqlitePool, migrate::Migrator, postgres::PgPoolOptions, sqlite::SqlitePoolOptions};
use uuid::Uuid;

use super::{
    LogSettings,
    archive::Archive,
    connection::{ACTIVE_GENERATIONS, POSTGRES_BY_INDEX},
    rebuild::{self, Progress, RebuildError},
    sqlite,
};

/// How long a read waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(3);

/// Between two looks whether another node has built the read models.
const WAIT: Duration = Duration::from_millis(500);

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// The last migration that this program knows, whichever store it is for.
pub(super) fn last_migration() -> i64 {
    POSTGRES.iter().chain(SQLITE.iter()).map(|migration| migration.version).max().unwrap_or_default()
}

/// Why a store cannot be opened or migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error("the store cannot be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the store was migrated by a later grantlog, to {0}: use that one")]
    Later(i64),
    #[error("the store has not been migrated: run `grantlog migrate`")]
    NotMigrated,
    #[error(
        "the read model {0} is that of a later grantlog: use that one, or take this one's back (`grantlog projections rollback`)"
    )]
    LaterForm(String),
    #[error("the read models cannot be built: {0}")]
    Rebuild(#[from] Box<RebuildError>),
    #[error("the store's address must begin with postgres:// or sqlite://")]
    Address,
}

/// Where the log stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) position: i64,
    pub(super) epoch: Uuid,
    /// Counts the switches of live projections.
    pub(super) generations: i64,
}

/// The file of an SQLite store.
pub(super) fn file(url: &str) -> Result<Option<PathBuf>, MigrateError> {
    if !url.starts_with("sqlite:") {
        return Ok(None);
    }
    Ok(Some(sqlite::pool_options(url)?.get_filename().to_owned()))
}

pub(super) async fn connect(settings: &LogSettings) -> Result<Db, MigrateError> {
    // sqlite-es links ring beside aws-lc-rs: without a choice rustls would panic. A second choice is refused, which is fine.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    if settings.url.starts_with("sqlite:") {
        let pool = SqlitePoolOptions::new().max_connections(settings.connections.min(sqlite::READERS)).acquire_timeout(ACQUIRE);
        let pool = pool.connect_with(sqlite::pool_options(&settings.url)?).await?;
        return Ok(Db::Sqlite(SqliteStore::new(pool)?));
    }
    if settings.url.starts_with("postgres:") || settings.url.starts_with("postgresql:") {
        // A connection that died is found out by the query; asking first would double the round trips.
        let pool = PgPoolOptions::new().max_connections(settings.connections).acquire_timeout(ACQUIRE).test_before_acquire(false);
        // A plan is kept as long as the connection: one made while a table was small must be right when it is large.
        let pool = pool.after_connect(|connection, _| Box::pin(async { connection.execute(POSTGRES_BY_INDEX).await.map(drop) }));
        return Ok(Db::Postgres(pool.connect(&settings.url).await?));
    }
    Err(MigrateError::Address)
}

pub(super) async fn migrate(
    settings: &LogSettings,
    duty: u8,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), MigrateError> {
    let db = connect(settings).await?;
    match &db {
        Db::Postgres(pool) => {
            POSTGRES.run(pool).await.map_err(migration_error)?;
            make_postgres_projections(pool).await?;
        }
        Db::Sqlite(sqlite) => {
            migrate_sqlite(sqlite.pool()).await?;
            make_sqlite_projections(sqlite.pool()).await?;
        }
    }
    adopt((&db, &Archive::new(db.clone(), settings.archive.clone())), duty, progress).await?;
    if let Db::Postgres(pool) = &db {
        make_apply_live(pool).await?;
    }
    on_db!(&db, pool => pool.close().await);
    Ok(())
}

/// Builds the read models that the store does not have, or has in an earlier form, while others serve; where another node does it already,
/// waits for it.
async fn adopt(store: (&Db, &Archive), duty: u8, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), MigrateError> {
    loop {
        let stale = match forms(store.0).await? {
            Forms::Ours => return Ok(()),
            Forms::Later(name) => return Err(MigrateError::LaterForm(name)),
            Forms::Earlier(stale) => stale,
        };
        tracing::info!(projections = stale.join(", "), "read models of another form are built anew");
        match rebuild::adopt(store, stale, duty, progress).await {
            // Where another node was first, there is nothing left to build.
            Ok(_) | Err(RebuildError::NothingBuilt(_)) => {}
            Err(RebuildError::UnderWay) => tokio::time::sleep(WAIT).await,
            Err(error) => return Err(Box::new(error).into()),
        }
    }
}

/// How the forms of the store's read models stand to this program's.
pub(super) enum Forms {
    Ours,
    /// These are of an earlier form, or not there.
    Earlier(Vec<String>),
    /// This one is of a later form, or unknown.
    Later(String),
}

/// Looks at the forms of the active read models.
pub(super) async fn forms(db: &Db) -> Result<Forms, sqlx::Error> {
    let rows: Vec<(String, i64)> = on_db!(db, pool => sqlx::query_as(ACTIVE_FORMS).fetch_all(pool).await?);
    let later = rows.iter().find(|(name, form)| LIVE.iter().all(|table| table.name != name || table.form < *form));
    if let Some((name, _)) = later {
        return Ok(Forms::Later(name.clone()));
    }
    let ours: BTreeMap<_, _> = rows.into_iter().collect();
    let stale = LIVE.iter().filter(|table| ours.get(table.name) != Some(&table.form));
    let stale: Vec<String> = stale.map(|table| table.name.to_owned()).collect();
    Ok(if stale.is_empty() { Forms::Ours } else { Forms::Earlier(stale) })
}

/// Checks that the read models are of this program's form.
pub(super) async fn check_forms(db: &Db) -> Result<(), MigrateError> {
    match forms(db).await {
        Ok(Forms::Ours) => Ok(()),
        Ok(Forms::Earlier(_)) => Err(MigrateError::NotMigrated),
        Ok(Forms::Later(name)) => Err(MigrateError::LaterForm(name)),
        Err(sqlx::Error::Database(error)) => {
            tracing::debug!(%error, "there are no forms yet");
            Err(MigrateError::NotMigrated)
        }
        Err(error) => Err(error.into()),
    }
}

fn migration_error(error: sqlx::migrate::MigrateError) -> MigrateError {
    match error {
        sqlx::migrate::MigrateError::VersionMissing(version) => MigrateError::Later(version),
        error => MigrateError::Migration(error),
    }
}

/// SQLite has no advisory lock: whoever comes second finds the file locked, or the work done, and looks again.
async fn migrate_sqlite(pool: &SqlitePool) -> Result<(), MigrateError> {
    const TRIES: u32 = 50;
    for tried in 1.. {
        match SQLITE.run(pool).await {
            Ok(()) => break,
            Err(error @ (sqlx::migrate::MigrateError::VersionMissing(_) | sqlx::migrate::MigrateError::VersionMismatch(_))) => {
                return Err(migration_error(error));
            }
            Err(error) if tried == TRIES => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    Ok(())
}

const ACTIVE_FORMS: &str = "SELECT name, form FROM projection WHERE state = 'active'";
const KNOWN: &str = "SELECT name FROM projection UNION ALL SELECT '' FROM log_head WHERE position > 0";
const REGISTER: &str = "INSERT INTO projection (name, generation, state, position, form) VALUES ($1, 1, 'active', 0, $2)";
const BEGIN_LOG: &str =
    "INSERT INTO log_head (one, position, epoch, recorded_at, generations) VALUES (1, 0, $1, 0, 1) ON CONFLICT DO NOTHING";
const BEGIN_EPOCH: &str =
    "INSERT INTO log_epoch (epoch, from_position) SELECT epoch, 1 FROM log_head WHERE NOT EXISTS (SELECT * FROM log_epoch)";

macro_rules! make_projections {
    ($name:ident, $pool:ty, $dialect:expr, $begin:literal, $lock:expr) => {
        /// Makes the first generation of each live projection where the log is new, and the log's head.
        async fn $name(pool: &$pool) -> Result<(), MigrateError> {
            let mut transaction = pool.begin_with($begin).await?;
            for lock in $lock {
                sqlx::query(lock).execute(&mut *transaction).await?;
            }
            let known: Vec<String> = sqlx::query_scalar(KNOWN).fetch_all(&mut *transaction).await?;
            for table in LIVE.iter().filter(|table| !known.iter().any(|name| name.is_empty() || name == table.name)) {
                for statement in table.create_generation($dialect, 1).into_iter().chain(table.create_view($dialect, 1)) {
                    sqlx::query(&statement).execute(&mut *transaction).await?;
                }
                sqlx::query(REGISTER).bind(table.name).bind(table.form).execute(&mut *transaction).await?;
            }
            sqlx::query(BEGIN_LOG).bind(Uuid::now_v7().to_string()).execute(&mut *transaction).await?;
            sqlx::query(BEGIN_EPOCH).execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(())
        }
    };
}

const LOCK_PROJECTIONS: &str = "LOCK TABLE projection IN EXCLUSIVE MODE";

/// Makes the function through which PostgreSQL writes to all live projections, and those it calls, where it is not what this program
/// would make.
async fn make_apply_live(pool: &PgPool) -> Result<(), MigrateError> {
    let mut transaction = pool.begin().await?;
    transaction.execute(LOCK_PROJECTIONS).await?;
    let active: Vec<(String, i64)> = sqlx::query_as(ACTIVE_GENERATIONS).fetch_all(&mut *transaction).await?;
    let active = active.into_iter().collect();
    let made = "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('apply_live(bigint, text[], text[])')";
    let made: Option<String> = sqlx::query_scalar(made).fetch_optional(&mut *transaction).await?;
    let wanted = create_apply_live(&active);
    if !made.is_some_and(|made| wanted.contains(&made)) {
        for table in LIVE {
            let generation = active.get(table.name).copied().unwrap_or(1);
            transaction.execute(table.create_apply(generation).as_str()).await?;
        }
        transaction.execute(wanted.as_str()).await?;
    }
    transaction.commit().await?;
    Ok(())
}

make_projections!(make_postgres_projections, PgPool, Dialect::Postgres, "BEGIN", [LOCK_PROJECTIONS]);
make_projections!(make_sqlite_projections, SqlitePool, Dialect::Sqlite, "BEGIN IMMEDIATE", [""; 0]);

/// Where the log stands now.
pub(super) async fn current_head(db: &Db) -> Result<Start, MigrateError> {
    let sql = "SELECT position, epoch, generations FROM log_head";
    let read = on_db!(db, pool => sqlx::query_as::<_, (i64, String, i64)>(sql).fetch_optional(pool).await);
    let (position, epoch, generations) = match read {
        Ok(row) => row.ok_or(MigrateError::NotMigrated)?,
        Err(sqlx::Error::Database(error)) => {
            tracing::debug!(%error, "there is no log yet");
            return Err(MigrateError::NotMigrated);
        }
        Err(error) => return Err(error.into()),
    };
    let epoch = Uuid::from_str(&epoch).map_err(|_| MigrateError::NotMigrated)?;
    Ok(Start { position, epoch, generations })
}

/// The active generation of each live projection, and the count of switches that they belong to.
pub(super) async fn generations(db: &Db) -> Result<(BTreeMap<String, i64>, Start), MigrateError> {
    loop {
        let before = current_head(db).await?;
        let rows = on_db!(db, pool => {
            let rows = sqlx::query(ACTIVE_GENERATIONS).fetch_all(pool).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<BTreeMap<String, i64>, sqlx::Error>>()?
        });
        let after = current_head(db).await?;
        if before.generations == after.generations {
            return Ok((rows, after));
        }
    }
}
