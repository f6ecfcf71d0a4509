//! `grantlog audit diff`: what became of grants between two places in the log.

use domain::{
    UserId,
    audit::{Question, Read},
};

use crate::{
    audit::{AsOf, Became, Between, GrantAt, GrantChange, resolve},
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
        let between = Between { from, to };
        let mut list = List::begin(self.format, &["grant", "change", "when", "client", "user", "scope", "why"]);
        let mut replayed = read(&dispatch.log, to).await?;
        while let Some(records) = replayed.next_grants()? {
            let changed: Vec<_> = records.into_iter().filter(|record| between.changes(record).next().is_some()).collect();
            let users: Vec<UserId> = changed.iter().filter_map(|record| record.user_id).collect();
            let names = dispatch.usernames(&users).await?;
            for record in &changed {
                for (change, changed_at) in between.changes(record) {
                    add(&mut list, &GrantChange { grant: GrantAt::new(record, to.at, &names), change, changed_at })?;
                }
            }
        }
        list.end("Nothing.")
    }
}

fn add(list: &mut List, changed: &GrantChange<'_>) -> Result<(), Failure> {
    let element = serde_json::to_value(changed).map_err(|error| Failure::Failed(error.to_string()))?;
    let GrantChange { grant, change, changed_at } = changed;
    let (record, when) = (grant.record, rfc3339(*changed_at));
    let why = record.ended.as_ref().filter(|_| *change == Became::Ended).map(why).unwrap_or_default();
    let (id, scope) = (record.grant_id.to_string(), record.scope.to_string());
    let cells = [&id, change.as_str(), &when, grant.client(), &grant.user(), &scope, &why];
    list.add(cells.map(str::to_owned).to_vec(), &element)
}
