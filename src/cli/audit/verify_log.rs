//! `grantlog audit verify-log`: finds what was changed in the log behind the program's back.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    cli::{
        failure::Failure,
        input::text_file,
        output::{self, Format},
        progress::Progress,
        store::Context,
    },
    dispatch::OpenError,
    follow::transparency::{Difference, KeyError, Report, SealError, Transparency, VerifyError},
};

/// Find events that were altered, inserted or removed behind the program's back
///
/// Reads every row of the log and compares it with the tree that was signed, and names the positions. A checkpoint that was kept
/// elsewhere (transparency.checkpoint_file, or a copy of /transparency/checkpoint) finds as well what somebody with the program's own
/// keys rewrote. Runs beside the server; its memory does not grow with the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit verify-log
  grantlog audit verify-log --checkpoint /mnt/elsewhere/checkpoint")]
pub(in crate::cli) struct VerifyLog {
    /// A checkpoint that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl VerifyLog {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let given = self.checkpoint.iter().map(|path| text_file(path)).collect::<Result<Vec<_>, _>>()?;
        let prefix = context.settings.transparency_prefix();
        let transparency = Transparency::open(&context.dispatch().await?, &prefix).await?;
        let report = {
            let mut progress = Progress::of("events");
            transparency.verify_log(&given, &mut |position, last| progress.at_position(position, last)).await?
        };
        if self.format.json {
            output::json(&as_json(&report))?;
        } else {
            tell(&report)?;
        }
        match report.count {
            0 => Ok(()),
            count => Err(Failure::Partial(format!("the log is not what was signed; differences: {count}"))),
        }
    }
}

fn tell(report: &Report) -> Result<(), Failure> {
    for difference in &report.differences {
        match difference {
            Difference::Altered(position) => output::line(format_args!("altered: the event at position {position}"))?,
            Difference::Removed(position) => output::line(format_args!("removed: the event that was at position {position}"))?,
            Difference::Inserted(position) => output::line(format_args!("inserted: the event at position {position}"))?,
            Difference::Tile { level, number } => {
                output::line(format_args!("damaged: tile {number} of level {level}; the events are as they were signed"))?;
            }
            Difference::Checkpoint { size } => {
                output::line(format_args!("rewritten: the log is not the one of {size} events that was signed"))?;
            }
        }
    }
    let Report { signed, unsigned, .. } = report;
    match report.count {
        0 => output::line(format_args!("All {signed} events are what was signed. {unsigned} after them are not signed yet.")),
        count if count > report.differences.len() as u64 => output::line(format_args!("and more: {count} in all")),
        _ => Ok(()),
    }
}

fn as_json(report: &Report) -> Value {
    let difference = |difference: &Difference| match difference {
        Difference::Altered(position) => json!({"what": "altered", "position": position}),
        Difference::Removed(position) => json!({"what": "removed", "position": position}),
        Difference::Inserted(position) => json!({"what": "inserted", "position": position}),
        Difference::Tile { level, number } => json!({"what": "damaged", "tile": {"level": level, "number": number}}),
        Difference::Checkpoint { size } => json!({"what": "rewritten", "checkpoint": size}),
    };
    json!({
        "signed": report.signed,
        "unsigned": report.unsigned,
        "differences": report.differences.iter().map(difference).collect::<Vec<_>>(),
        "count": report.count,
    })
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Unavailable(unavailable) => unavailable.into(),
            VerifyError::NothingSigned | VerifyError::Given(_) => Self::Refused(error.to_string()),
            VerifyError::Checkpoint(_) | VerifyError::Tree(_) => Self::Partial(error.to_string()),
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Unavailable(unavailable) => unavailable.into(),
            SealError::Tree(_)
            | SealError::Missing(_)
            | SealError::Altered(_)
            | SealError::Checkpoint(_)
            | SealError::Fork { .. }
            | SealError::Shorter { .. } => Self::Partial(format!("{error}: `grantlog audit verify-log` tells more")),
            SealError::File(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        OpenError::from(error).into()
    }
}
