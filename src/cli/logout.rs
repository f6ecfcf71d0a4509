//! `grantlog logout`: which applications are still to be told that sign-ins have ended.

use serde_json::json;

use crate::log::PendingNotice;

use super::{
    failure::Failure,
    output::{Format, List, moment},
    store::Context,
};

/// See which applications are still to be told that sign-ins have ended
///
/// An application that was registered with a backchannel_logout_uri is called when a sign-in ends in which it learned who somebody is. What
/// came of it is in the log (`grantlog log show session-...`); this lists what is not told yet.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog logout pending
  grantlog log tail --all --json | jq 'select(.type == \"session.client_notified\")'")]
pub(super) enum LogoutCommand {
    Pending(Pending),
}

/// List what is still to be told, the earliest ends first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog logout pending
  grantlog logout pending --json | jq length")]
pub(super) struct Pending {
    /// How many at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    lines: u32,
    #[command(flatten)]
    format: Format,
}

impl LogoutCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Pending(command) => command.run(context).await,
        }
    }
}

impl Pending {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut list = List::begin(self.format, &["session", "client", "ended", "tries", "again", "problem"]);
        for notice in log.pending_notices(self.lines).await? {
            let element = json!(notice);
            let PendingNotice { session_id, client_id, user_id: _, ended_at, tries, due_at, problem } = notice;
            let cells =
                vec![session_id, client_id, moment(ended_at), tries.to_string(), moment(due_at), problem.unwrap_or_default()];
            list.add(cells, &element)?;
        }
        list.end("Every application has been told.")
    }
}
