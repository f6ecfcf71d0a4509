//! The client and the user that `serve --dev` keeps for trying things, and the lines that do it.

use std::{collections::BTreeMap, fs, io, path::Path};

use domain::{
    Digest, UserId,
    client::{ClientMetadata, GrantType, Registration},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    cli::failure::Failure,
    credential::random_secret,
    dispatch::{NewUser, Profile, RegisterClient, SecretChoice},
    log::Actor,
    state::App,
};

use super::{demo_lines, dev::write_private};

/// Where scripts find the client and the user.
const FILE: &str = "data/dev.json";
/// The client's `client_id`.
const CLIENT: &str = "demo";
const CLIENT_NAME: &str = "Demo";
/// The user's sign-in name.
const USER: &str = "demo";
/// Where the browser goes with the code. Nothing needs to listen there: the code stands in the address.
const REDIRECT_URI: &str = "http://127.0.0.1:8765/callback";
const SCOPE: &str = "openid profile email offline_access read write";

/// What scripts need to know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Demo {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) redirect_uri: String,
    pub(super) username: String,
    pub(super) password: String,
}

/// Makes the demo client and user, or finds them, and prints the lines to try. What the file says that no longer works, or was lost,
/// is made anew.
///
/// # Errors
/// That the store does not answer, or the file cannot be written.
pub(super) async fn prepare(app: &App) -> Result<(), Failure> {
    let kept = read()?;
    let demo = Demo {
        issuer: app.settings.issuer(),
        client_id: CLIENT.to_owned(),
        client_secret: client_secret(app, kept.as_ref()).await?,
        redirect_uri: REDIRECT_URI.to_owned(),
        username: USER.to_owned(),
        password: password(app, kept.as_ref()).await?,
    };
    if kept.as_ref() != Some(&demo) {
        let json = serde_json::to_string_pretty(&demo).map_err(|error| Failure::Failed(error.to_string()))?;
        write_private(Path::new(FILE), format!("{json}\n").as_bytes())?;
    }
    demo_lines::print(&demo, app.settings.public_url(), FILE)
}

/// A file that is not there, or holds something else, is made anew.
fn read() -> Result<Option<Demo>, Failure> {
    match fs::read_to_string(FILE) {
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(FILE, &error)),
    }
}

/// The kept secret, if it still is the client's; else a new one.
async fn client_secret(app: &App, kept: Option<&Demo>) -> Result<String, Failure> {
    let client = app.dispatch.client(CLIENT).await?;
    let secret = match (&client, kept) {
        (None, _) => {
            let request = RegisterClient {
                identifier: Some(CLIENT.to_owned()),
                owner: None,
                metadata: metadata(app),
                secret: SecretChoice::Generated,
            };
            app.dispatch.register_client(Actor::Operator, request).await?.answer.secret
        }
        (Some(client), Some(kept)) if client.state.registration().is_some_and(|client| is_its_secret(app, client, kept)) => {
            return Ok(kept.client_secret.clone());
        }
        (Some(client), _) => {
            let id = domain::ClientId::new(client.id);
            app.dispatch.rotate_client_secret(Actor::Operator, id, 0).await?.answer.secret
        }
    };
    secret
        .map(|secret| secret.expose_secret().to_owned())
        .ok_or_else(|| Failure::Refused(format!("the client {CLIENT} is public by now: `serve --dev` needs one with a secret")))
}

fn is_its_secret(app: &App, client: &Registration, kept: &Demo) -> bool {
    let digest = Digest::of(kept.client_secret.as_bytes());
    client.usable_secrets(app.clock.now()).any(|secret| secret.digest.as_ref() == Some(&digest))
}

fn metadata(app: &App) -> ClientMetadata {
    let known = |name: &&str| app.settings.scopes.contains_key(*name);
    ClientMetadata {
        client_name: Some(CLIENT_NAME.to_owned()),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials],
        scope: SCOPE.split(' ').filter(known).collect(),
        ..ClientMetadata::default()
    }
}

/// The kept password, if it still is the user's; else a new one.
async fn password(app: &App, kept: Option<&Demo>) -> Result<String, Failure> {
    let Some(id) = app.dispatch.user_named(USER).await? else {
        let password = random_secret();
        let claims = BTreeMap::from([
            ("name".to_owned(), "Demo User".into()),
            ("email".to_owned(), "demo@example.org".into()),
            ("email_verified".to_owned(), true.into()),
        ]);
        let profile = Profile { username: USER.to_owned(), claims };
        let new = NewUser { profile, password: Some(password.clone()), password_digest: None, administrator: false };
        app.dispatch.create_user(Actor::Operator, new).await?;
        return Ok(password.expose_secret().to_owned());
    };
    match kept {
        Some(kept) if is_the_password(app, id, kept).await? => Ok(kept.password.clone()),
        Some(_) | None => {
            let password = random_secret();
            app.dispatch.set_password(Actor::Operator, id, password.clone()).await?;
            Ok(password.expose_secret().to_owned())
        }
    }
}

async fn is_the_password(app: &App, id: UserId, kept: &Demo) -> Result<bool, Failure> {
    Ok(app.dispatch.password_is_right(Some(id), SecretString::from(kept.password.as_str())).await?)
}
