//! ID tokens (OpenID Connect Core section 2): for the client, who signed in, when and how. One stands beside each access token of a person
//! whose scope holds `openid`.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Digest, GrantId, Scope, SessionId, Timestamp,
    client::{Registration, SigningAlgorithm},
    grant::{AccessToken, IdToken, Terms},
    key_set::KeySet,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::{
    log::Unavailable,
    protocol::{
        id_token_hint::{IdTokenHint, InvalidHint},
        userinfo::Claims as UserClaims,
    },
    signer::typ,
};

use super::{Dispatch, work::Work};

/// The sign-in that an ID token tells a client of.
pub(super) struct SignedIn<'a> {
    pub(super) grant_id: GrantId,
    pub(super) client: &'a Registration,
    pub(super) terms: &'a Terms,
    /// What is asked for: `openid` asks for the ID token, whether or not the resource of the access token knows that scope.
    pub(super) scope: &'a Scope,
    /// `None` where nothing says that it still lasts.
    pub(super) session_id: Option<SessionId>,
    /// Of the authentication request that is answered.
    pub(super) nonce: Option<&'a str>,
}

/// The claims (`grant_id` is ours: by it the log is asked about the token). There is one audience, so that `azp` would say nothing.
#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    sub: String,
    aud: &'a str,
    exp: Timestamp,
    iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    grant_id: GrantId,
    /// What the client asked to find here.
    #[serde(flatten)]
    asked: UserClaims,
}

impl Dispatch {
    /// Reads an `id_token_hint`: an ID token that this issuer made, for any client, expired or not.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer; why it is no hint is the answer.
    pub async fn id_token_hint(&self, text: &str) -> Result<Result<IdTokenHint, InvalidHint>, Unavailable> {
        Ok(IdTokenHint::read(self.key_set().await?.as_ref(), &self.settings.issuer(), text))
    }
}

impl Work<'_> {
    /// The ID token beside an access token, which takes note of it; `None` where `openid` is not asked for, or it is for nobody.
    pub(super) async fn mint_id_token(
        &mut self,
        of: SignedIn<'_>,
        token: &SecretString,
        access: &mut AccessToken,
    ) -> Result<Option<SecretString>, Unavailable> {
        let Some(user) = of.terms.user_id.filter(|_| of.scope.contains(Scope::OPENID)) else { return Ok(None) };
        let algorithm = of.client.metadata.id_token_algorithm();
        let keys = self.guard::<KeySet>(domain::id::THE_ONLY).await?;
        let key = self.inner.signer.active(&keys, algorithm).await?;
        let expires_at = self.now.plus(self.inner.settings.tokens.id_token_lifetime);
        let claims = Claims {
            iss: self.inner.settings.issuer(),
            sub: self.inner.subject(of.client, user),
            aud: &of.client.identifier,
            exp: expires_at,
            iat: self.now,
            auth_time: of.terms.auth_time,
            nonce: of.nonce,
            acr: of.terms.acr.as_deref(),
            amr: &of.terms.amr,
            at_hash: at_hash(algorithm, token.expose_secret()),
            sid: of.session_id,
            grant_id: of.grant_id,
            asked: self.inner.id_token_claims(of.terms).await?,
        };
        let text = self.inner.signer.sign(&key, typ::ID_TOKEN, &claims).await?;
        access.id_token = Some(IdToken { digest: Digest::of(text.as_bytes()), expires_at, kid: key.kid });
        Ok(Some(text.into()))
    }
}

/// The left half of the access token's hash, by the hash of the signature (section 3.1.3.6). That of Ed25519 is SHA-512 (RFC 8032).
fn at_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    let hash = digest(
        match algorithm {
            SigningAlgorithm::ES256 | SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => &SHA256,
            SigningAlgorithm::EdDSA => &SHA512,
        },
        access_token.as_bytes(),
    );
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_access_token_is_that_of_the_signature_cut_in_half() {
        // The access token and at_hash of Core appendix A.4.
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(SigningAlgorithm::RS256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(SigningAlgorithm::EdDSA, access_token).len(), 43);
    }
}
