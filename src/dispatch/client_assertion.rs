//! A client proves who it is by what it signed (RFC 7523): with a key of its own, and by each assertion once, over all nodes.

use domain::client::Registration;

use crate::{
    log::Unavailable,
    protocol::{
        Once,
        client_assertion::{Audiences, Claims, InvalidAssertion, TYPES},
        client_jwt::Head,
        metadata::path,
    },
};

use super::Inner;

/// The endpoints that clients prove themselves at: libraries name the one that they ask, or the token endpoint, or the issuer.
const ASKED: [&str; 5] = [path::TOKEN, path::PAR, path::INTROSPECT, path::REVOKE, path::DEVICE_AUTHORIZATION];

impl Inner {
    /// By what an assertion is known again that proves that this client asks.
    pub(super) async fn check_assertion(
        &self,
        assertion: &str,
        client: &Registration,
    ) -> Result<Result<Once, InvalidAssertion>, Unavailable> {
        let head = match Head::read(assertion, &TYPES) {
            Ok(head) if client.metadata.signs_assertions_with(head.algorithm) => head,
            Ok(_) => return Ok(Err(InvalidAssertion::Algorithm)),
            Err(bad) => return Ok(Err(bad.into())),
        };
        let claims = self.signed_by_client::<Claims>(assertion, &head, &client.metadata).await?;
        let Some(claims) = claims else { return Ok(Err(InvalidAssertion::NotSigned)) };
        let issuer = self.settings.issuer();
        let issuers = || [Some(issuer.clone()), self.settings.mtls_issuer()].into_iter().flatten();
        let asked = ASKED.iter().flat_map(|path| issuers().map(move |issuer| format!("{issuer}{path}")));
        let audiences = match client.metadata.policy.is_strict_of_audience() {
            true => Audiences::Issuer(issuer),
            false => Audiences::AnyOf(asked.chain([issuer.clone()]).collect()),
        };
        let skew = client
            .metadata
            .policy
            .longest_skew()
            .map_or(self.settings.limits.clock_skew, |most| most.min(self.settings.limits.clock_skew));
        Ok(claims.check(&client.identifier, &audiences, self.clock.now(), skew).map(|()| claims.once(skew)))
    }
}
