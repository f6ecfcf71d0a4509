//! A secret that was just made, on its way to the one page that shows it: sealed, for one session, taken once. It never stands in a URL.

use domain::{ClientId, Digest, SessionId};
use secrecy::{ExposeSecret, SecretString};

use crate::{ephemeral, log::Unavailable, state::App};

/// The ephemeral kind.
const KIND: &str = "new_client_secret";
/// For how long it waits to be shown, in seconds.
const LIFETIME: u32 = 300;

/// Lays it down for the next page of this session that shows the client.
pub(super) async fn keep(app: &App, (session, client): (SessionId, ClientId), secret: &SecretString) -> Result<(), Unavailable> {
    let key = key(session, client);
    let sealed = app.dispatch.master.seal(KIND, &key, secret.expose_secret().as_bytes());
    ephemeral::put(app.log.db(), KIND, &key, &sealed, app.clock.now().plus(LIFETIME)).await
}

/// Takes it: no other page will show it.
pub(super) async fn take(app: &App, (session, client): (SessionId, ClientId)) -> Result<Option<String>, Unavailable> {
    let key = key(session, client);
    let Some(sealed) = ephemeral::take(app.log.db(), KIND, &key, app.clock.now()).await? else { return Ok(None) };
    let opened = app.dispatch.master.open(KIND, &key, &sealed).ok();
    Ok(opened.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn key(session: SessionId, client: ClientId) -> String {
    Digest::of(format!("{session}/{client}").as_bytes()).as_str().to_owned()
}
