//! `grantlog audit diff`: what became of grants between two places in the log.

use std::collections::HashMap;

use domain::{
    UserId,
    audit::{Question, Read},
};

use crate::{
    audit::{AsOf, GrantAt, GrantRecord, Place, resolve},
    cli::{
        failure::Failure,
        output::{Format, List},
        store::Context,
    },
    clock::rfc3339,
};

use super::{lines::why, remember, replay::read};

/// Tell which grants began, ended and expired between two places in the log
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit diff --from 2026-11-24 --to 2026-11-25
  grantlog audit diff --from 1200 --json | jq -r '.[] | select(.change == \"ended\") | .grant_id'")]
pub(in crate::cli) struct Diff {
    /// After this: a position, or a moment
    #[arg(long, value_name = "PLACE")]
    from: AsOf,
    /// Up to and with this; else up to now
    #[arg(long, value_name = "PLACE")]
    to: Option<AsOf>,
    #[command(flatten)]
    format: Format,
}

impl Diff {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let from = resolve(&dispatch.log, self.from).await?;
        let to = resolve(&dispatch.log, self.to.unwrap_or_else(|| AsOf::Now(dispatch.clock.now()))).await?;
        if to.position < from.position {
            return Err(Failure::Usage("--to is before --from".to_owned()));
        }
        remember(&dispatch, Read::of(Question::Changes)).await?;
        let mut list = List::begin(self.format, &["grant", "change", "when", "client", "user", "scope", "why"]);
        let mut replayed = read(&dispatch.log, to).await?;
        while let Some(records) = replayed.next_grants()? {
            let changed: Vec<_> = records.into_iter().filter(|record| changes(record, from, to).next().is_some()).collect();
            let users: Vec<UserId> = changed.iter().filter_map(|record| record.user_id).collect();
            let names = dispatch.usernames(&users).await?;
            for record in &changed {
                for (change, when) in changes(record, from, to) {
                    add(&mut list, (record, &names, to), (change, when))?;
                }
            }
        }
        list.end("Nothing.")
    }
}

fn add(
    list: &mut List,
    (record, names, to): (&GrantRecord, &HashMap<UserId, String>, Place),
    (change, when): (&str, String),
) -> Result<(), Failure> {
    let line = GrantAt::new(record, to.at, names);
    let mut element = serde_json::to_value(&line).map_err(|error| Failure::Failed(error.to_string()))?;
    element["change"] = change.into();
    element["changed_at"] = when.clone().into();
    let why = record.ended.as_ref().filter(|_| change == "ended").map(why).unwrap_or_default();
    let cells = [&record.grant_id.to_string(), change, &when, line.client(), &line.user(), &record.scope.to_string(), &why];
    list.add(cells.map(str::to_owned).to_vec(), &element)
}

/// What became of a grant after one place and up to another, and when.
fn changes(record: &GrantRecord, from: Place, to: Place) -> impl Iterator<Item = (&'static str, String)> {
    let began = (record.begun.position > from.position).then(|| ("began", rfc3339(record.begun.at)));
    let ended = record.ended.as_ref().filter(|end| end.place.position > from.position);
    let ended = ended.map(|end| ("ended", rfc3339(end.place.at)));
    let by_itself = record.ended.is_none() && record.ends_at > from.at && record.ends_at <= to.at;
    let expired = by_itself.then(|| ("expired", rfc3339(record.ends_at)));
    [began, ended, expired].into_iter().flatten()
}
