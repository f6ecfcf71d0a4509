//! `grantlog audit`: who let whom do what, when, what came of it and how it ended, out of the log.

mod check_token;
mod diff;
mod lines;
mod prove;
mod replay;
mod revoke;
mod story;
mod token;
mod verify;
mod verify_log;
mod who;

use domain::{UserId, audit::Read};

use crate::{
    audit::{AuditError, Filter, GrantState, moment},
    dispatch::Dispatch,
    log::Actor,
};

use super::{
    failure::Failure,
    store::{Context, find_client, find_user},
};
use check_token::CheckToken;
use diff::Diff;
use prove::Prove;
use replay::Replay;
use revoke::Revoke;
use story::{Grant, OfCatalogue, OfClient, OfUser};
use token::Token;
use verify::Verify;
use verify_log::VerifyLog;
use who::Who;

/// Ask the log who let whom do what, when, and how it ended
///
/// Every answer is folded from the events, not read from a read model: what was swept away or has ended long ago is told as well.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  grantlog audit replay --user mika
  grantlog audit replay --format jsonl > grants.jsonl
  grantlog audit token eyJhbGciOiJFUzI1NiIs...
  grantlog audit who --scope write --as-of 2026-11-25")]
pub(super) enum AuditCommand {
    Replay(Replay),
    Grant(Grant),
    Token(Token),
    Client(OfClient),
    User(OfUser),
    Catalogue(OfCatalogue),
    Who(Who),
    Diff(Diff),
    Revoke(Revoke),
    Prove(Prove),
    Verify(Verify),
    VerifyLog(VerifyLog),
    CheckToken(CheckToken),
}

impl AuditCommand {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        match self {
            Self::Replay(command) => command.run(context).await,
            Self::Grant(command) => command.run(context).await,
            Self::Token(command) => command.run(context).await,
            Self::Client(command) => command.run(context).await,
            Self::User(command) => command.run(context).await,
            Self::Catalogue(command) => command.run(context).await,
            Self::Who(command) => command.run(context).await,
            Self::Diff(command) => command.run(context).await,
            Self::Revoke(command) => command.run(context).await,
            Self::Prove(command) => command.run(context).await,
            Self::Verify(command) => command.run(),
            Self::VerifyLog(command) => command.run(context).await,
            Self::CheckToken(command) => command.run(context).await,
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unavailable(unavailable) => unavailable.into(),
            AuditError::Event { .. } | AuditError::Spill(_) => Self::Failed(error.to_string()),
        }
    }
}

/// Which grants: those of which all holds that is said
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which grants")]
struct Which {
    /// Begun then or later: RFC 3339, or a day
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<domain::Timestamp>,
    /// Begun before
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<domain::Timestamp>,
    /// Of a user, by sign-in name or id; also of one who was erased, by id
    #[arg(long, allow_hyphen_values = true)]
    user: Option<String>,
    /// Of a client, by client_id or name
    #[arg(long, allow_hyphen_values = true)]
    client: Option<String>,
    /// With this scope
    #[arg(long)]
    scope: Option<String>,
    /// In this state, at the moment that --as-of says
    #[arg(long, value_enum)]
    state: Option<State>,
}

/// Whether a grant is good for anything.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum State {
    /// Something of it can be used
    Live,
    /// All of it has ended by itself
    Expired,
    /// It was ended before its time
    Ended,
}

impl From<State> for GrantState {
    fn from(state: State) -> Self {
        match state {
            State::Live => Self::Live,
            State::Expired => Self::Expired,
            State::Ended => Self::Ended,
        }
    }
}

impl Which {
    async fn filter(&self, dispatch: &Dispatch) -> Result<Filter, Failure> {
        let user = match &self.user {
            Some(user) => Some(user_of(dispatch, user).await?),
            None => None,
        };
        let client = match &self.client {
            Some(client) => Some(find_client(&dispatch.log, client).await?.0),
            None => None,
        };
        Ok(Filter { from: self.from, to: self.to, user, client, scope: self.scope.clone(), state: self.state.map(Into::into) })
    }
}

/// Remembers that somebody at the command line is told this. It comes first: what cannot be remembered is not told.
async fn remember(dispatch: &Dispatch, read: Read) -> Result<(), Failure> {
    dispatch.remember_read(Actor::Operator, read).await?;
    Ok(())
}

/// The user with this id or sign-in name.
async fn user_of(dispatch: &Dispatch, text: &str) -> Result<UserId, Failure> {
    Ok(find_user(dispatch, text).await?.0)
}
