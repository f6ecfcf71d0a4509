//! `grantlog log export` and `grantlog log import`: the whole log as a stream.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    cli::{
        failure::Failure,
        migrate,
        output::{self, Format},
        progress::Progress,
        store::Context,
    },
    log::{
        backup::{self, Exported},
        whole_file::WholeFile,
    },
};

/// Standard input or output.
const STANDARD: &str = "-";

/// Write the whole log as a stream of JSON lines, while the server serves
///
/// Every event as it is stored, the names that are taken and the epochs, as of one moment, with the digest of all events (SHA-256 over
/// their canonical bytes in order): the same on SQLite and PostgreSQL. The vault, without which nothing can be signed and nothing personal
/// opened, is not among it: --vault writes it, sealed, into a file of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog log export log.jsonl.zst --zstd --vault vault.sealed
  grantlog log export | jq -r .event.event_type | sort | uniq -c")]
pub(in crate::cli) struct Export {
    /// The file to write, which must not be there yet; `-` for standard output
    #[arg(default_value = STANDARD)]
    file: PathBuf,
    /// Compress it
    #[arg(long)]
    zstd: bool,
    /// Write the vault (sealed) to this file
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// Import a log that `log export` wrote into an empty store
///
/// Makes the store if it is not there. Events keep their positions, the log its epoch and its digest, and all that was issued stays good: so
/// stop the servers of the store that it came from before you export, and do not start them again. Heads and read models are made anew.
/// All of it is there, or nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  DATABASE_URL=postgres://grantlog@db.example/grantlog \\
    grantlog log import log.jsonl.zst --vault vault.sealed")]
pub(in crate::cli) struct Import {
    /// The stream, plain or compressed; `-` for standard input
    file: PathBuf,
    /// The vault that was exported with it; without one the log can be read, but nothing can be signed or opened
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl Export {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut progress = Progress::of("events");
        let mut tell = |at: backup::Progress| progress.at_position(at.position, at.last);
        let vault = self.vault.as_deref();
        if self.file == Path::new(STANDARD) {
            let (_, exported) = backup::export(&log, (io::stdout(), self.zstd), vault, &mut tell).await?;
            // Standard output is the stream's.
            tracing::warn!(events = exported.counts.events, digest = exported.digest, "the log is exported");
            return Ok(());
        }
        let file = WholeFile::create(&self.file)?;
        let (file, exported) = backup::export(&log, (file, self.zstd), vault, &mut tell).await?;
        file.finish().map_err(|error| Failure::io(self.file.display(), &error))?;
        drop(progress);
        self.report(&exported)
    }

    fn report(&self, exported: &Exported) -> Result<(), Failure> {
        let Exported { header, counts, digest, vault } = exported;
        if self.format.json {
            return output::json(&json!({
                "file": self.file, "events": counts.events, "position": header.position, "epoch": header.epoch, "digest": digest,
                "vault": vault,
            }));
        }
        let (events, file, epoch) = (counts.events, self.file.display(), &header.epoch);
        output::line(format_args!("{events} events of epoch {epoch} are in {file}.\nDigest: {digest}"))
    }
}

impl Import {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let vault = match self.vault {
            Some(path) => Some((path, context.settings.master_keys()?)),
            None => None,
        };
        let source: Box<dyn Read + Send> = if self.file == Path::new(STANDARD) {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(&self.file).map_err(|error| Failure::io(self.file.display(), &error))?)
        };
        let settings = context.settings.log_settings();
        migrate::prepare(&settings, migrate::ALL_THE_TIME).await?;
        let mut progress = Progress::of("events");
        let mut tell = |at: backup::Progress| progress.at_position(at.position, at.last);
        let done = backup::import(&settings, source, vault, &mut tell).await?;
        drop(progress);
        if self.format.json {
            return output::json(&json!({
                "events": done.events, "position": done.header.position, "epoch": done.header.epoch, "digest": done.digest,
                "vault": done.vault,
            }));
        }
        output::line(format_args!(
            "{} events and {} sealed values are imported, epoch {}.\nDigest: {}",
            done.events, done.vault, done.header.epoch, done.digest
        ))
    }
}
