//! An example of a subscriber that must have everything: it writes each message of the log to a file, once, whatever kills it, and
//! proves that none is missing.

mod consume;
mod line;
mod proof;
mod record;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use consume::{ConsumeError, Source};
use proof::{Flaw, Proof};
use record::Record;

/// Keeps the log's messages in a file.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes what comes to the file, until it is asked to stop.
    Follow {
        #[arg(long, env, hide_env_values = true)]
        nats_url: String,
        /// The stream of the log.
        #[arg(long, env, default_value = "GRANTLOG")]
        stream: String,
        /// The name under which NATS remembers this consumer.
        #[arg(long, env, default_value = "audit")]
        durable: String,
        file: PathBuf,
    },
    /// Reads the file, and says whether it is whole.
    Check { file: PathBuf },
}

/// Why it stops.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    #[error(transparent)]
    Record(#[from] record::RecordError),
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "it is a command line program")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(stopped) => {
            eprintln!("audit_consumer: {stopped}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "it is a command line program")]
async fn run(command: Command) -> Result<(), Stopped> {
    match command {
        Command::Follow { nats_url, stream, durable, file } => {
            let mut record = Record::open(&file)?;
            println!("writing to {} after position {}", file.display(), record.proof().position());
            let source = Source { url: nats_url, stream, durable };
            tokio::select! {
                stopped = consume::follow(&source, &mut record) => return Err(stopped.into()),
                asked = asked_to_stop() => asked?,
            }
            tell(record.proof());
        }
        Command::Check { file } => tell(Record::read(&file)?.proof()),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is a command line program")]
fn tell(proof: &Proof) {
    println!("positions {} to {}, none missing, none twice", proof.first(), proof.position());
    println!("sha256 {}", proof.digest());
}

async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}
