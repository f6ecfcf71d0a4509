//! `grantlog client invite`: initial access tokens (RFC 7591 section 1.2), with which applications register themselves.

use domain::InvitationId;
use projections::{
    Page,
    invitation::{self, InvitationRow},
};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    cli::{
        failure::Failure,
        output::{self, Format, List, moment},
        store::Context,
    },
    log::{Actor, Unavailable},
};

/// Invitations read at a time.
const PAGE: u32 = 500;

/// Make an initial access token, with which applications register themselves
///
/// Whoever has it can register applications at the issuer's registration endpoint (RFC 7591), so many and for so long. It is shown this
/// once. An application that registers so gets no privileged scope, and none of what only people and operators decide.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog client invite
  grantlog client invite --uses 20 --lifetime 604800 --json")]
pub(in crate::cli) struct Invite {
    /// For how many registrations it is good
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,
    /// For how long it is good
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    lifetime: u32,
    #[command(flatten)]
    format: Format,
}

/// List all invitations to register applications, but their tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog client invitations")]
pub(in crate::cli) struct Invitations {
    #[command(flatten)]
    format: Format,
}

/// Withdraw an invitation; what was registered with it stays
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog client withdraw-invitation 019ab3c0-5f2e-7d10-8c5a-0123456789ab")]
pub(in crate::cli) struct WithdrawInvitation {
    /// Its id, as `grantlog client invitations` tells it
    invitation: InvitationId,
    #[command(flatten)]
    format: Format,
}

impl Invite {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let made = dispatch.invite(Actor::Operator, self.uses, self.lifetime).await?.answer;
        let (token, expires_at) = (made.token.expose_secret(), made.expires_at.unix());
        if self.format.json {
            return output::json(&json!({
                "id": made.id, "initial_access_token": token, "uses": self.uses, "expires_at": moment(expires_at),
            }));
        }
        output::pairs([
            ("id", made.id.to_string()),
            ("initial_access_token", token.to_owned()),
            ("uses", self.uses.to_string()),
            ("expires_at", moment(expires_at)),
        ])?;
        output::line("The token is shown this once: grantlog keeps only its digest.")
    }
}

impl Invitations {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let log = context.log().await?;
        let mut list = List::begin(self.format, &["id", "state", "uses left", "expires", "made"]);
        let mut after = String::new();
        loop {
            let rows = invitation::list(log.db(), Page { after: Some(&after), limit: PAGE }).await.map_err(Unavailable::from)?;
            let Some(last) = rows.last() else { break };
            after = last.id.clone();
            for InvitationRow { id, state, uses_left, valid_until, created_at, .. } in rows {
                let (until, made) = (moment(valid_until), moment(created_at));
                let element = json!({"id": id, "state": state, "uses_left": uses_left, "expires_at": until, "made_at": made});
                list.add(vec![id, state, uses_left.to_string(), until, made], &element)?;
            }
        }
        list.end("There are no invitations: `grantlog client invite --help` shows how to make one.")
    }
}

impl WithdrawInvitation {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let done = dispatch.withdraw_invitation(Actor::Operator, self.invitation).await?;
        if self.format.json {
            return output::json(&json!({"id": self.invitation, "position": done.position}));
        }
        output::line("The invitation is good for nothing more. What was registered with it stays.")
    }
}
