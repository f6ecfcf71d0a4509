//! `grantlog user set-email`: where mails reach a person.

use crate::{
    cli::{
        failure::Failure,
        output::Format,
        store::{Context, find_user},
    },
    log::Actor,
};

use super::tell;

/// Set a user's mail address
///
/// Without --verified they have to confirm it, by a mail that they ask for under Account. Only to a confirmed address does a link go out with which
/// they choose a new password: say --verified only of an address that you know to be theirs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog user set-email mika --email mika@example.org
  grantlog user set-email mika --email mika@example.org --verified")]
pub(in crate::cli) struct SetEmail {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    /// The address
    #[arg(long, value_name = "MAIL")]
    email: String,
    /// It is known to be theirs
    #[arg(long)]
    verified: bool,
    #[command(flatten)]
    format: Format,
}

impl SetEmail {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        let done = dispatch.set_email(Actor::Operator, id, (&self.email, self.verified)).await?;
        let said = match self.verified {
            true => "The address is set. Links to a new password go out to it.",
            false => "The address is set. They have to confirm it.",
        };
        tell(id, "email_set", done.position, self.format, said)
    }
}
