//! The keys by which clients and issuers sign, or clients show certificates of: those that are registered (`jwks`), or those at their `jwks_uri`, which are fetched and kept for a
//! while.

use domain::{
    Digest,
    catalogue::{IssuerEntry, IssuerKeys},
    client::ClientMetadata,
};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{ephemeral, fetch::Fetched, log::Unavailable, protocol::signed_jwt::Head, signer::verify_by};

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

/// Where somebody's keys are.
#[derive(Clone, Copy)]
pub(super) enum KeysOf<'a> {
    /// Here.
    Jwks(&'a Value),
    /// There.
    JwksUri(&'a str),
    Nobody,
}

impl<'a> KeysOf<'a> {
    pub(super) fn client(metadata: &'a ClientMetadata) -> Self {
        match (&metadata.jwks, &metadata.jwks_uri) {
            (Some(jwks), _) => Self::Jwks(jwks),
            (None, Some(uri)) => Self::JwksUri(uri),
            (None, None) => Self::Nobody,
        }
    }

    pub(super) const fn issuer(entry: &'a IssuerEntry) -> Self {
        match &entry.keys {
            IssuerKeys::Jwks(jwks) => Self::Jwks(jwks),
            IssuerKeys::JwksUri(uri) => Self::JwksUri(uri.as_str()),
        }
    }

    /// The address that they are fetched from.
    fn url(self) -> Option<Url> {
        match self {
            Self::JwksUri(uri) => Url::parse(uri).ok(),
            Self::Jwks(_) | Self::Nobody => None,
        }
    }
}

impl Inner {
    /// What a JWT says that one of these keys signed; `None` where none did.
    pub(super) async fn signed_by<T: DeserializeOwned>(
        &self,
        jwt: &str,
        head: &Head,
        keys: KeysOf<'_>,
    ) -> Result<Option<T>, Unavailable> {
        let signed = |keys: &[Jwk]| {
            let mut fitting = keys.iter().filter(|key| fits(key, head));
            fitting.find_map(|key| verify_by(key, head.algorithm, jwt))
        };
        self.find_in_keys(keys, signed).await
    }

    /// What is looked for among keys: those that are there, and newer ones where it is not among those.
    pub(super) async fn find_in_keys<T>(
        &self,
        keys: KeysOf<'_>,
        find: impl Fn(&[Jwk]) -> Option<T>,
    ) -> Result<Option<T>, Unavailable> {
        let found = find(&self.keys_of(keys).await?);
        if found.is_some() {
            return Ok(found);
        }
        Ok(self.newer_keys_of(keys).await?.and_then(|newer| find(&newer)))
    }

    /// The keys that are there.
    async fn keys_of(&self, keys: KeysOf<'_>) -> Result<Vec<Jwk>, Unavailable> {
        if let KeysOf::Jwks(jwks) = keys {
            return Ok(read(keys_in(jwks)));
        }
        let Some(url) = keys.url() else { return Ok(Vec::new()) };
        match self.kept_keys(&url).await? {
            Some(kept) => Ok(read(&kept.keys)),
            None => self.fetch_keys(&url, Vec::new(), None).await,
        }
    }

    /// The keys as they are now at their address, where none of those that are there fits. `None` where they cannot be others.
    async fn newer_keys_of(&self, keys: KeysOf<'_>) -> Result<Option<Vec<Jwk>>, Unavailable> {
        let Some(url) = keys.url() else { return Ok(None) };
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
                tracing::debug!(%error, "somebody's keys could not be fetched");
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

fn key_of(url: &Url) -> Digest {
    Digest::of(url.as_str().as_bytes())
}

/// The keys of an answer that is a set of them (RFC 7517 section 5).
fn key_set(fetched: &Fetched) -> Option<Vec<Value>> {
    let jwks: Value = (fetched.status == 200 && fetched.is_json()).then(|| serde_json::from_slice(&fetched.body).ok())??;
    Some(jwks.get("keys")?.as_array()?.iter().take(MOST).cloned().collect())
}

fn keys_in(jwks: &Value) -> &[Value] {
    jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Those that can be read: what else they may be for is not ours to judge.
fn read(keys: &[Value]) -> Vec<Jwk> {
    keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect()
}
