//! `grantlog user remove-second-factor`: whoever lost what they sign in with is let in again.

use domain::PasskeyId;

use crate::{
    cli::{
        failure::Failure,
        output::Format,
        store::{Context, find_user},
    },
    log::Actor,
};

use super::tell;

/// Let a user sign in with the password alone, who lost what they sign in with: authenticator application, passkeys and recovery codes
///
/// Make sure that it is they who ask. They set it up again under Account.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog user remove-second-factor mika
  grantlog user show mika
  grantlog user remove-second-factor mika --passkey 019ab3c0-5f2e-7d10-8c5a-0123456789ab")]
pub(in crate::cli) struct RemoveSecondFactor {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    /// Only this passkey, by its id; `grantlog user show` lists them
    #[arg(long, value_name = "ID")]
    passkey: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl RemoveSecondFactor {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, _) = find_user(&dispatch, &self.user).await?;
        let Some(passkey) = self.passkey else {
            let done = dispatch.remove_second_factors(Actor::Operator, id).await?;
            return tell(id, "second_factor_removed", done.position, self.format, "The password alone signs the user in.");
        };
        let passkey: PasskeyId =
            passkey.parse().map_err(|_| Failure::Usage(format!("--passkey {passkey}: `grantlog user show` tells the ids")))?;
        let done = dispatch.remove_passkey(Actor::Operator, id, passkey).await?;
        tell(id, "passkey_removed", done.position, self.format, "The passkey signs nobody in any more.")
    }
}
