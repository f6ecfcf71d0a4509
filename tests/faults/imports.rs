//! kill -9 of `grantlog log import`, from its first moment to its last: the store holds nothing of the log, or all of it, and the next import says
//! which.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use grantlog::log::{Log, rebuild::status};
use projections::{Db, on_db};
use secrecy::ExposeSecret;
use serde_json::Value;
use support::{
    Cluster, Kind, Store, both_stores,
    chance::numbers,
    sizes::kills,
    traffic::{all_events, history, issue_many},
};

use crate::GRANTLOG;

both_stores!(a_killed_import_has_left_nothing_or_all_of_it);

const EVENTS: usize = 2_500;

/// A stream and a vault that were exported, and the key that opens the vault.
struct Exported {
    log: PathBuf,
    vault: PathBuf,
    master_key: PathBuf,
    digest: Value,
}

impl Exported {
    fn of(cluster: &Cluster) -> Self {
        let [log, vault] = ["log.jsonl.zst", "vault.sealed"].map(|name| cluster.app.store.folder().join(name));
        let [log_path, vault_path] = [&log, &vault].map(|path| path.to_str().unwrap());
        let done = cluster.run(&["log", "export", log_path, "--zstd", "--vault", vault_path, "--json"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let done: Value = serde_json::from_slice(&done.stdout).unwrap();
        let master_key = cluster.app.store.folder().join("master.key");
        std::fs::write(&master_key, cluster.app.master_key().expose_secret()).unwrap();
        Self { log, vault, master_key, digest: done["digest"].clone() }
    }

    fn import_into(&self, store: &Store) -> Command {
        let mut command = Command::new(GRANTLOG);
        command.args(["log", "import", "--json"]).arg(&self.log).arg("--vault").arg(&self.vault);
        command.current_dir(store.folder()).env_remove("GRANTLOG_CONFIG").env("DATABASE_URL", &store.settings.url);
        command.env("GRANTLOG_VAULT__MASTER_KEY_FILE", &self.master_key);
        command
    }
}

async fn a_killed_import_has_left_nothing_or_all_of_it(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let first = history(&cluster.app).await;
    issue_many(&cluster.app.app, &first.client, EVENTS).await;
    let (events, exported) = (all_events(&cluster.app.app.log).await, Exported::of(&cluster));
    let mut chance = numbers();
    let mut store = Store::unmigrated(kind).await;
    let begun = Instant::now();
    let done = exported.import_into(&store).output().unwrap();
    let whole = begun.elapsed();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["digest"], exported.digest);
    assert_second_import_is_refused(&exported, &store);

    store = Store::unmigrated(kind).await;
    for _ in 0..kills() {
        let mut import = exported.import_into(&store).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_micros(chance.u64(0..whole.as_micros() as u64))).await;
        import.kill().unwrap();
        import.wait().unwrap();
        let held = held(&store).await;
        println!("killed with {held} events in the store");
        if held == 0 {
            continue;
        }
        // It was killed after it was done.
        assert_eq!(all_events(&store.open().await).await, events);
        assert_second_import_is_refused(&exported, &store);
        store = Store::unmigrated(kind).await;
    }
    let done = exported.import_into(&store).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(all_events(&store.open().await).await, events);
}

fn assert_second_import_is_refused(exported: &Exported, store: &Store) {
    let again = exported.import_into(store).output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.code() == Some(3) && said.contains("the store is not empty"), "{said}");
}

/// How many events the store has, once nobody works on it any more. Where it has none, there is nothing else in it.
async fn held(store: &Store) -> i64 {
    if store.kind == Kind::Sqlite && !file_of(store).exists() {
        return 0;
    }
    // Killed before it was migrated: then nobody can open it.
    let Ok(log) = Log::open(&store.settings).await else { return 0 };
    if let Db::Postgres(pool) = log.db() {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ''
             AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()";
        while sqlx::query_scalar::<_, i64>(others).fetch_one(pool).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let head = log.head().await.unwrap();
    if head == 0 {
        let sql = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM stream_head) + (SELECT count(*) FROM claim) \
             + (SELECT count(*) FROM vault)";
        let rows: i64 = on_db!(log.db(), pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap();
        assert_eq!(rows, 0);
        assert!(status(&log).await.unwrap().iter().all(|projection| projection.rows == 0));
    }
    head
}

fn file_of(store: &Store) -> &Path {
    Path::new(store.settings.url.trim_start_matches("sqlite://"))
}
