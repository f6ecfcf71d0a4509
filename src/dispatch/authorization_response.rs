//! An answer to an authorization request, signed (JWT Secured Authorization Response Mode for OAuth 2.0, section 2.1).

use serde_json::{Map, Value};

use crate::{log::Unavailable, protocol::authorize::SignedReply, signer::typ};

use super::Dispatch;

/// How long the answer is good, in seconds: the standard wants ten minutes at most.
const LIFETIME: u32 = 300;

impl Dispatch {
    /// The JWT that holds the parameters, for its client alone.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or there is no key to sign with.
    pub async fn sign_answer(&self, signed: &SignedReply, parameters: Vec<(String, String)>) -> Result<String, Unavailable> {
        let mut claims: Map<String, Value> = parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
        claims.insert("iss".to_owned(), self.settings.issuer().into());
        claims.insert("aud".to_owned(), signed.audience.as_str().into());
        claims.insert("exp".to_owned(), self.clock.now().plus(LIFETIME).unix().into());
        self.sign_by(signed.algorithm, typ::AUTHORIZATION_RESPONSE, &claims).await
    }
}
