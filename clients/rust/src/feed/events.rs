//! The news as server-sent events: revocations, and once a second the position that all is known to.

use std::{convert::Infallible, time::Instant};

use futures_util::StreamExt;
use reqwest::{Body, StatusCode, header::ACCEPT};
use serde::Deserialize;
use sse_stream::{Sse, SseStream};

use super::{Broken, snapshot::authenticated};
use crate::{revocation::Revocation, server::Shared};

#[derive(Deserialize)]
struct Told {
    position: i64,
    #[serde(flatten)]
    revocation: Revocation,
}

#[derive(Deserialize)]
struct Reached {
    position: i64,
}

/// Listens where it had got to, until the connection ends.
pub(super) async fn listen(shared: &Shared) -> Result<Infallible, Broken> {
    let (epoch, position) = shared.knowledge.place();
    let address = format!("{}?after={position}&epoch={epoch}", shared.settings.feed_address());
    let request = shared.listening.get(address).header(ACCEPT, "text/event-stream");
    let answer = authenticated(shared, request).send().await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::CONFLICT => return Err(Broken::OtherHistory),
        other => return Err(Broken::Status(other)),
    }
    let mut events = SseStream::new(Body::from(answer));
    loop {
        match events.next().await {
            Some(Ok(event)) => take_in(shared, &epoch, &event)?,
            Some(Err(error)) => return Err(Broken::Ended(error.to_string())),
            None => return Err(Broken::Ended("the issuer ended it".to_owned())),
        }
    }
}

fn take_in(shared: &Shared, epoch: &str, event: &Sse) -> Result<(), Broken> {
    let (Some(name), Some(data)) = (&event.event, &event.data) else { return Ok(()) };
    if event.id.as_deref().and_then(|id| id.split_once('/')).is_some_and(|(of, _)| of != epoch) {
        return Err(Broken::OtherHistory);
    }
    match name.as_str() {
        "revocation" => {
            let Told { position, revocation } = serde_json::from_str(data)?;
            shared.knowledge.learn(revocation, position);
        }
        "position" => {
            let Reached { position } = serde_json::from_str(data)?;
            shared.knowledge.reach(position);
            shared.knowledge.confirm(Instant::now());
        }
        // Events that a later issuer may send, beside the two that tell of revocations.
        _ => {}
    }
    Ok(())
}
