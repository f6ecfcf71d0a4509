//! `grantlog user show`: one person, what they sign in with, and whether mails reach them.

use domain::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{
        failure::Failure,
        output::{self, Format, List, moment},
        store::{Context, find_user},
    },
    dispatch::KnownPasskey,
};

use super::open;

/// Show a user, and what they sign in with
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog user show mika
  grantlog user show mika --json | jq -r '.passkeys[].id'")]
pub(in crate::cli) struct Show {
    /// Their sign-in name or id
    #[arg(allow_hyphen_values = true)]
    user: String,
    #[command(flatten)]
    format: Format,
}

impl Show {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let (id, row) = find_user(&dispatch, &self.user).await?;
        let created_at = row.created_at;
        let (_, mut members) = open(&dispatch, row).await?;
        let (factors, passkeys) = (dispatch.second_factors(id).await?, dispatch.passkeys(id).await?);
        members.insert("created_at".to_owned(), created_at.into());
        members.insert("authenticator".to_owned(), factors.authenticator.into());
        members.insert("recovery_codes_left".to_owned(), factors.recovery_codes.len().into());
        members.insert("passkeys".to_owned(), passkeys.iter().map(told).collect());
        if self.format.json {
            return output::json(&members);
        }
        let text = |member: &str| members.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        output::pairs([
            ("id", id.to_string()),
            ("username", text("username")),
            ("name", text("name")),
            ("email", text("email")),
            ("email verified", yes(members.get("email_verified") == Some(&Value::Bool(true)))),
            ("state", text("state")),
            ("administrator", yes(members.get("administrator") == Some(&Value::Bool(true)))),
            ("made", moment(created_at)),
            ("authenticator", yes(factors.authenticator)),
            ("recovery codes", factors.recovery_codes.len().to_string()),
        ])?;
        let mut list = List::begin(self.format, &["passkey", "name", "enrolled", "last used", "synchronised", "refused"]);
        for passkey in &passkeys {
            let at = |at: Option<Timestamp>| at.map(|at| moment(at.unix())).unwrap_or_default();
            let (enrolled, used, refused) = (at(Some(passkey.enrolled_at)), at(passkey.last_used_at), at(passkey.went_back_at));
            let cells = vec![passkey.id.to_string(), passkey.name.clone(), enrolled, used, yes(passkey.backed_up), refused];
            list.add(cells, &told(passkey))?;
        }
        list.end("They have no passkeys.")
    }
}

/// A passkey as programs see it.
fn told(passkey: &KnownPasskey) -> Value {
    json!({
        "id": passkey.id,
        "name": passkey.name,
        "backed_up": passkey.backed_up,
        "enrolled_at": passkey.enrolled_at.unix(),
        "last_used_at": passkey.last_used_at.map(Timestamp::unix),
        "refused_at": passkey.went_back_at.map(Timestamp::unix),
    })
}
