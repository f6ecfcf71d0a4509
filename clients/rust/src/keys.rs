//! The issuer's published keys (RFC 7517), fetched when a key is not known, and anew from time to time.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until},
};

use crate::refusal::Refusal;

/// Between two fetches at least, whatever keys strangers make up.
const REST: Duration = Duration::from_secs(1);
/// After so long they are fetched anew.
const FRESH: Duration = Duration::from_secs(300);

/// A key to verify with.
pub(crate) struct Key {
    pub(crate) decoding: DecodingKey,
    /// The only algorithm that it is for.
    pub(crate) algorithm: Algorithm,
}

/// The keys as they are known.
pub(crate) struct Keys {
    http: Client,
    address: String,
    known: RwLock<HashMap<String, Arc<Key>>>,
    /// Held by who fetches.
    last: Mutex<Option<Fetch>>,
}

/// The last fetch.
#[derive(Clone, Copy)]
struct Fetch {
    begun: Instant,
    answered: bool,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl Keys {
    pub(crate) fn new(http: Client, address: String) -> Self {
        Self { http, address, known: RwLock::default(), last: Mutex::default() }
    }

    /// The key with this id; `None` where the issuer has none.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<Arc<Key>>, Refusal> {
        if let Some(known) = self.known(kid) {
            return Ok(Some(known));
        }
        if self.fetch().await { Ok(self.known(kid)) } else { Err(Refusal::Unavailable) }
    }

    /// Fetches them anew from time to time, for ever.
    pub(crate) async fn keep_fresh(&self) {
        loop {
            sleep(FRESH).await;
            self.fetch().await;
        }
    }

    fn known(&self, kid: &str) -> Option<Arc<Key>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    /// Fetches them, unless somebody else has begun to since this was asked; whether they were told.
    async fn fetch(&self) -> bool {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(fetch) = *last {
            if fetch.begun >= asked {
                return fetch.answered;
            }
            sleep_until(fetch.begun + REST).await;
        }
        let begun = Instant::now();
        let told = self.ask().await;
        *last = Some(Fetch { begun, answered: told.is_ok() });
        match told {
            Ok(keys) => {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = keys;
                true
            }
            // A key that was good is so until the issuer says otherwise, which the news would tell.
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys cannot be fetched");
                false
            }
        }
    }

    async fn ask(&self) -> Result<HashMap<String, Arc<Key>>, reqwest::Error> {
        let answer = self.http.get(&self.address).send().await?.error_for_status()?;
        Ok(answer.json::<Published>().await?.keys.into_iter().filter_map(read).collect())
    }
}

/// A key that signatures can be verified with; others in the set are not for us.
fn read(value: Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|of| *of != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = Algorithm::try_from(jwk.common.key_algorithm?).ok()?;
    if matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, Arc::new(Key { decoding, algorithm })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_public_keys_with_an_id_and_an_algorithm_for_signatures_are_taken() {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k", "alg": "EdDSA"});
        let with = |member: &str, value: Value| {
            let mut key = key.clone();
            key[member] = value;
            key
        };
        assert!(read(key.clone()).is_some() && read(with("use", "sig".into())).is_some());
        for other in [
            with("use", "enc".into()),
            with("alg", Value::Null),
            with("kid", Value::Null),
            json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"}),
            json!({"kty": "new", "kid": "k"}),
        ] {
            assert!(read(other.clone()).is_none(), "{other}");
        }
    }
}
