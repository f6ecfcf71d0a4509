//! `grantlog client import`: clients from elsewhere, with the ids, secrets and keys that they have.

use std::path::PathBuf;

use domain::client::ClientMetadata;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::{
    cli::{
        failure::Failure,
        import::{self, Accepted, Imported, What, is_digest, take_text},
        input,
        output::Format,
        store::Context,
    },
    dispatch::{Dispatch, Refusal, RegisterClient, SecretChoice},
    log::Actor,
    registration::ClientInformation,
};

/// Import clients from a JSON file
///
/// The file is an array of objects of RFC 7591 metadata (client_name, redirect_uris, grant_types, scope, ...). Each may also give
/// `client_id` and `client_secret`: the secret itself, or its argon2 PHC string ($argon2id$...). A confidential client without one
/// gets a new secret, which the report shows this once. Each entry is imported whole or not at all, and the report says which.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog client import clients.json
  cat clients.json
    [{\"client_id\": \"shop\", \"client_secret\": \"kept as it was\",
      \"client_name\": \"Shop\", \"redirect_uris\": [\"https://shop.example/cb\"],
      \"scope\": \"openid profile\"}]
  grantlog client import - < clients.json")]
pub(in crate::cli) struct Import {
    /// The JSON file; - reads standard input
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Import {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let entries: Vec<Value> = input::json_file(&self.file)?;
        let dispatch = context.dispatch().await?;
        let what = What { plural: "clients", unique: "client_id", normal: str::to_owned, shown: "client_id" };
        import::import(what, self.format, entries, |entry| import_client(&dispatch, entry)).await
    }
}

async fn import_client(dispatch: &Dispatch, entry: Map<String, Value>) -> Result<Imported, Failure> {
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = match text("client_name") {
        name if name.is_empty() => text("client_id"),
        name => name,
    };
    let outcome = match read_entry(entry) {
        Err(why) => Err(why),
        Ok((request, was_given)) => match dispatch.register_client(Actor::Operator, request).await {
            Err(Refusal::Unavailable(unavailable)) => return Err(unavailable.into()),
            Err(Refusal::Rule(rule)) => Err(rule.to_string()),
            Ok(done) => {
                let client = done.answer;
                let secret = client.secret.filter(|_| !was_given);
                let information = ClientInformation {
                    identifier: &client.identifier,
                    issued_at: dispatch.clock.now(),
                    metadata: &client.registration.metadata,
                    secret: secret.as_ref(),
                };
                let said = secret.as_ref().map(|new| format!(", new secret: {}", new.expose_secret())).unwrap_or_default();
                Ok(Accepted { members: information.members(), said })
            }
        },
    };
    Ok(Imported { name, outcome })
}

/// What an entry asks to be registered, and whether it brought its secret.
fn read_entry(mut entry: Map<String, Value>) -> Result<(RegisterClient, bool), String> {
    let identifier = take_text(&mut entry, "client_id")?;
    let secret = take_text(&mut entry, "client_secret")?;
    if let Some(expires_at) = entry.remove("client_secret_expires_at")
        && expires_at != 0
    {
        return Err("client_secret_expires_at: only a secret that does not expire (0) can be imported".to_owned());
    }
    // What another server said of the registration itself (RFC 7591 section 3.2.1, RFC 7592 section 3).
    for member in ["client_id_issued_at", "registration_access_token", "registration_client_uri"] {
        entry.remove(member);
    }
    let metadata: ClientMetadata = serde_json::from_value(Value::Object(entry)).map_err(|error| error.to_string())?;
    let was_given = secret.is_some();
    if was_given && !metadata.has_secret() {
        return Err("client_secret: a client of that token_endpoint_auth_method has no secret".to_owned());
    }
    let secret = match secret {
        None => SecretChoice::Generated,
        Some(digest) if is_digest(&digest) => SecretChoice::Digest(digest),
        Some(plain) => SecretChoice::Chosen(plain.into()),
    };
    Ok((RegisterClient { identifier, owner: None, metadata, secret }, was_given))
}
