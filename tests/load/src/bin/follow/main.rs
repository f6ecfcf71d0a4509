//! Measures what follows the log, beside the least that it could cost: the relay beside a bare publish of the same bytes, and how long after a
//! revocation's answer its subscribers hear of it. The servers run in this process, over a store of their own; a line each is printed.

mod heard;
mod relay;

use std::io::{self, Write};

use clap::{Parser, Subcommand};
use support::Kind;

/// Measures what follows the log, over the PostgreSQL that `GRANTLOG_TEST_POSTGRES` names or over SQLite
#[derive(Parser)]
struct Options {
    /// postgres or sqlite
    #[arg(long)]
    store: String,
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Measure {
    /// Events relayed a second, beside a bare pipelined publish of the same bytes
    Relay {
        #[arg(long, default_value_t = 200_000)]
        events: usize,
    },
    /// From a revocation's answer to its message and to its place in the feed, beside issuances
    Heard {
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Issuances a second
        #[arg(long, default_value_t = 1_000)]
        rate: u64,
    },
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let Options { store, measure } = Options::parse();
    let kind = if store == "sqlite" { Kind::Sqlite } else { Kind::Postgres };
    let told = match measure {
        Measure::Relay { events } => relay::measure(kind, events).await,
        Measure::Heard { seconds, rate } => heard::measure(kind, seconds, rate).await,
    };
    writeln!(io::stdout(), "{store:8} {told}")
}
