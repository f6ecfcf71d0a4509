//! `grantlog audit revoke`: ends all that descends from a point.

use domain::{
    GrantId, SessionId, Timestamp,
    audit::{Question, Read},
};
use projections::standing::Ground;
use serde_json::json;

use crate::{
    audit::{self, GrantAt, living_on, moment},
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

/// How it is ended.
enum End {
    Grants,
    Client(domain::ClientId),
    User(domain::UserId),
    Session(SessionId),
    Key(String),
}

impl Revoke {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (end, grants) = self.plan(&dispatch).await?;
        remember(&dispatch, end.read()).await?;
        if !self.format.json {
            show(&dispatch, &grants).await?;
        }
        let what = format!("live grants: {}{}", grants.len(), end.besides());
        if self.dry_run {
            return match self.format.json {
                true => output::json(&json!({"grants": grants, "revoked": false})),
                false => output::line(format_args!("It would revoke {what}. Nothing was changed.")),
            };
        }
        if !self.yes {
            input::confirm(&format!("This revokes {what}."))?;
        }
        let position = end.perform(&dispatch, &grants).await?;
        match self.format.json {
            true => output::json(&json!({"grants": grants, "revoked": true, "position": position})),
            false => output::line(format_args!("Revoked at position {position}: {what}.")),
        }
    }

    /// How it is ended, and the grants that live at present and end with it.
    async fn plan(&self, dispatch: &Dispatch) -> Result<(End, Vec<GrantId>), Failure> {
        let Point { grant, client, user, session, key } = &self.point;
        if let Some(grant) = grant {
            let Some(file) = audit::grant(&dispatch.log, *grant).await? else {
                return Err(Failure::Refused(format!("there is no grant {grant}: `grantlog audit replay` shows all")));
            };
            let lives = file.record.state(dispatch.clock.now()) == audit::GrantState::Live;
            return Ok((End::Grants, if lives { vec![*grant] } else { vec![] }));
        }
        let end = match (client, user, session, key) {
            (Some(client), _, _, _) => End::Client(find_client(&dispatch.log, client).await?.0),
            (None, Some(user), _, _) => End::User(user_of(dispatch, user).await?),
            (None, None, Some(session), _) => End::Session(*session),
            (None, None, None, Some(key)) => End::Key(key.clone()),
            (None, None, None, None) => End::Grants,
        };
        let id = end.id();
        let ground = end.ground(&id);
        let grants = living_on(dispatch.log.db(), ground, self.since.unwrap_or_default(), dispatch.clock.now()).await?;
        Ok((if self.since.is_some() { End::Grants } else { end }, grants))
    }
}

impl End {
    fn id(&self) -> String {
        match self {
            Self::Grants => String::new(),
            Self::Client(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Session(id) => id.to_string(),
            Self::Key(kid) => kid.clone(),
        }
    }

    const fn ground<'a>(&self, id: &'a str) -> Ground<'a> {
        match self {
            Self::Grants => Ground::Issuer,
            Self::Client(_) => Ground::Client(id),
            Self::User(_) => Ground::User(id),
            Self::Session(_) => Ground::Session(id),
            Self::Key(_) => Ground::Key(id),
        }
    }

    /// What is told of it before it ends.
    const fn read(&self) -> Read {
        let read = Read::of(Question::Revocation);
        match self {
            Self::Grants | Self::Session(_) | Self::Key(_) => read,
            Self::Client(id) => Read { client_id: Some(*id), ..read },
            Self::User(id) => Read { user_id: Some(*id), ..read },
        }
    }

    /// What ends with the grants.
    const fn besides(&self) -> &'static str {
        match self {
            Self::Grants => "",
            Self::Client(_) => ", and the client is disabled",
            Self::User(_) => ", and the user is locked out",
            Self::Session(_) => ", and the sign-in ends",
            Self::Key(_) => ", in so far as the key signed their tokens, and the key is replaced",
        }
    }

    async fn perform(&self, dispatch: &Dispatch, grants: &[GrantId]) -> Result<i64, Failure> {
        let by = Actor::Operator;
        Ok(match self {
            Self::Grants => dispatch.revoke_grants(by, grants).await?.position,
            Self::Client(id) => dispatch.disable_client(by, *id).await?.position,
            Self::User(id) => dispatch.lock_user(by, *id).await?.position,
            Self::Session(id) => dispatch.end_session(by, *id).await?.position,
            Self::Key(kid) => dispatch.replace_key(by, kid).await?.position,
        })
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
