//! `grantlog projections`: the read models, compared with the log they are made from, and built anew beside a running server.

use serde_json::{Value, json};

use crate::{
    clock::Clock,
    log::rebuild::{self, Difference, OnDifference, Plan, RebuildError, Rebuilt},
};

use super::{
    failure::Failure,
    output::{self, Format, List},
    progress::Progress,
    store::Context,
};

/// Compare the read models with the log, or build them anew
///
/// Everything grantlog answers is read from projections of the log. They are written in the transaction of the events, and can at any
/// time be built anew from the log, beside the live ones, while the server serves.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog projections status
  grantlog projections verify
  grantlog projections rebuild token")]
pub(super) enum ProjectionsCommand {
    Status(Status),
    Verify(Verify),
    Rebuild(Rebuild),
    Clean(Clean),
}

/// Show which generations of the projections there are
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections status")]
pub(super) struct Status {
    #[command(flatten)]
    format: Format,
}

/// Build projections anew, compare them with the live ones, and leave nothing behind
///
/// Exit code 5 where rows differ.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog projections verify\n  grantlog projections verify client token --duty 100")]
pub(super) struct Verify {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    format: Format,
}

/// Build projections anew and, where they equal the live ones, put them in their place
///
/// The old generation stays until `grantlog projections clean`. Running servers go on without a pause. One that was killed is gone
/// on with by the next. Exit code 5 where rows differ, and then nothing is switched, unless --accept-differences says that the live
/// ones are damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog projections rebuild\n  grantlog projections rebuild token --accept-differences")]
pub(super) struct Rebuild {
    #[command(flatten)]
    what: What,
    /// Switch although rows differ: the live ones are damaged
    #[arg(long)]
    accept_differences: bool,
    #[command(flatten)]
    format: Format,
}

/// Drop the generations that a rebuild has replaced
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections clean")]
pub(super) struct Clean {
    /// Which projections; all if none is named
    names: Vec<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct What {
    /// Which projections; all if none is named
    names: Vec<String>,
    /// The share of the time to work in, in percent: the rest is left to the server
    #[arg(long, value_name = "PERCENT", default_value_t = Plan::DUTY, value_parser = clap::value_parser!(u8).range(1..=100))]
    duty: u8,
}

impl ProjectionsCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Status(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Rebuild(command) => command.run(context).await,
            Self::Clean(command) => command.run(context).await,
        }
    }
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Store(_) => Self::Unavailable(error.to_string()),
            RebuildError::Unknown(_) | RebuildError::UnderWay | RebuildError::Busy => Self::Refused(error.to_string()),
            RebuildError::Lock(_) | RebuildError::Event(_) => Self::Failed(error.to_string()),
            RebuildError::Differs(_) => Self::Partial(error.to_string()),
        }
    }
}

impl Status {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut list = List::begin(self.format, &["projection", "generation", "state", "position", "rows"]);
        for generation in rebuild::status(&log).await? {
            let (name, state) = (generation.name, generation.state.as_str());
            let element = json!({
                "name": name, "generation": generation.generation, "state": state, "position": generation.position,
                "rows": generation.rows,
            });
            let cells = [generation.generation, generation.position, generation.rows].map(|number| number.to_string());
            let [number, position, rows] = cells;
            list.add(vec![name.to_owned(), number, state.to_owned(), position, rows], &element)?;
        }
        list.end("There are no projections yet.")
    }
}

impl What {
    fn plan(self, differences: OnDifference) -> Plan {
        Plan { names: self.names, duty: self.duty, differences }
    }
}

impl Verify {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let plan = self.what.plan(OnDifference::Refuse);
        let mut progress = Progress::of("events");
        let outcome = rebuild::verify(&log, &Clock::default(), &plan, &mut |at| progress.at_position(at.position, at.head)).await;
        drop(progress);
        report(outcome, self.format, "equal what the log gives")
    }
}

impl Rebuild {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let differences = if self.accept_differences { OnDifference::Accept } else { OnDifference::Refuse };
        let plan = self.what.plan(differences);
        let mut progress = Progress::of("events");
        let outcome =
            rebuild::rebuild(&log, &Clock::default(), &plan, &mut |at| progress.at_position(at.position, at.head)).await;
        drop(progress);
        report(outcome, self.format, "are built anew and live")
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
            "equal": rebuilt.differences.is_empty(), "position": rebuilt.position, "projections": projections,
            "differences": as_json(&rebuilt.differences),
        }));
    }
    let mut list = List::begin(format, &["projection", "rows"]);
    for one in &rebuilt.projections {
        list.add(vec![one.name.to_owned(), one.rows.to_string()], &Value::Null)?;
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

impl Clean {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let dropped = rebuild::drop_retired(&log, &self.names).await?;
        if self.format.json {
            return output::json(&json!({"dropped": dropped}));
        }
        output::line(format_args!("{dropped} replaced generations dropped."))
    }
}
