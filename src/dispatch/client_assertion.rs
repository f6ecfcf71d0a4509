//! A client proves who it is by what it signed (RFC 7523): with a key of its own, and by each assertion once, over all nodes.

use domain::client::Registration;

use crate::{
    log::Unavailable,
    protocol::{
        Once, OnceKind,
        assertion::{Audiences, Claims, InvalidAssertion},
        client_assertion::{self, TYPES},
        metadata::path,
        signed_jwt::Head,
    },
};

use super::{Inner, signers_keys::KeysOf};

/// The endpoints that clients prove themselves at: libraries name the one that they ask, or the token endpoint, or the issuer.
const ASKED: [&str; 5] = [path::TOKEN, path::PAR, path::INTROSPECT, path::REVOKE, path::DEVICE_AUTHORIZATION];

impl Inner {
    /// How far off, in seconds, the clock of whoever signs something for a client may be.
    pub(super) fn skew_for(&self, client: &Registration) -> u32 {
        let usual = self.settings.limits.clock_skew;
        client.metadata.policy.longest_skew().map_or(usual, |most| most.min(usual))
    }

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
        let claims = self.signed_by::<Claims>(assertion, &head, KeysOf::client(&client.metadata)).await?;
        let Some(claims) = claims else { return Ok(Err(InvalidAssertion::NotSigned)) };
        let issuer = self.settings.issuer();
        let issuers = || [Some(issuer.clone()), self.settings.mtls_issuer()].into_iter().flatten();
        let asked = ASKED.iter().flat_map(|path| issuers().map(move |issuer| format!("{issuer}{path}")));
        let audiences = match client.metadata.policy.is_strict_of_audience() {
            true => Audiences::Issuer(issuer),
            false => Audiences::AnyOf(asked.chain([issuer.clone()]).collect()),
        };
        let skew = self.skew_for(client);
        let checked = client_assertion::check(&claims, &client.identifier, &audiences, (self.clock.now(), skew));
        Ok(checked.map(|()| claims.once(OnceKind::Assertion, skew)))
    }
}
