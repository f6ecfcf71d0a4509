//! `grantlog user import`: people from elsewhere, with the passwords that they have.

use std::{collections::BTreeMap, path::PathBuf};

use domain::catalogue::Catalogue;
use serde_json::{Map, Value};

use crate::{
    cli::{
        failure::Failure,
        import::{self, Accepted, Imported, What, is_digest, take_text},
        input,
        output::Format,
        store::Context,
    },
    dispatch::{Dispatch, NewUser, Profile, Refusal},
    log::Actor,
};

use super::members;

/// Import users from a JSON file
///
/// The file is an array of objects: `username`, `password` (the password itself, or its argon2 PHC string, $argon2id$...; a PHC
/// string may also stand in `password_hash`), `administrator`, and OpenID Connect's standard claims (name, email, email_verified,
/// address, ...) and those that scopes of the settings name. Each entry is imported whole or not at all, and the report says which.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog user import users.json
  cat users.json
    [{\"username\": \"mika\", \"password\": \"$argon2id$v=19$m=19456,t=2,p=1$...\",
      \"name\": \"Mika K.\", \"email\": \"mika@example.org\", \"email_verified\": true}]
  grantlog user import - < users.json")]
pub(in crate::cli) struct Import {
    /// The JSON file; - reads standard input
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Import {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let entries: Vec<Value> = input::json_file(&self.file)?;
        let catalogue = Catalogue::unadopted(context.settings.catalogue());
        let dispatch = context.dispatch().await?;
        let what = What { plural: "users", unique: "username", normal: |name| name.trim().to_lowercase(), shown: "id" };
        import::import(what, self.format, entries, |entry| import_user(&dispatch, &catalogue, entry)).await
    }
}

async fn import_user(dispatch: &Dispatch, catalogue: &Catalogue, entry: Map<String, Value>) -> Result<Imported, Failure> {
    let name = entry.get("username").and_then(Value::as_str).unwrap_or_default().to_owned();
    let outcome = match read_entry(catalogue, entry) {
        Err(why) => Err(why),
        Ok(new) => {
            let (profile, administrator) = (new.profile.clone(), new.administrator);
            match dispatch.create_user(Actor::Operator, new).await {
                Err(Refusal::Unavailable(unavailable)) => return Err(unavailable.into()),
                Err(Refusal::Rule(rule)) => Err(rule.to_string()),
                Ok(done) => {
                    let members = members(done.answer, Some(&profile), "active", administrator);
                    Ok(Accepted { members, said: String::new() })
                }
            }
        }
    };
    Ok(Imported { name, outcome })
}

fn read_entry(catalogue: &Catalogue, mut entry: Map<String, Value>) -> Result<NewUser, String> {
    let username = take_text(&mut entry, "username")?.ok_or("username is missing")?;
    let password = take_text(&mut entry, "password")?;
    let mut digest = None;
    for member in ["password_hash", "password_digest"] {
        digest = digest.or(take_text(&mut entry, member)?);
    }
    let (password, password_digest) = match (password, digest) {
        (Some(_), Some(_)) => return Err("password and its digest cannot both be given".to_owned()),
        (Some(text), None) if is_digest(&text) => (None, Some(text)),
        (password, digest) => (password, digest),
    };
    let administrator = match entry.remove("administrator") {
        None => false,
        Some(Value::Bool(administrator)) => administrator,
        Some(_) => return Err("administrator must be true or false".to_owned()),
    };
    let claims: BTreeMap<_, _> = entry.into_iter().filter(|(_, value)| !value.is_null()).collect();
    for (claim, value) in &claims {
        catalogue.check_claim(claim, value).map_err(|error| error.to_string())?;
    }
    let profile = Profile { username, claims };
    Ok(NewUser { profile, password: password.map(Into::into), password_digest, administrator })
}
