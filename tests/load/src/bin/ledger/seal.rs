//! The tree over the log, beside the least that it could cost: SHA-256 of the same bytes.

use std::{
    error::Error,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};
use grantlog::{
    clock::Clock,
    config::{Settings, Source},
    follow::transparency::Step,
    log::Log,
    state::App,
};

use super::{Measured, PAGE};

/// Grows the tree of a log that has none, then hashes the same bytes.
pub(crate) async fn seal(log: &Log) -> Result<Measured, Box<dyn Error>> {
    let settings = Settings::load(&Source::default())?;
    let master = settings.master_keys()?;
    let app = App::open(log.clone(), Arc::new(settings), master, Clock::default()).await?;
    let grown = log.sealed().await?.position;
    if grown > 0 {
        return Err(format!("the tree holds {grown} events already").into());
    }
    let begun = Instant::now();
    while app.transparency.turn().await? != Step::Level {}
    let took = begun.elapsed();
    let plain = hash_all(log).await?;
    let rate = log.known_head() as f64 / plain.as_secs_f64();
    let share = plain.as_secs_f64() / took.as_secs_f64();
    Ok(Measured { took, said: format!("plain SHA-256 of the same bytes {rate:.0}/s; share {share:.3}") })
}

/// How long it takes to hash the canonical bytes of all events, which are in memory.
async fn hash_all(log: &Log) -> Result<Duration, Box<dyn Error>> {
    let (mut took, mut after) = (Duration::ZERO, 0);
    loop {
        let page = log.read(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(took) };
        after = last.position;
        let envelopes: Vec<Vec<u8>> = page.iter().map(grantlog::log::StoredEvent::envelope).collect();
        let begun = Instant::now();
        for envelope in &envelopes {
            black_box(digest(&SHA256, envelope));
        }
        took += begun.elapsed();
    }
}
