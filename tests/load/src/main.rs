//! Drives a server with so many connections for so long, checks every answer, and prints one line: requests a second, the median and
//! the 99th percentile of their times, the CPU time of one in the server and in its database (all in microseconds), and the server's
//! memory in MiB. What it needs beforehand (tokens to revoke, grants to refresh) it makes before the clock runs.

mod connection;
mod cost;
mod operation;
mod proof;
mod sign_in;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use tokio::{sync::Barrier, task::JoinSet};

use operation::Caller;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Operation {
    /// client_credentials
    Tokens,
    Introspection,
    Revocation,
    Refresh,
    /// Where a token came from and what came of it, as an auditor is told over HTTP
    Lineage,
    /// client_credentials by an assertion (private_key_jwt), bound to the key of a proof (DPoP), both good once
    Proven,
    /// An access token for another
    Exchange,
    /// A device asks whether it was let in, and is not
    Polling,
}

/// Drives a server, and prints: requests/s, p50 and p99 in us, CPU us a request of the server and of its database, RSS in MiB
#[derive(Clone, Parser)]
pub(crate) struct Options {
    #[arg(long)]
    address: String,
    #[arg(long)]
    operation: Operation,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
    #[arg(long, default_value = "")]
    client_id: String,
    #[arg(long, default_value = "")]
    client_secret: String,
    /// Who signs in, for refresh
    #[arg(long, default_value = "")]
    username: String,
    #[arg(long, default_value = "")]
    password: String,
    #[arg(long, default_value = "")]
    redirect_uri: String,
    /// A file of what lineage is asked about, one a line: a `jti` or a digest
    #[arg(long, required_if_eq("operation", "lineage"))]
    tokens: Option<PathBuf>,
    /// The client's key in PEM, for proofs an Ed25519 one, and its public part as a JWK with a `kid`
    #[arg(long, required_if_eq("operation", "proven"))]
    key: Option<PathBuf>,
    #[arg(long, default_value = "")]
    jwk: String,
    /// The certificate of that key, which the server shows as well: then all goes over TLS, and it proves who the client is
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// The server's process
    #[arg(long)]
    server: u32,
    /// The database's process, if it is another
    #[arg(long)]
    database: Option<u32>,
}

/// When all connections begin, and when they end.
struct Run {
    begin: Barrier,
    over: AtomicBool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let options = Arc::new(Options::parse());
    let cookies = match options.operation {
        Operation::Refresh => sign_in::sign_in(&options).await?,
        Operation::Tokens
        | Operation::Introspection
        | Operation::Revocation
        | Operation::Lineage
        | Operation::Proven
        | Operation::Exchange
        | Operation::Polling => String::new(),
    };
    let run = Arc::new(Run { begin: Barrier::new(options.connections + 1), over: AtomicBool::new(false) });
    let mut callers = JoinSet::new();
    for _ in 0..options.connections {
        callers.spawn(calls(options.clone(), cookies.clone(), run.clone()));
    }
    tokio::select! {
        _ = run.begin.wait() => {}
        Some(failed) = callers.join_next() => {
            failed.map_err(io::Error::other)??;
        }
    }
    let (begun, before) = (Instant::now(), cpu(&options)?);
    let mut times = Vec::new();
    let limit = tokio::time::sleep(Duration::from_secs_f64(options.seconds));
    tokio::pin!(limit);
    let mut measured = None;
    loop {
        tokio::select! {
            () = &mut limit, if measured.is_none() => {
                run.over.store(true, Ordering::Relaxed);
                measured = Some((begun.elapsed(), cpu(&options)?));
            }
            ended = callers.join_next() => match ended {
                Some(ended) => {
                    measured.get_or_insert((begun.elapsed(), cpu(&options)?));
                    times.append(&mut ended.map_err(io::Error::other)??);
                }
                None => break,
            },
        }
    }
    let (took, after) = measured.ok_or_else(|| io::Error::other("nothing was measured"))?;
    tell(&options, times, took, (after.0 - before.0, after.1 - before.1))
}

/// Calls until time is over, or the first connection has nothing more to ask about: the times, in microseconds.
async fn calls(options: Arc<Options>, cookies: String, run: Arc<Run>) -> io::Result<Vec<u32>> {
    let mut caller = Caller::prepare(&options, &cookies).await?;
    let mut times = Vec::new();
    run.begin.wait().await;
    while !run.over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        if !caller.call().await? {
            run.over.store(true, Ordering::Relaxed);
            break;
        }
        times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(times)
}

/// CPU time of the server and of its database so far, in microseconds.
fn cpu(options: &Options) -> io::Result<(u64, u64)> {
    let database = options.database.map_or(Ok(0), cost::cpu)?;
    Ok((cost::cpu(options.server)?, database))
}

fn tell(options: &Options, mut times: Vec<u32>, took: Duration, cpu: (u64, u64)) -> io::Result<()> {
    times.sort_unstable();
    let count = times.len();
    let at = |percent: usize| times.get((count * percent / 100).min(count.saturating_sub(1))).copied().unwrap_or(0);
    let rate = count as f64 / took.as_secs_f64();
    let each = |spent: u64| spent as f64 / count.max(1) as f64;
    let memory = cost::peak_memory(options.server)?;
    writeln!(io::stdout(), "{rate:.0} {} {} {:.1} {:.1} {memory}", at(50), at(99), each(cpu.0), each(cpu.1))
}
