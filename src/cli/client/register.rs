//! `grantlog client register`: an application with RFC 7591's metadata as flags.

use domain::client::ClientMetadata;
use serde_json::Value;

use crate::{
    cli::{
        failure::Failure,
        input,
        output::Format,
        store::{Context, find_user},
    },
    dispatch::{RegisterClient, SecretChoice},
    log::Actor,
};

use super::{metadata_flags::MetadataFlags, show_secret};

/// Register an application
///
/// The flags are the metadata names of RFC 7591 and OpenID Connect Registration, and grantlog's own. Lists are given by repeating a
/// flag or with commas. A confidential client gets a secret, which is shown this once; --token-endpoint-auth-method none registers a
/// public one (a single-page or mobile app), which has none.
///
/// Scopes must be among those of the settings' catalogue (a section [scopes.NAME] each). Without --scope it gets all of them that people
/// can grant, which is all but the privileged ones.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  A web application that signs people in, and keeps access while they are away:
    grantlog client register --client-name Shop \\
      --redirect-uris https://shop.example/cb \\
      --grant-types authorization_code,refresh_token \\
      --scope \"openid profile offline_access\"
  A service that acts for itself:
    grantlog client register --client-name Reports \\
      --grant-types client_credentials --scope read
  A mobile app:
    grantlog client register --client-name Phone --application-type native \\
      --token-endpoint-auth-method none \\
      --redirect-uris com.example.phone:/cb --scope \"openid read\"
  A resource server that checks tokens:
    grantlog client register --client-name API \\
      --grant-types client_credentials --scope introspection \\
      --resources https://api.example")]
pub(in crate::cli) struct Register {
    /// The client_id, if it must be a certain one; else one is made
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the client secret from standard input instead of making one
    #[arg(long)]
    client_secret_stdin: bool,
    /// The user who may manage it: sign-in name or id
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    #[command(flatten)]
    metadata: MetadataFlags,
    #[command(flatten)]
    format: Format,
}

impl Register {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let metadata: ClientMetadata = serde_json::from_value(Value::Object(self.metadata.0))
            .map_err(|error| Failure::Usage(format!("the metadata: {error}")))?;
        let secret = match (self.client_secret_stdin, metadata.has_secret()) {
            (false, _) => SecretChoice::Generated,
            (true, true) => SecretChoice::Chosen(input::secret("client secret")?),
            (true, false) => {
                return Err(Failure::Usage("such a client has no secret: leave --client-secret-stdin out".to_owned()));
            }
        };
        let dispatch = context.dispatch().await?;
        let owner = match &self.owner {
            Some(owner) => Some(find_user(&dispatch, owner).await?.0),
            None => None,
        };
        let request = RegisterClient { identifier: self.client_id, owner, metadata, secret };
        let registered = dispatch.register_client(Actor::Operator, request).await?.answer;
        show_secret(&dispatch, &registered, self.format, "Registered").await
    }
}
