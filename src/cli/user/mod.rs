//! `grantlog user`: people are made, listed, locked, erased.

mod create;
mod import;
mod second_factor;
mod set_email;
mod show;

use domain::UserId;
use futures_util::{StreamExt, stream};
use projections::{
    Page,
    account::{self, AccountRow},
};
use serde_json::{Map, Value, json};

use crate::{
    dispatch::{Dispatch, Profile},
    log::{Actor, Unavailable},
};

use super::{
    failure::Failure,
    input,
    output::{self, Format, List, day},
    store::{Context, find_user},
};
use create::Create;
use import::Import;
use second_factor::RemoveSecondFactor;
use set_email::SetEmail;
use show::Show;

/// Users read at a time, and of those, profiles opened at a time.
const PAGE: u32 = 500;
const AT_A_TIME: usize = 16;

/// Make people's accounts, look at them, lock or erase them
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog user create --username mika --password-stdin < password.txt
  grantlog user lock mika
  grantlog user list")]
pub(super) enum UserCommand {
    Create(Box<Create>),
    Import(Import),
    List(Listing),
    Show(Show),
    SetEmail(SetEmail),
    SetPassword(SetPassword),
    RemoveSecondFactor(RemoveSecondFactor),
    Lock(Lock),
    Unlock(Unlock),
    Erase(Erase),
}

/// List all users
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  grantlog user list\n  grantlog user list --json | jq -r '.[] | select(.state == \"locked\") | .username'"
)]
pub(super) struct Listing {
    #[command(flatten)]
    format: Format,
}

/// Set a user's password, read from standard input
///
/// Everything that was issued to the user before is dead: they sign in anew, and so does whoever knew the old password.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  grantlog user set-password mika\n  printf %s \"$PASSWORD\" | grantlog user set-password mika"
)]
pub(super) struct SetPassword {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    #[command(flatten)]
    format: Format,
}

/// Lock a user out: everything that was issued to them is dead at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog user lock mika")]
pub(super) struct Lock {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    #[command(flatten)]
    format: Format,
}

/// Let a locked user sign in again; what was dead stays dead
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog user unlock mika")]
pub(super) struct Unlock {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    #[command(flatten)]
    format: Format,
}

/// Erase a user for ever
///
/// The key under which everything personal of theirs is sealed in the log is destroyed: nobody can read it again, also not from
/// the log. Their tokens are dead, and their sign-in name is free. Backups made before still hold the key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grantlog user erase mika\n  grantlog user erase mika --yes")]
pub(super) struct Erase {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

impl UserCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::List(command) => list(context, command.format).await,
            Self::Show(command) => command.run(context).await,
            Self::SetEmail(command) => command.run(context).await,
            Self::SetPassword(command) => command.run(context).await,
            Self::RemoveSecondFactor(command) => command.run(context).await,
            Self::Lock(command) => command.run(context).await,
            Self::Unlock(command) => command.run(context).await,
            Self::Erase(command) => command.run(context).await,
        }
    }
}

/// A user as programs see them. Nothing personal of an erased one is there to be seen.
fn members(id: UserId, profile: Option<&Profile>, state: &str, administrator: bool) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(id));
    members.insert("sub".to_owned(), json!(id));
    members.insert("username".to_owned(), json!(profile.map(|profile| &profile.username)));
    members.insert("state".to_owned(), state.into());
    members.insert("administrator".to_owned(), administrator.into());
    members.extend(profile.into_iter().flat_map(|profile| profile.claims.clone()));
    members
}

async fn list(context: Context, format: Format) -> Result<(), Failure> {
    let dispatch = context.dispatch().await?;
    let mut list = List::begin(format, &["id", "username", "email", "state", "made"]);
    let mut after = String::new();
    loop {
        let rows =
            account::list(dispatch.log.db(), Page { after: Some(&after), limit: PAGE }).await.map_err(Unavailable::from)?;
        let Some(last) = rows.last() else { break };
        after = last.id.clone();
        let mut opened = stream::iter(rows.into_iter().map(|row| open(&dispatch, row))).buffered(AT_A_TIME);
        while let Some(opened) = opened.next().await {
            let (row, mut members) = opened?;
            members.insert("created_at".to_owned(), row.created_at.into());
            let text = |member: &str| members.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            let state = if row.administrator { format!("{}, administrator", row.state) } else { row.state.clone() };
            let cells = vec![row.id, text("username"), text("email"), state, day(row.created_at)];
            list.add(cells, &Value::Object(members))?;
        }
    }
    list.end("There are no users yet: `grantlog user create --help` shows how to make one.")
}

async fn open(dispatch: &Dispatch, row: AccountRow) -> Result<(AccountRow, Map<String, Value>), Failure> {
    let id = row.id.parse().map_err(|_| Failure::Failed(format!("the store holds an id that is none: {}", row.id)))?;
    let profile = dispatch.profile(id, &row.profile).await?;
    let members = members(id, profile.as_ref(), &row.state, row.administrator);
    Ok((row, members))
}

impl SetPassword {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        let password = input::secret("new password")?;
        let done = dispatch.set_password(Actor::Operator, id, password).await?;
        tell(id, "password_set", done.position, self.format, "The password is set. All that was issued before is dead.")
    }
}

impl Lock {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        let done = dispatch.lock_user(Actor::Operator, id).await?;
        tell(id, "locked", done.position, self.format, "The user is locked. All that was issued to them is dead.")
    }
}

impl Unlock {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        let done = dispatch.unlock_user(Actor::Operator, id).await?;
        tell(id, "active", done.position, self.format, "The user may sign in again.")
    }
}

impl Erase {
    async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        if !self.yes {
            input::confirm(&format!("This erases the user {} ({id}) for ever.", self.user))?;
        }
        let done = dispatch.erase_user(Actor::Operator, id).await?;
        tell(id, "erased", done.position, self.format, "The user is erased. Their key is destroyed.")
    }
}

fn tell(id: UserId, state: &str, position: i64, format: Format, said: &str) -> Result<(), Failure> {
    if format.json {
        return output::json(&json!({"id": id, "state": state, "position": position}));
    }
    output::line(said)
}
