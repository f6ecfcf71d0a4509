//! Fills a store with a long log, and measures what reads all of it: a fold of every stream in memory, the ceiling; the audit's replay; the
//! tree over it. Prints events, seconds, events/s, and the largest resident memory in MiB.

mod fill;
mod seal;

use std::{
    collections::HashMap,
    error::Error,
    io::{self, Write},
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use cqrs_es::Aggregate;
use domain::{
    Event, StreamId,
    grant::{Grant, GrantEvent},
};
use grantlog::{
    audit::{Bounds, RecordsDigest, Replay},
    log::{Log, LogSettings},
};

/// Events read at a time.
const PAGE: u32 = 4_096;

#[derive(Parser)]
struct Options {
    /// postgres://... or sqlite://...
    #[arg(long, env = "DATABASE_URL")]
    store: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Append so many grants: about three events each
    Fill { grants: usize },
    /// Fold every stream in memory
    Fold,
    /// Replay all grants as `grantlog audit replay --digest` does
    Replay,
    /// Grow the tree from nothing, with the settings' master key, and hash the same bytes in memory
    Seal,
    /// Print so many tokens, picked by chance: the `jti` of an access token, the digest of a refresh token
    Tokens { number: usize },
}

/// How long it took, and what else is to be said.
struct Measured {
    took: Duration,
    said: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let settings = LogSettings { url: options.store, connections: 4, queue: 4_096, archive: None };
    Log::migrate(&settings).await?;
    let log = Log::open(&settings).await?;
    let Measured { took, said } = match options.what {
        What::Fill { grants } => timed(fill::fill(&log, grants)).await?,
        What::Fold => timed(fold_all(&log)).await?,
        What::Replay => timed(replay(&log)).await?,
        What::Seal => seal::seal(&log).await?,
        What::Tokens { number } => return print_tokens(&log, number).await,
    };
    let (events, seconds) = (log.known_head(), took.as_secs_f64());
    let rate = events as f64 / seconds;
    writeln!(io::stdout(), "{events} events, {seconds:.1} s, {rate:.0} events/s, {} MiB; {said}", memory()?)?;
    Ok(())
}

async fn timed(work: impl Future<Output = Result<String, Box<dyn Error>>>) -> Result<Measured, Box<dyn Error>> {
    let begun = Instant::now();
    let said = work.await?;
    Ok(Measured { took: begun.elapsed(), said })
}

/// The largest resident memory so far, in MiB.
fn memory() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    Ok(kib.unwrap_or_default() / 1024)
}

async fn fold_all(log: &Log) -> Result<String, Box<dyn Error>> {
    let (mut grants, mut others): (HashMap<StreamId, Grant>, HashMap<StreamId, Vec<Event>>) = (HashMap::new(), HashMap::new());
    let mut after = 0;
    loop {
        let page = log.read(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for stored in &page {
            let event = stored.event()?;
            let stream = stored.stream(&event)?;
            match event {
                Event::Grant(event) => grants.entry(stream).or_default().apply(event),
                other => others.entry(stream).or_default().push(other),
            }
        }
    }
    Ok(format!("{} grants", grants.len()))
}

async fn replay(log: &Log) -> Result<String, Box<dyn Error>> {
    let mut replayed = Replay::read(log, log.known_head(), Bounds::default(), &mut |_| {}).await?;
    let mut digest = RecordsDigest::default();
    while let Some(records) = replayed.next_grants()? {
        records.iter().for_each(|record| digest.add(record));
    }
    let grants = digest.records();
    Ok(format!("{grants} grants, digest {}", digest.finish()))
}

async fn print_tokens(log: &Log, number: usize) -> Result<(), Box<dyn Error>> {
    let mut printed = 0;
    while printed < number {
        let Some(stored) = log.read(fastrand::i64(0..log.known_head().max(1)), 1).await?.pop() else {
            return Err("the log is empty".into());
        };
        let Event::Grant(event) = stored.event()? else { continue };
        let (GrantEvent::ClientCredentialsIssued { access, .. }
        | GrantEvent::TokensIssued { access, .. }
        | GrantEvent::Refreshed { access, .. }) = &event
        else {
            continue;
        };
        match &event {
            GrantEvent::Refreshed { refresh, .. } if fastrand::bool() => writeln!(io::stdout(), "{}", refresh.digest.as_str())?,
            _ => writeln!(io::stdout(), "{}", access.id)?,
        }
        printed += 1;
    }
    Ok(())
}
