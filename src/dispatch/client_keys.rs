//! The keys by which clients sign, or show certificates of: those that they registered (`jwks`), or those at their `jwks_uri`, which are fetched and kept for a while.

use domain::{Digest, client::ClientMetadata};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{ephemeral, fetch::Fetched, log::Unavailable, protocol::client_jwt::Head, signer::verify_by};

use super::Inner;

/// The ephemeral kind of fetched keys, by the digest of their address.
const KIND: &str = "jwks";
/// For how long fetched keys are kept, in seconds.
const KEPT: u32 = 600;
/// How soon they are fetched once more where one is missing, in seconds: whoever sends nonsense makes us ask no more often.
const SOONEST: i64 = 10;
/// So many keys are looked at, at most.
const MOST: usize = 50;

/// Fetched keys.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// In seconds since the Unix epoch.
    fetched_at: i64,
    /// When they were fetched because one was missing. That they were fetched for want of any says nothing of a client that has since
    /// begun to sign with another.
    #[serde(default)]
    missed_at: Option<i64>,
    keys: Vec<Value>,
}

impl Kept {
    /// Whether asking again would be too soon.
    fn are_recent(&self, now: i64) -> bool {
        self.fetched_at >= now || self.missed_at.is_some_and(|at| at.saturating_add(SOONEST) > now)
    }
}

impl Inner {
    /// What a JWT says that one of the client's keys signed; `None` where none did.
    pub(super) async fn signed_by_client<T: DeserializeOwned>(
        &self,
        jwt: &str,
        head: &Head,
        metadata: &ClientMetadata,
    ) -> Result<Option<T>, Unavailable> {
        let signed = |keys: &[Jwk]| {
            let mut fitting = keys.iter().filter(|key| fits(key, head));
            fitting.find_map(|key| verify_by(key, head.algorithm, jwt))
        };
        self.find_in_client_keys(metadata, signed).await
    }

    /// What is looked for among the client's keys: those that are there, and newer ones where it is not among those.
    pub(super) async fn find_in_client_keys<T>(
        &self,
        metadata: &ClientMetadata,
        find: impl Fn(&[Jwk]) -> Option<T>,
    ) -> Result<Option<T>, Unavailable> {
        let found = find(&self.client_keys(metadata).await?);
        if found.is_some() {
            return Ok(found);
        }
        Ok(self.newer_client_keys(metadata).await?.and_then(|newer| find(&newer)))
    }

    /// A client's keys that are there.
    async fn client_keys(&self, metadata: &ClientMetadata) -> Result<Vec<Jwk>, Unavailable> {
        if let Some(jwks) = &metadata.jwks {
            return Ok(read(keys_of(jwks)));
        }
        let Some(url) = jwks_uri(metadata) else { return Ok(Vec::new()) };
        match self.kept_keys(&url).await? {
            Some(kept) => Ok(read(&kept.keys)),
            None => self.fetch_keys(&url, Vec::new(), None).await,
        }
    }

    /// A client's keys as they are now at its `jwks_uri`, where none of those that are there fits. `None` where they cannot be others.
    async fn newer_client_keys(&self, metadata: &ClientMetadata) -> Result<Option<Vec<Jwk>>, Unavailable> {
        let Some(url) = jwks_uri(metadata).filter(|_| metadata.jwks.is_none()) else { return Ok(None) };
        let now = self.clock.now().unix();
        match self.kept_keys(&url).await? {
            Some(kept) if kept.are_recent(now) => Ok(None),
            kept => Ok(Some(self.fetch_keys(&url, kept.map(|kept| kept.keys).unwrap_or_default(), Some(now)).await?)),
        }
    }

    async fn kept_keys(&self, url: &Url) -> Result<Option<Kept>, Unavailable> {
        let kept = ephemeral::get(self.reads.db(), KIND, key_of(url).as_str(), self.clock.now()).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
    }

    /// Fetches the keys; those before stay where there are none.
    async fn fetch_keys(&self, url: &Url, before: Vec<Value>, missed_at: Option<i64>) -> Result<Vec<Jwk>, Unavailable> {
        let now = self.clock.now();
        let keys = match self.fetcher.get(url, "application/jwk-set+json, application/json").await {
            Ok(fetched) => key_set(&fetched).unwrap_or(before),
            Err(error) => {
                tracing::debug!(%error, "a client's keys could not be fetched");
                before
            }
        };
        let kept = Kept { fetched_at: now.unix(), missed_at, keys };
        let value = serde_json::to_string(&kept).expect("keys have a JSON form");
        ephemeral::put(self.reads.db(), KIND, key_of(url).as_str(), &value, now.plus(KEPT)).await?;
        Ok(read(&kept.keys))
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

fn jwks_uri(metadata: &ClientMetadata) -> Option<Url> {
    metadata.jwks_uri.as_deref().and_then(|uri| Url::parse(uri).ok())
}

fn key_of(url: &Url) -> Digest {
    Digest::of(url.as_str().as_bytes())
}

/// The keys of an answer that is a set of them (RFC 7517 section 5).
fn key_set(fetched: &Fetched) -> Option<Vec<Value>> {
    let jwks: Value = (fetched.status == 200 && fetched.is_json()).then(|| serde_json::from_slice(&fetched.body).ok())??;
    Some(jwks.get("keys")?.as_array()?.iter().take(MOST).cloned().collect())
}

fn keys_of(jwks: &Value) -> &[Value] {
    jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Those that can be read: what a client may be for others besides is not ours to judge.
fn read(keys: &[Value]) -> Vec<Jwk> {
    keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect()
}
