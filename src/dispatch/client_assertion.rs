//! A client proves who it is by what it signed (RFC 7523): with a key of its own, and by each assertion once, over all nodes.

use domain::client::Registration;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use secrecy::ExposeSecret;

use crate::{
    ephemeral,
    log::Unavailable,
    protocol::{
        client_assertion::{Claims, Head, InvalidAssertion},
        client_authentication::ClientProof,
        metadata::path,
    },
    signer::verify_by,
};

use super::{AuthenticatedClient, Dispatch, Inner};

/// The ephemeral kind of assertions that have proved something.
const USED: &str = "client_assertion";

impl Dispatch {
    /// Uses up what a client proved itself by, if that is good once. `false` where it was used already.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn use_up(&self, client: &AuthenticatedClient) -> Result<bool, Unavailable> {
        let ClientProof::Assertion(assertion) = client.proof() else { return Ok(true) };
        let Some(claims) = Claims::unverified(assertion.expose_secret()) else { return Ok(false) };
        let used = claims.used(self.settings.limits.clock_skew);
        ephemeral::claim(self.reads.db(), USED, &used.key, used.until).await
    }
}

impl Inner {
    /// Whether an assertion proves that this client asks.
    pub(super) async fn check_assertion(
        &self,
        assertion: &str,
        client: &Registration,
    ) -> Result<Result<(), InvalidAssertion>, Unavailable> {
        let head = match Head::read(assertion) {
            Ok(head) if client.metadata.signs_assertions_with(head.algorithm) => head,
            Ok(_) => return Ok(Err(InvalidAssertion::Algorithm)),
            Err(error) => return Ok(Err(error)),
        };
        let signed = |keys: &[Jwk]| {
            let mut fitting = keys.iter().filter(|key| fits(key, &head));
            fitting.find_map(|key| verify_by::<Claims>(key, head.algorithm, assertion))
        };
        let mut claims = signed(&self.client_keys(&client.metadata).await?);
        if claims.is_none()
            && let Some(newer) = self.newer_client_keys(&client.metadata).await?
        {
            claims = signed(&newer);
        }
        let Some(claims) = claims else { return Ok(Err(InvalidAssertion::NotSigned)) };
        let issuer = self.settings.issuer();
        let audiences = [format!("{issuer}{}", path::TOKEN), issuer];
        Ok(claims.check(&client.identifier, &audiences, self.clock.now(), self.settings.limits.clock_skew))
    }
}

/// Whether a key could have signed it: the one that it names, or any that is for signing where it names none or the key has no name.
fn fits(key: &Jwk, head: &Head) -> bool {
    let for_signing = key.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let named = match (&head.kid, &key.common.key_id) {
        (Some(kid), Some(own)) => kid == own,
        (None, _) | (_, None) => true,
    };
    for_signing && named
}
