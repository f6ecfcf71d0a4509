//! `grantlog user create`: a person's account.

use std::collections::BTreeMap;

use domain::{catalogue::Catalogue, claim::ClaimKind};
use serde_json::Value;

use crate::{
    cli::{
        failure::Failure,
        input,
        output::{self, Format},
        store::Context,
    },
    dispatch::{NewUser, Profile},
    log::Actor,
};

use super::members;

/// Make a user
///
/// The password is read from standard input, never from the command line, where others on the machine could see it. Without
/// --password-stdin the user cannot sign in until `grantlog user set-password`. What is personal is sealed under a key of the user's
/// own before it reaches the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog user create --username mika --password-stdin < password.txt
  printf %s \"$PASSWORD\" | grantlog user create --username mika \\
    --name \"Mika K.\" --email mika@example.org --password-stdin --json
  grantlog user create --username root --admin --password-stdin
  grantlog user create --username mika --claim birthdate=1990-01-01 \\
    --claim 'address={\"country\": \"JP\"}' --claim 'groups=[\"staff\"]'")]
pub(in crate::cli) struct Create {
    /// The name to sign in with
    #[arg(long, value_name = "NAME")]
    username: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Let them administer the issuer
    #[arg(long)]
    admin: bool,
    /// Their whole name
    #[arg(long)]
    name: Option<String>,
    /// Their given name
    #[arg(long, value_name = "NAME")]
    given_name: Option<String>,
    /// Their family name
    #[arg(long, value_name = "NAME")]
    family_name: Option<String>,
    /// Their mail address
    #[arg(long, value_name = "MAIL")]
    email: Option<String>,
    /// Their mail address is known to be theirs
    #[arg(long)]
    email_verified: bool,
    /// Their telephone number, for example +81312345678
    #[arg(long, value_name = "NUMBER")]
    phone_number: Option<String>,
    /// Their language, for example ja
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// Their time zone, for example Asia/Tokyo
    #[arg(long, value_name = "ZONE")]
    zoneinfo: Option<String>,
    /// Any other standard claim of OpenID Connect (Core section 5.1), or one that a scope of the settings names
    #[arg(long, value_name = "CLAIM=VALUE")]
    claim: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl Create {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let claims = self.claims(&Catalogue::unadopted(context.settings.catalogue()))?;
        let password = if self.password_stdin { Some(input::secret("password")?) } else { None };
        let has_password = password.is_some();
        let dispatch = context.dispatch().await?;
        let profile = Profile { username: self.username.clone(), claims };
        let new = NewUser { profile: profile.clone(), password, password_digest: None, administrator: self.admin };
        let done = dispatch.create_user(Actor::Operator, new).await?;
        if self.format.json {
            let mut members = members(done.answer, Some(&profile), "active", self.admin);
            members.insert("position".to_owned(), done.position.into());
            return output::json(&members);
        }
        output::line(format_args!("Made the user {}.\n  id  {}", self.username, done.answer))?;
        match has_password {
            true => Ok(()),
            false => output::line(format_args!("They have no password yet: grantlog user set-password {}", self.username)),
        }
    }

    fn claims(&self, catalogue: &Catalogue) -> Result<BTreeMap<String, Value>, Failure> {
        let texts = [
            ("name", &self.name),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("email", &self.email),
            ("phone_number", &self.phone_number),
            ("locale", &self.locale),
            ("zoneinfo", &self.zoneinfo),
        ];
        let mut claims: BTreeMap<_, _> =
            texts.into_iter().filter_map(|(claim, text)| Some((claim.to_owned(), text.clone()?.into()))).collect();
        if self.email_verified {
            claims.insert("email_verified".to_owned(), true.into());
        }
        for given in &self.claim {
            let (claim, text) = given
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--claim {given}: write CLAIM=VALUE, for example nickname=mi")))?;
            claims.insert(claim.to_owned(), typed(claim, text));
        }
        for (claim, value) in &claims {
            catalogue.check_claim(claim, value).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        Ok(claims)
    }
}

/// A claim's text as the kind of value that the claim has; as a text where it is none of that kind, for the check to refuse. A claim of
/// the settings has any: what is no JSON is a text.
fn typed(claim: &str, text: &str) -> Value {
    match ClaimKind::of(claim) {
        Some(ClaimKind::Flag | ClaimKind::Moment | ClaimKind::Address) | None => {
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
        Some(ClaimKind::Text) => text.into(),
    }
}
