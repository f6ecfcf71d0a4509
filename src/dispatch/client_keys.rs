//! The keys by which clients sign: those that they registered (`jwks`), or those at their `jwks_uri`, which are fetched and kept for a while.

use domain::{Digest, client::ClientMetadata};
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{ephemeral, fetch::Fetched, log::Unavailable};

use super::Inner;

/// The ephemeral kind of fetched keys, by the digest of their address.
const KIND: &str = "jwks";
/// For how long fetched keys are kept, in seconds.
const KEPT: u32 = 600;
/// How soon they are fetched again where one is missing, in seconds: whoever sends nonsense makes us ask no more often.
const SOONEST: i64 = 10;
/// So many keys are looked at, at most.
const MOST: usize = 50;

/// Fetched keys.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// In seconds since the Unix epoch.
    fetched_at: i64,
    keys: Vec<Value>,
}

impl Inner {
    /// A client's keys that are there.
    pub(super) async fn client_keys(&self, metadata: &ClientMetadata) -> Result<Vec<Jwk>, Unavailable> {
        if let Some(jwks) = &metadata.jwks {
            return Ok(read(keys_of(jwks)));
        }
        let Some(url) = jwks_uri(metadata) else { return Ok(Vec::new()) };
        match self.kept_keys(&url).await? {
            Some(kept) => Ok(read(&kept.keys)),
            None => self.fetch_keys(&url, Vec::new()).await,
        }
    }

    /// A client's keys as they are now at its `jwks_uri`, where none of those that are there fits. `None` where they cannot be others.
    pub(super) async fn newer_client_keys(&self, metadata: &ClientMetadata) -> Result<Option<Vec<Jwk>>, Unavailable> {
        let Some(url) = jwks_uri(metadata).filter(|_| metadata.jwks.is_none()) else { return Ok(None) };
        match self.kept_keys(&url).await? {
            Some(kept) if kept.fetched_at.saturating_add(SOONEST) > self.clock.now().unix() => Ok(None),
            kept => Ok(Some(self.fetch_keys(&url, kept.map(|kept| kept.keys).unwrap_or_default()).await?)),
        }
    }

    async fn kept_keys(&self, url: &Url) -> Result<Option<Kept>, Unavailable> {
        let kept = ephemeral::get(self.reads.db(), KIND, key_of(url).as_str(), self.clock.now()).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
    }

    /// Fetches the keys; those before stay where there are none.
    async fn fetch_keys(&self, url: &Url, before: Vec<Value>) -> Result<Vec<Jwk>, Unavailable> {
        let now = self.clock.now();
        let keys = match self.fetcher.get(url, "application/jwk-set+json, application/json").await {
            Ok(fetched) => key_set(&fetched).unwrap_or(before),
            Err(error) => {
                tracing::debug!(%error, "a client's keys could not be fetched");
                before
            }
        };
        let kept = Kept { fetched_at: now.unix(), keys };
        let value = serde_json::to_string(&kept).expect("keys have a JSON form");
        ephemeral::put(self.reads.db(), KIND, key_of(url).as_str(), &value, now.plus(KEPT)).await?;
        Ok(read(&kept.keys))
    }
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
