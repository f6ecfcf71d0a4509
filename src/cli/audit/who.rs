//! `grantlog audit who`: who could do something at a moment.

use std::collections::BTreeMap;

use domain::{
    ClientId, Timestamp, UserId,
    audit::{Question, Read},
};
use serde_json::json;

use crate::{
    audit::{AsOf, Filter, GrantState, resolve},
    cli::{
        failure::Failure,
        output::{Format, List},
        store::{Context, find_client},
    },
    clock::rfc3339,
};

use super::{place, remember, replay::read};

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
    #[arg(long, value_name = "PLACE", value_parser = place)]
    as_of: Option<AsOf>,
    #[command(flatten)]
    format: Format,
}

/// What a client could do in a user's name, or in its own.
struct Access {
    client_id: String,
    name: Option<String>,
    grants: u64,
    since: Timestamp,
    until: Timestamp,
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
        let mut found: BTreeMap<(Option<UserId>, Option<ClientId>), Access> = BTreeMap::new();
        let mut replayed = read(&dispatch.log, at).await?;
        while let Some(records) = replayed.next_grants()? {
            for record in records.into_iter().filter(|record| filter.takes(record, at.at)) {
                let access = found.entry((record.user_id, record.client.id)).or_insert_with(|| Access {
                    client_id: record.client.client_id,
                    name: record.client.name,
                    grants: 0,
                    since: record.begun.at,
                    until: record.ends_at,
                });
                access.grants += 1;
                access.since = access.since.min(record.begun.at);
                access.until = access.until.max(record.ends_at);
            }
        }
        let users: Vec<UserId> = found.keys().filter_map(|(user, _)| *user).collect();
        let names = dispatch.usernames(&users).await?;
        let mut list = List::begin(self.format, &["user", "client", "client_id", "grants", "since", "until"]);
        for ((user, _), access) in found {
            let Access { client_id, name, grants, since, until } = access;
            let (username, since, until) = (user.and_then(|user| names.get(&user)), rfc3339(since), rfc3339(until));
            let element = json!({
                "user_id": user, "username": username, "client_id": client_id, "client_name": name, "grants": grants,
                "since": since, "until": until,
            });
            let id = user.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let cells =
                vec![username.cloned().unwrap_or(id), name.unwrap_or_default(), client_id, grants.to_string(), since, until];
            list.add(cells, &element)?;
        }
        list.end("Nobody.")
    }
}
