//! `grantlog projections`: the read models, compared with the log they are made from, and built anew beside a running server.

mod build;

use serde_json::json;

use crate::log::{
    rebuild::{self, RebuildError},
    sample::SampleError,
};

use super::{
    failure::Failure,
    output::{self, Format, List},
    store::Context,
};

/// Compare the read models with the log, or build them anew
///
/// Everything grantlog answers is read from projections of the log. They are written in the transaction of the events, and can at any
/// time be built anew from the log, beside the live ones, while the server serves.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog projections list
  grantlog projections status
  grantlog projections verify
  grantlog projections rebuild token")]
pub(super) enum ProjectionsCommand {
    List(ListAll),
    Status(Status),
    Verify(build::Verify),
    Rebuild(build::Rebuild),
    Switch(build::Switch),
    Rollback(build::Rollback),
    Clean(Clean),
}

/// Show which projections there are, and what each answers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections list")]
pub(super) struct ListAll {
    #[command(flatten)]
    format: Format,
}

/// Show which generations of the projections there are
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections status")]
pub(super) struct Status {
    #[command(flatten)]
    format: Format,
}

/// Drop the generations that are not live
///
/// Those that a rebuild has replaced, after which there is no way back to them, and those that wait for a switch.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog projections clean")]
pub(super) struct Clean {
    /// Which projections; all if none is named
    names: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl ProjectionsCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(),
            Self::Status(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Rebuild(command) => command.run(context).await,
            Self::Switch(command) => command.run(context).await,
            Self::Rollback(command) => command.run(context).await,
            Self::Clean(command) => command.run(context).await,
        }
    }
}

impl From<SampleError> for Failure {
    fn from(error: SampleError) -> Self {
        match error {
            SampleError::Store(_) | SampleError::Unavailable(_) => Self::Unavailable(error.to_string()),
            SampleError::Event(_) | SampleError::Stream { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Store(_) => Self::Unavailable(error.to_string()),
            RebuildError::Unknown(_) | RebuildError::UnderWay | RebuildError::Busy | RebuildError::NothingBuilt(_) => {
                Self::Refused(error.to_string())
            }
            RebuildError::Lock(_) | RebuildError::Event(_) => Self::Failed(error.to_string()),
            RebuildError::Differs(_) => Self::Partial(error.to_string()),
        }
    }
}

impl ListAll {
    fn run(self) -> Result<(), Failure> {
        let mut list = List::begin(self.format, &["projection", "form", "a row is named by", "what it answers"]);
        for table in rebuild::all() {
            let element =
                json!({"name": table.name, "form": table.form, "key": table.key, "question": table.question, "live": true});
            list.add(
                vec![table.name.to_owned(), table.form.to_string(), table.key.join(", "), table.question.to_owned()],
                &element,
            )?;
        }
        list.end("There are none.")
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

impl Clean {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let dropped = rebuild::drop_unused(&log, &self.names).await?;
        if self.format.json {
            return output::json(&json!({"dropped": dropped}));
        }
        output::line(format_args!("{dropped} generations dropped that were not live."))
    }
}
