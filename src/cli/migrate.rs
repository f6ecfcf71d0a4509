//! `grantlog migrate`: brings the store's tables to this program's form.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use serde_json::json;

use crate::log::{Log, LogSettings};

use super::{
    failure::Failure,
    output::{self, Format},
    progress::Progress,
    store::Context,
};

/// A share of the time, in percent: nothing else is waited for.
pub(super) const ALL_THE_TIME: u8 = 100;

/// Bring the store's tables to this program's form
///
/// Makes the store if there is none. `serve` does the same when it starts; run this alone to prepare a store, or to see that a new
/// version fits before its servers start. Several may run at once: one does the work, the others wait. Read models that this version
/// has in another form are built anew from the log while the servers of the version before go on; at the switch they give way.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  grantlog migrate\n  DATABASE_URL=postgres://grantlog@db.example/grantlog \\\n    grantlog migrate"
)]
pub(super) struct Migrate {
    /// The share of the time to build read models in, in percent: the rest is left to servers that run
    #[arg(long, value_name = "PERCENT", default_value_t = ALL_THE_TIME, value_parser = clap::value_parser!(u8).range(1..=100))]
    duty: u8,
    #[command(flatten)]
    format: Format,
}

impl Migrate {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let settings = context.settings.log_settings();
        prepare(&settings, self.duty).await?;
        let log = Log::open(&settings).await?;
        let (epoch, position) = (log.epoch(), log.known_head());
        if self.format.json {
            return output::json(&json!({"epoch": epoch.to_string(), "position": position}));
        }
        output::line(format_args!("The store is ready: {position} events, epoch {epoch}."))
    }
}

/// Migrates a store in so large a share of the time, in percent, and makes an SQLite one's folder where it is missing.
///
/// # Errors
/// That the store does not answer, or is newer than the program.
pub(super) async fn prepare(settings: &LogSettings, duty: u8) -> Result<(), Failure> {
    if let Some(file) = settings.file()? {
        make_private_folder(file.parent().unwrap_or(Path::new("")))?;
        make_private_file(&file)?;
    }
    let mut progress = Progress::of("events");
    Ok(Log::migrate_at(settings, duty, &mut |at| progress.at_position(at.position, at.head)).await?)
}

/// Makes an empty file that its owner alone can read, where there is none: SQLite takes one for a new store, and its neighbours' modes
/// after it.
fn make_private_file(file: &Path) -> Result<(), Failure> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Failure::io(format_args!("the store {} cannot be made", file.display()), &error))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Makes a folder that nobody else on the machine can look into, where there is none.
///
/// # Errors
/// That it cannot be made.
pub(super) fn make_private_folder(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::io(format_args!("the folder {} cannot be made", folder.display()), &error))
}
