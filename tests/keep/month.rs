//! A simulated month: tokens are issued and refreshed day after day, by a clock that runs ahead, and what the server works with stays as large
//! as it was in the first days. Prints the sizes by day (`--nocapture`).

use grantlog::{log::Log, sweep};
use projections::{Db, on_db};
use support::{
    Kind, Tokens, USER,
    archive::{PARTITION, archived_server, grow_tree},
    both_stores,
    traffic::{grant, issue_many, refreshed, sign_in},
};

both_stores!(a_month_of_tokens_leaves_the_tables_as_large_as_its_first_days);

const DAYS: usize = 31;
const DAY: i64 = 86_400;
/// By then all that lives for some days has ended for the first time.
const SETTLED: usize = 9;
/// Tokens a day for the client itself; with `GRANTLOG_TEST_SOAK` so many.
const ISSUED: usize = 150;
const ISSUED_SOAK: usize = 5_000;
/// Families that begin each day, and are refreshed each day of their life.
const FAMILIES: usize = 2;
/// How long one lives, in days.
const LIFE: u32 = 6;
/// What of the log stays in the table, in days.
const KEPT_DAYS: usize = 3;

/// What is counted, with the query for it.
const COUNTED: [(&str, &str); 6] = [
    ("events", "SELECT count(*) FROM events"),
    ("tokens", "SELECT count(*) FROM token"),
    ("grants", "SELECT count(*) FROM authorization_grant"),
    ("heads", "SELECT count(*) FROM stream_head WHERE aggregate_type = 'grant'"),
    ("ephemeral", "SELECT count(*) FROM ephemeral"),
    ("cutoffs", "SELECT count(*) FROM cutoff"),
];

/// The sizes of a day's end: rows, and bytes of the store.
struct Sizes {
    rows: Vec<i64>,
    bytes: i64,
}

async fn number(log: &Log, sql: &str) -> i64 {
    on_db!(log.db(), pool => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap())
}

async fn sizes(log: &Log) -> Sizes {
    let bytes = match log.db() {
        Db::Postgres(_) => "SELECT pg_database_size(current_database())",
        Db::Sqlite(_) => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    };
    let mut rows = Vec::new();
    for (_, sql) in COUNTED {
        rows.push(number(log, sql).await);
    }
    Sizes { rows, bytes: number(log, bytes).await }
}

async fn a_month_of_tokens_leaves_the_tables_as_large_as_its_first_days(kind: Kind) {
    let issued = if std::env::var_os("GRANTLOG_TEST_SOAK").is_some() { ISSUED_SOAK } else { ISSUED };
    let app = archived_server(kind, u32::try_from(KEPT_DAYS * issued).unwrap(), |settings| {
        settings.tokens.refresh_token_idle_lifetime = 2 * 86_400;
        settings.tokens.refresh_token_lifetime = LIFE * 86_400;
        settings.sessions.lifetime = 60 * 86_400;
    })
    .await;
    let client = app.ordinary_client().await;
    let session = sign_in(&app.app, USER).await.session;
    let mut families: Vec<Tokens> = Vec::new();
    let mut days = Vec::new();
    println!("{kind:?}\n day{} store KiB", COUNTED.map(|(name, _)| format!("{name:>10}")).concat());
    for day in 1..=DAYS {
        for family in &mut families {
            *family = refreshed(&app, &client, family).await;
        }
        issue_many(&app.app, &client, issued).await;
        for _ in 0..FAMILIES {
            families.push(grant(&app, &client, &session).await);
        }
        app.app.clock.advance(DAY);
        // The oldest reach the end of their life tomorrow.
        let ended = families.len().saturating_sub(FAMILIES * (LIFE as usize - 1));
        families.drain(..ended);
        grow_tree(&app.app).await;
        sweep::pass(&app.app.log, app.app.clock.now()).await.unwrap();
        if let Db::Postgres(pool) = app.app.log.db() {
            // A day is over in a moment here: autovacuum would have come by.
            sqlx::raw_sql("VACUUM").execute(pool).await.unwrap();
        }
        let sizes = sizes(&app.app.log).await;
        println!("{day:>4}{} {:>9}", sizes.rows.iter().map(|rows| format!("{rows:>10}")).collect::<String>(), sizes.bytes / 1024);
        days.push(sizes);
    }
    for (place, (name, _)) in COUNTED.iter().enumerate() {
        let most = |days: &[Sizes]| days.iter().map(|sizes| sizes.rows[place]).max().unwrap();
        let (first, last) = (most(&days[..SETTLED]), most(&days[SETTLED..]));
        // Events go by whole segments, and on PostgreSQL by whole partitions.
        let slack = if *name == "events" { i64::from(PARTITION) } else { 4 };
        assert!(last <= first + first / 10 + slack, "{name}: {first} rows at most in the first days, {last} later");
    }
    let bytes = |days: &[Sizes]| days.iter().map(|sizes| sizes.bytes).max().unwrap();
    let (first, last) = (bytes(&days[..SETTLED]), bytes(&days[SETTLED..]));
    assert!(last <= first + first / 4, "the store has {first} bytes at most in the first days, {last} later");
    let archived = app.app.log.segments().await.unwrap();
    assert!(archived.last().unwrap().last > app.app.log.known_head() / 2);
    assert_eq!(app.app.log.sample(50, app.app.clock.now()).await.unwrap().differences, []);
}
