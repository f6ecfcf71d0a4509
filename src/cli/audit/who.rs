//! `grantlog audit who`: who could do something at a moment.

use domain::audit::{Question, Read};
use serde_json::json;

use crate::{
    audit::{Access, Accesses, AsOf, Filter, GrantState, resolve},
    cli::{
        failure::Failure,
        output::{Format, List},
        store::{Context, find_client},
    },
    clock::rfc3339,
};

use super::{remember, replay::read};

/// Tell which clients could do something, and in whose name
///
/// At this moment, or at an earlier one: as the log tells it, whatever became of it later.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit who --scope write
  grantlog audit who --scope read --as-of 2026-11-25T14:00:00Z --json")]
pub(in crate::cli) struct Who {
    /// What they could do
    #[arg(long)]
    scope: String,
    /// This client alone, by client_id or name
    #[arg(long, allow_hyphen_values = true)]
    client: Option<String>,
    /// When: a position in the log, or a moment
    #[arg(long, value_name = "PLACE")]
    as_of: Option<AsOf>,
    #[command(flatten)]
    format: Format,
}

impl Who {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let client = match &self.client {
            Some(client) => Some(find_client(&dispatch.log, client).await?.0),
            None => None,
        };
        remember(&dispatch, Read { client_id: client, ..Read::of(Question::Who) }).await?;
        let filter = Filter { client, scope: Some(self.scope), state: Some(GrantState::Live), ..Filter::default() };
        let at = resolve(&dispatch.log, self.as_of.unwrap_or_else(|| AsOf::Now(dispatch.clock.now()))).await?;
        let mut found = Accesses::default();
        let mut replayed = read(&dispatch.log, at).await?;
        while let Some(records) = replayed.next_grants()? {
            records.into_iter().filter(|record| filter.takes(record, at.at)).for_each(|record| found.take(record));
        }
        let names = dispatch.usernames(&found.users()).await?;
        let mut list = List::begin(self.format, &["user", "client", "client_id", "grants", "since", "until"]);
        for access in found.named(&names) {
            let element = json!(access);
            let Access { user_id, username, client_id, client_name, grants, since, until } = access;
            let user = username.unwrap_or_else(|| user_id.map_or_else(|| "-".to_owned(), |id| id.to_string()));
            let (name, since, until) = (client_name.unwrap_or_default(), rfc3339(since), rfc3339(until));
            list.add(vec![user, name, client_id, grants.to_string(), since, until], &element)?;
        }
        list.end("Nobody.")
    }
}
