//! Where a client wants to hear that a sign-in has ended: by a call of ours (OpenID Connect Back-Channel Logout 1.0 section 2.2), or in the
//! person's browser (Front-Channel Logout 1.0 section 2).

use serde_json::Value;

use crate::redirect_uri;

use super::{ClientError, ClientMetadata, metadata_check::invalid};

/// What is called.
pub(super) const BACK_CHANNEL: &str = "backchannel_logout_uri";
/// What the browser opens.
pub(super) const FRONT_CHANNEL: &str = "frontchannel_logout_uri";

pub(super) const MUST_BE_CALLABLE: &str = "it must be an https URI, or http on loopback, without a fragment";

impl ClientMetadata {
    /// Where the client is told by a call of ours.
    #[must_use]
    pub fn backchannel_logout_uri(&self) -> Option<&str> {
        self.other.get(BACK_CHANNEL).and_then(Value::as_str)
    }

    /// What the person's browser opens.
    #[must_use]
    pub fn frontchannel_logout_uri(&self) -> Option<&str> {
        self.other.get(FRONT_CHANNEL).and_then(Value::as_str)
    }

    /// A browser shall open nothing of a site that the client has no redirect URI on (Front-Channel Logout section 2).
    pub(super) fn check_frontchannel(&self) -> Result<(), ClientError> {
        match self.frontchannel_logout_uri() {
            Some(uri) if !self.redirect_uris.iter().any(|own| redirect_uri::same_origin(own, uri)) => {
                Err(invalid(FRONT_CHANNEL, "its scheme, host and port must be those of one of the redirect_uris"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether it may be called.
pub(crate) fn is_callable(uri: &str) -> bool {
    redirect_uri::check(uri, false).is_ok()
}
