//! The compact set of all that is dead and has not expired by itself.

use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Broken;
use crate::{revocation::Revocation, server::Shared};

#[derive(Deserialize)]
struct Snapshot {
    epoch: String,
    position: i64,
    revocations: Vec<Revocation>,
}

/// Takes it.
pub(super) async fn begin(shared: &Shared) -> Result<(), Broken> {
    let address = format!("{}/snapshot", shared.settings.feed_address());
    // It may be large: as long as it comes, it is waited for.
    let answer = authenticated(shared, shared.listening.get(address)).send().await?;
    if answer.status() != StatusCode::OK {
        return Err(Broken::Status(answer.status()));
    }
    let Snapshot { epoch, position, revocations } = serde_json::from_slice(&answer.bytes().await?)?;
    shared.knowledge.begin(epoch, position, revocations);
    Ok(())
}

/// The request as our client's.
pub(super) fn authenticated(shared: &Shared, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.basic_auth(&shared.settings.client_id, Some(shared.settings.client_secret.expose_secret()))
}
