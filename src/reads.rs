//! Questions to the live read models that many ask at once: concurrent look-ups of one kind share a query.

use std::{str::FromStr, sync::Arc};

use domain::{ClientId, Digest};
use projections::{
    Db, client,
    token::{self, SeenToken, TokenRow, Wanted},
};
use quick_cache::sync::Cache;

use crate::log::{Unavailable, coalesce::Coalescer};

/// How many chosen or imported client ids are remembered. What an id stands for never changes.
const IDENTIFIERS: usize = 16_384;

/// Asks the live read models. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    db: Db,
    tokens: Coalescer<Wanted, SeenToken>,
    identifiers: Arc<Cache<String, ClientId>>,
}

impl Reads {
    #[must_use]
    pub fn new(db: Db) -> Self {
        let tokens_db = db.clone();
        let tokens = Coalescer::new("token", move |wanted: Vec<Wanted>| {
            let db = tokens_db.clone();
            async move {
                let seen = token::find(&db, &wanted).await?;
                let wanted = |seen: &SeenToken| Wanted { digest: seen.token.digest.clone(), caller: seen.caller.clone() };
                Ok(seen.into_iter().map(|seen| (wanted(&seen), seen)).collect())
            }
        });
        Self { db, tokens, identifiers: Arc::new(Cache::new(IDENTIFIERS)) }
    }

    /// The row of a code or token, as it is now; `None` for one that was never issued or is long expired.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn token(&self, digest: &Digest) -> Result<Option<TokenRow>, Unavailable> {
        let wanted = Wanted { digest: digest.as_str().to_owned(), caller: None };
        Ok(self.tokens.get(wanted).await?.map(|seen| seen.token))
    }

    /// As [`Reads::token`], and in the same snapshot the version of the client that asks.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn token_for(&self, digest: &Digest, caller: ClientId) -> Result<Option<SeenToken>, Unavailable> {
        self.tokens.get(Wanted { digest: digest.as_str().to_owned(), caller: Some(caller.to_string()) }).await
    }

    /// The stream of the client with this `client_id`. One that we made is a UUID, and names its stream itself.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn client_id(&self, identifier: &str) -> Result<Option<ClientId>, Unavailable> {
        if let Some(id) = own_client_id(identifier) {
            return Ok(Some(id));
        }
        if let Some(id) = self.identifiers.get(identifier) {
            return Ok(Some(id));
        }
        let Some(row) = client::by_identifier(&self.db, &[identifier.to_owned()]).await?.pop() else {
            return Ok(None);
        };
        let id = ClientId::from_str(&row.id).map_err(|_| Unavailable)?;
        self.identifiers.insert(identifier.to_owned(), id);
        Ok(Some(id))
    }

    /// The store that holds the read models, for the questions that few ask.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }
}

/// The stream named by a `client_id` in the form in which we make them.
#[must_use]
pub fn own_client_id(identifier: &str) -> Option<ClientId> {
    let id = ClientId::from_str(identifier).ok()?;
    (id.to_string() == identifier).then_some(id)
}
