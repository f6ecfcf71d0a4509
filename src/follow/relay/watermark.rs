//! The signed watermark: once a second, beside the stream, how far a subscriber knows everything. By it quiet is told from a relay that
//! stands still, and somebody who reads revocations alone knows that none is missing.

use serde::{Deserialize, Serialize};

use super::{Relay, RelayError, broker::Broker};

/// The media type in the header of the JWS.
const TYP: &str = "grantlog-watermark+jwt";

/// Up to where the broker has the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) position: i64,
    /// The last revocation up to there; no other lies between it and `position`.
    pub(super) revocation: i64,
}

/// The claims of a watermark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The issuer.
    pub iss: String,
    /// When, in seconds since the Unix epoch.
    pub iat: i64,
    /// The epoch of the log.
    pub epoch: String,
    /// Everything up to here has been published.
    pub position: i64,
    /// Where the log itself ended, at `iat`.
    pub head: i64,
    /// The position of the last revocation up to `position`.
    pub revocation: i64,
}

pub(super) async fn publish(relay: &Relay, broker: &Broker, reached: Reached) -> Result<(), RelayError> {
    let claims = Watermark {
        iss: relay.app.settings.issuer(),
        iat: relay.app.clock.now().unix(),
        epoch: relay.app.log.epoch().to_string(),
        position: reached.position,
        head: relay.app.log.head().await?,
        revocation: reached.revocation,
    };
    let signed = relay.app.dispatch.sign(TYP, &claims).await?;
    broker.publish_beside("watermark", signed).await
}
