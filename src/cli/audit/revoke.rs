//! `grantlog audit revoke`: ends all that descends from a point.

use domain::{GrantId, SessionId, Timestamp};
use serde_json::json;

use crate::{
    audit::{self, Besides, Descent, EndedAt, GrantAt, moment},
    cli::{
        failure::Failure,
        input,
        output::{self, Format, List},
        store::{Context, find_client},
    },
    clock::rfc3339,
    dispatch::Dispatch,
    log::Actor,
};

use super::{remember, user_of};

/// Grants that are shown before they are revoked: the others are counted.
const SHOWN: usize = 50;

/// Revoke all that descends from a point: a grant, a client, a user, a sign-in, a key, a moment
///
/// It shows first what would die. All of it dies in one append, or nothing does. A client is disabled with it, a user locked, a sign-in
/// ended, a key replaced, so that nothing new can come of it: `client enable` and `user unlock` let them act again, and revive nothing.
/// With --since, and for a single grant, the grants are revoked and nothing else: those of which something was issued then or later.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit revoke --client Shop --dry-run
  grantlog audit revoke --client Shop --since 2026-11-25T14:00:00Z --yes
  grantlog audit revoke --user mika
  grantlog audit revoke --since 2026-11-25T14:00:00Z --dry-run --json")]
pub(in crate::cli) struct Revoke {
    #[command(flatten)]
    point: Point,
    /// Only grants of which something was issued then or later: RFC 3339, or a day
    #[arg(long, value_name = "TIME", value_parser = moment, required_unless_present = "point", conflicts_with = "grant")]
    since: Option<Timestamp>,
    /// Show what would die, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(id = "point", multiple = false)]
struct Point {
    /// A grant, by its id
    #[arg(long)]
    grant: Option<GrantId>,
    /// A client, by client_id or name
    #[arg(long, allow_hyphen_values = true)]
    client: Option<String>,
    /// A user, by sign-in name or id
    #[arg(long, allow_hyphen_values = true)]
    user: Option<String>,
    /// A sign-in, by its id
    #[arg(long)]
    session: Option<SessionId>,
    /// A signing key, by its kid
    #[arg(long, allow_hyphen_values = true)]
    key: Option<String>,
}

impl Revoke {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let descent = Descent { point: self.point.find(&dispatch).await?, since: self.since };
        let Some(grants) = descent.living(&dispatch).await? else { return Err(self.point.unknown()) };
        remember(&dispatch, descent.read()).await?;
        if !self.format.json {
            show(&dispatch, &grants).await?;
        }
        let besides = descent.besides().map(in_words).unwrap_or_default();
        let what = format!("live grants: {}{besides}", grants.len());
        if self.dry_run {
            return match self.format.json {
                true => output::json(&descent.to_json(&grants, None)),
                false => output::line(format_args!("It would revoke {what}. Nothing was changed.")),
            };
        }
        if !self.yes {
            input::confirm(&format!("This revokes {what}."))?;
        }
        let ended = descent.end(&dispatch, Actor::Operator, &grants).await?;
        let EndedAt { position, count } = ended;
        match self.format.json {
            true => output::json(&descent.to_json(&grants, Some(ended))),
            false => output::line(format_args!("Revoked at position {position}: live grants: {count}{besides}.")),
        }
    }
}

impl Point {
    async fn find(&self, dispatch: &Dispatch) -> Result<audit::Point, Failure> {
        let Self { grant, client, user, session, key } = self;
        Ok(match (grant, client, user, session, key) {
            (Some(grant), ..) => audit::Point::Grant(*grant),
            (None, Some(client), ..) => audit::Point::Client(find_client(&dispatch.log, client).await?.0),
            (None, None, Some(user), ..) => audit::Point::User(user_of(dispatch, user).await?),
            (None, None, None, Some(session), _) => audit::Point::Session(*session),
            (None, None, None, None, Some(key)) => audit::Point::Key(key.clone()),
            (None, None, None, None, None) => audit::Point::Issuer,
        })
    }

    fn unknown(&self) -> Failure {
        Failure::Refused(match (&self.grant, &self.session, &self.key) {
            (Some(grant), ..) => format!("there is no grant {grant}: `grantlog audit replay` shows all"),
            (None, Some(session), _) => format!("there is no such session: {session}"),
            (None, None, Some(key)) => format!("there is no key {key}: `grantlog keys list` shows all"),
            (None, None, None) => "there is nothing of that name".to_owned(),
        })
    }
}

/// What ends with the grants.
const fn in_words(besides: Besides) -> &'static str {
    match besides {
        Besides::ClientDisabled => ", and the client is disabled",
        Besides::UserLocked => ", and the user is locked out",
        Besides::SessionEnded => ", and the sign-in ends",
        Besides::KeyReplaced => ", in so far as the key signed their tokens, and the key is replaced",
    }
}

/// Shows the first of the grants.
async fn show(dispatch: &Dispatch, grants: &[GrantId]) -> Result<(), Failure> {
    let mut list = List::begin(Format { json: false }, &["grant", "client", "user", "scope", "begun", "last issued"]);
    for id in grants.iter().take(SHOWN) {
        let Some(file) = audit::grant(&dispatch.log, *id).await? else { continue };
        let record = &file.record;
        let names = dispatch.usernames(&record.user_id.into_iter().collect::<Vec<_>>()).await?;
        let line = GrantAt::new(record, dispatch.clock.now(), &names);
        let (begun, last) = (rfc3339(record.begun.at), rfc3339(record.last_issued.at));
        let cells = [id.to_string(), line.client().to_owned(), line.user(), record.scope.to_string(), begun, last];
        list.add(cells.to_vec(), &json!(null))?;
    }
    list.end("Nothing of it lives.")?;
    match grants.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => output::line(format_args!("... and {more} more")),
    }
}
