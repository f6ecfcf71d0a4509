//! `grantlog audit check-token`: whether a token with a good signature was issued at all.

use secrecy::ExposeSecret;

use crate::{
    audit::{self, FoundToken, TokenCheck},
    cli::{
        failure::Failure,
        input,
        output::{self, Format, moment},
        store::Context,
    },
};

use super::remember;

/// Tell whether a signed token was ever issued
///
/// A token that our key signed, and that the log knows nothing of, was made by somebody who has that key. One that has expired, or
/// whose key was retired, can be checked as well.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  grantlog audit check-token - < token.jwt")]
pub(in crate::cli) struct CheckToken {
    /// The token (JWT); - reads it from standard input, where others on this machine do not see it
    #[arg(allow_hyphen_values = true)]
    token: String,
    #[command(flatten)]
    format: Format,
}

impl CheckToken {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let token = match self.token.as_str() {
            "-" => input::secret("token")?,
            given => given.into(),
        };
        let dispatch = context.dispatch().await?;
        let checked = audit::check_token(&dispatch, token.expose_secret().trim()).await?;
        if let Some(read) = checked.read() {
            remember(&dispatch, read).await?;
        }
        match &checked {
            TokenCheck::NotSigned => {
                Err(Failure::Refused("no key of this issuer's signed it: nobody who checks signatures takes it".to_owned()))
            }
            TokenCheck::Issued(_) if self.format.json => output::json(&checked.to_json()),
            TokenCheck::Issued(found) => tell(found),
            TokenCheck::Forged(forgery) => {
                if self.format.json {
                    output::json(&checked.to_json())?;
                } else {
                    output::line("It says")?;
                    output::line(&forgery.claims)?;
                }
                Err(Failure::Partial(format!(
                    "this token was never issued, but our key {0} signed it: that key is stolen.\nNow: `grantlog keys rotate`, then \
                     `grantlog keys retire {0}`, after which everything that it signed is dead.",
                    forgery.kid
                )))
            }
        }
    }
}

fn tell(found: &FoundToken) -> Result<(), Failure> {
    let token = found.token();
    output::line(format_args!("Issued: it is in the log at position {}.", token.issued.position))?;
    output::pairs([
        ("issued", moment(token.issued.at.unix())),
        ("grant", found.file.record.grant_id.to_string()),
        ("jti", token.jti.map(|jti| jti.to_string()).unwrap_or_default()),
        ("signed by", token.kid.clone().unwrap_or_default()),
        ("until", moment(token.expires_at.unix())),
    ])
}
