//! `grantlog projections verify|rebuild|switch|rollback`: what builds a generation, or makes one live.

use serde_json::{Value, json};

use crate::{
    cli::{
        failure::Failure,
        output::{self, Format, List},
        progress::Progress,
        store::Context,
    },
    clock::Clock,
    log::{
        Log,
        rebuild::{self, Difference, OnDifference, Plan, RebuildError, Rebuilt},
        sample::Sampled,
    },
};

/// Compare the read models with the log
///
/// Builds them anew beside the live ones, compares row for row, and leaves nothing behind. With --sample it folds some streams by chance
/// instead, and compares their states and rows: the server does that all the time, at a low rate. Exit code 5 where something differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog projections verify
  grantlog projections verify client token --duty 100
  grantlog projections verify --sample 1000")]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    what: What,
    /// Fold so many streams anew, picked by chance, instead of the whole log
    #[arg(long, value_name = "N", conflicts_with_all = ["names", "duty"])]
    sample: Option<u32>,
    #[command(flatten)]
    format: Format,
}

/// Build projections anew and, where they equal the live ones, put them in their place
///
/// The old generation stays until `grantlog projections clean`; `rollback` makes it live again. Running servers go on without a pause. One
/// that was killed is gone on with by the next. Exit code 5 where rows differ, and then nothing is switched, unless
/// --accept-differences says that the live ones are damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog projections rebuild
  grantlog projections rebuild token --no-switch && grantlog projections switch token
  grantlog projections rebuild token --accept-differences")]
pub(in crate::cli) struct Rebuild {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    differing: Differing,
    /// Leave what was built beside the live one, for `grantlog projections switch`
    #[arg(long)]
    no_switch: bool,
    #[command(flatten)]
    format: Format,
}

/// Make live what `rebuild --no-switch` has built
///
/// Brings it up to the head of the log and compares it again; then it is live, under the lock that appends take.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections switch token")]
pub(in crate::cli) struct Switch {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    differing: Differing,
    #[command(flatten)]
    format: Format,
}

/// Make the generation from before a switch live again
///
/// Nobody wrote to it meanwhile: it is brought up to the head of the log and compared, like any other, before it is live. Where a later
/// grantlog took the store over with read models of another form, the earlier grantlog's `rollback` takes its own back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections rollback token")]
pub(in crate::cli) struct Rollback {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    differing: Differing,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct What {
    /// Which projections; all if none is named
    names: Vec<String>,
    /// The share of the time to work in, in percent: the rest is left to the server [default: 25, on SQLite 12]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    duty: Option<u8>,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Differing {
    /// Switch although rows differ: the live ones are damaged
    #[arg(long)]
    accept_differences: bool,
}

impl From<Differing> for OnDifference {
    fn from(differing: Differing) -> Self {
        if differing.accept_differences { Self::Accept } else { Self::Refuse }
    }
}

impl What {
    fn plan(self, log: &Log, differences: OnDifference) -> Plan {
        let duty = self.duty.unwrap_or_else(|| Plan::usual_duty(log.db().dialect()));
        Plan { names: self.names, duty, differences }
    }
}

/// Runs one of the ways to build, with a bar, and tells what came of it.
macro_rules! built {
    ($run:path, $log:expr, $plan:expr, $format:expr, $said:expr) => {{
        let mut progress = Progress::of("events");
        let outcome = $run($log, &Clock::default(), &$plan, &mut |at| progress.at_position(at.position, at.head)).await;
        drop(progress);
        report(outcome, $format, $said)
    }};
}

const LIVE: &str = "are live";

impl Verify {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        if let Some(streams) = self.sample {
            return report_sample(&log.sample(streams, Clock::default().now()).await?, self.format);
        }
        built!(rebuild::verify, &log, self.what.plan(&log, OnDifference::Refuse), self.format, "equal what the log gives")
    }
}

impl Rebuild {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let plan = self.what.plan(&log, self.differing.into());
        if self.no_switch {
            return built!(rebuild::build, &log, plan, self.format, "are built anew, and wait for `grantlog projections switch`");
        }
        built!(rebuild::rebuild, &log, plan, self.format, "are built anew and live")
    }
}

impl Switch {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let plan = self.what.plan(&log, self.differing.into());
        built!(rebuild::switch, &log, plan, self.format, LIVE)
    }
}

impl Rollback {
    pub(in crate::cli) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log_in_any_form().await?;
        let plan = self.what.plan(&log, self.differing.into());
        built!(rebuild::rollback, &log, plan, self.format, LIVE)
    }
}

/// Tells what came of it: the projections with their rows, and the rows that differed.
fn report(outcome: Result<Rebuilt, RebuildError>, format: Format, said: &str) -> Result<(), Failure> {
    let rebuilt = match outcome {
        Ok(rebuilt) => rebuilt,
        Err(RebuildError::Differs(differences)) if format.json => {
            output::json(&json!({"equal": false, "differences": as_json(&differences)}))?;
            return Err(RebuildError::Differs(differences).into());
        }
        Err(error) => return Err(error.into()),
    };
    if format.json {
        let projections: Vec<_> = rebuilt
            .projections
            .iter()
            .map(|one| json!({"name": one.name, "generation": one.generation, "rows": one.rows}))
            .collect();
        return output::json(&json!({
            "equal": rebuilt.differences.is_empty(), "from": rebuilt.from, "position": rebuilt.position, "projections": projections,
            "differences": as_json(&rebuilt.differences),
        }));
    }
    let mut list = List::begin(format, &["projection", "generation", "rows"]);
    for one in &rebuilt.projections {
        list.add(vec![one.name.to_owned(), one.generation.to_string(), one.rows.to_string()], &Value::Null)?;
    }
    list.end("No projection was named.")?;
    for difference in &rebuilt.differences {
        output::line(format_args!("differed: {difference}"))?;
    }
    output::line(format_args!("At position {} they {said}.", rebuilt.position))
}

fn as_json(differences: &[Difference]) -> Vec<Value> {
    let one = |difference: &Difference| json!({"projection": difference.projection, "key": difference.key, "difference": difference.to_string()});
    differences.iter().map(one).collect()
}

/// Tells what a sample found.
fn report_sample(sampled: &Sampled, format: Format) -> Result<(), Failure> {
    let differences: Vec<String> = sampled.differences.iter().map(ToString::to_string).collect();
    if format.json {
        output::json(&json!({"equal": differences.is_empty(), "streams": sampled.streams, "differences": differences}))?;
    }
    if !differences.is_empty() {
        return Err(Failure::Partial(format!("not as the log says: {}", differences.join("; "))));
    }
    if format.json {
        return Ok(());
    }
    output::line(format_args!("{} streams were folded anew: their states and rows are as the log says.", sampled.streams))
}
