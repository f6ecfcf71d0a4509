//! An introspection answer, signed for whoever asked (RFC 9701 section 5).

use domain::{Timestamp, client::Registration};
use serde::Serialize;
use serde_json::Value;

use crate::{log::Unavailable, signer::typ};

use super::Dispatch;

#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    aud: &'a str,
    iat: Timestamp,
    token_introspection: &'a Value,
}

impl Dispatch {
    /// The JWT that holds what a caller is told.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or there is no key to sign with.
    pub async fn sign_introspection(&self, caller: &Registration, told: &Value) -> Result<String, Unavailable> {
        let (iss, iat) = (self.settings.issuer(), self.clock.now());
        let claims = Claims { iss, aud: &caller.identifier, iat, token_introspection: told };
        self.sign_by(caller.metadata.introspection_algorithm(), typ::INTROSPECTION, &claims).await
    }
}
