//! `grantlog log archive` and `grantlog log segments`: the log's oldest events, in files.

use serde_json::json;

use crate::{
    archive::{self, Checked},
    cli::{
        failure::Failure,
        output::{self, Format, List},
        progress::Progress,
        store::Context,
    },
    clock::Clock,
    log::{Log, TurnOf, archive::ArchiveError},
};

/// As long as the work before it: whoever waits for the command wants it done, and a server may run beside it.
const REST: u32 = 1;

/// Move old events into the archive
///
/// archive.folder says where, archive.after_events how many stay in the store, archive.after for how long. A segment is written, on the disk and read back before its
/// events go; everything that reads the log finds them there as before. Where transparency.enabled lets a tree grow over the log, a segment
/// is made once the tree holds it, and says its root. The server does this by itself; this does it now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  GRANTLOG_ARCHIVE__FOLDER=/var/lib/grantlog/archive \\
    grantlog log archive --dry-run
  grantlog log archive")]
pub(in crate::cli) struct Archive {
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

/// Show the segments of the archive, or check that they hold what was archived
///
/// --verify reads every segment: each file is there, its digest and positions are those that the store knows, no position is left out between
/// two, and the events give the roots of the tree over the log that the manifest says and the store has. The first segment that is wrong is
/// named, with exit code 5. It runs beside the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog log segments
  grantlog log segments --verify")]
pub(in crate::cli) struct Segments {
    /// Read all of them, and check them
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    format: Format,
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Store(_) | ArchiveError::Unavailable(_) => Self::Unavailable(error.to_string()),
            ArchiveError::NoFolder => Self::Usage(error.to_string()),
            ArchiveError::Busy(_) => Self::Refused(error.to_string()),
            ArchiveError::NoRoot { .. } => Self::Partial(format!("{error}: `grantlog audit verify-log` tells more")),
            ArchiveError::Segment(_) | ArchiveError::Died(_) => Self::Failed(error.to_string()),
        }
    }
}

impl Archive {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let (log, now) = (context.log().await?, Clock::default().now());
        if self.dry_run {
            let plan = log.archive_plan(now).await?;
            if self.format.json {
                return output::json(&json!({"archived": plan.archived, "until": plan.until, "segments": plan.segments}));
            }
            return output::line(format_args!(
                "{} segments would be made: events up to {} are archived, up to {} would be.",
                plan.segments, plan.archived, plan.until
            ));
        }
        let Some(turn) = log.turn(TurnOf::Sweep).await? else {
            return Err(Failure::Refused("a server sweeps or archives at this moment: try again".to_owned()));
        };
        let mut progress = Progress::of("events");
        let done = archive::archive_old(&log, now, REST, |position, until| progress.at_position(position, until)).await;
        drop(progress);
        turn.give_back().await?;
        let done = done?;
        if self.format.json {
            return output::json(&json!({"segments": done.segments, "dropped": done.dropped}));
        }
        let last = done.segments.last().map_or(0, |last| last.last);
        match done.segments.len() {
            0 => output::line(
                "Nothing is old enough, or what follows the log (the tree over it, a rebuild) has not passed it yet.",
            ),
            count => output::line(format_args!("{count} segments were made: events up to {last} are archived.")),
        }
    }
}

impl Segments {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        if self.verify {
            return verify(&log, self.format).await;
        }
        let mut list = List::begin(self.format, &["first", "last", "digest"]);
        for segment in log.segments().await? {
            let element = json!({"first": segment.first, "last": segment.last, "digest": segment.digest});
            list.add(vec![segment.first.to_string(), segment.last.to_string(), segment.digest], &element)?;
        }
        list.end("Nothing is archived.")
    }
}

async fn verify(log: &Log, format: Format) -> Result<(), Failure> {
    let Checked { segments, rooted, until, wrong } = {
        let mut progress = Progress::of("events");
        archive::check(log, |position, last| progress.at_position(position, last)).await?
    };
    if format.json {
        let wrong = wrong.as_ref().map(|(segment, error)| json!({"first": segment.first, "error": error.to_string()}));
        output::json(&json!({"segments": segments, "rooted": rooted, "until": until, "wrong": wrong}))?;
    } else {
        output::line(format_args!(
            "{segments} segments hold what was archived, up to position {until}; {rooted} of them say the root of the tree over the log."
        ))?;
    }
    match wrong {
        None => Ok(()),
        Some((_, error)) => Err(Failure::Partial(error.to_string())),
    }
}
