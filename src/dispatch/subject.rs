//! As whom a client knows a user (OpenID Connect Core section 8): by their id, or, where it was registered for pairwise subjects, by one
//! that no client of another sector knows and that nobody but this issuer can make.

use domain::{
    UserId,
    client::{ClientError, ClientMetadata, Registration},
};
use projections::token::TokenRow;
use url::Url;

use crate::{
    fetch::{Fetched, JSON},
    log::Unavailable,
    protocol::introspection::ToldUser,
    vault::MacPurpose,
};

use super::{Dispatch, Inner};

impl Inner {
    /// `sub` in what a client gets.
    #[must_use]
    pub fn subject(&self, client: &Registration, user: UserId) -> String {
        match client.metadata.is_pairwise() {
            // A client that was registered when nobody asked for its sector is one of its own.
            true => {
                let sector = client.metadata.sector().unwrap_or_else(|| client.identifier.clone());
                self.keys.mac(MacPurpose::PairwiseSubject, format!("{sector}/{user}").as_bytes())
            }
            false => user.to_string(),
        }
    }
}

impl Dispatch {
    /// What a client is told of the user of a token of its own. A pairwise one is not told their name, which other clients may know too.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn told_to_its_client(&self, client: &Registration, token: &TokenRow) -> Result<ToldUser, Unavailable> {
        if !client.metadata.is_pairwise() {
            return self.told_to_others(token).await;
        }
        let user = token.user_id.as_deref().map(str::parse).transpose().map_err(|_| Unavailable)?;
        Ok(ToldUser { sub: user.map(|user| self.subject(client, user)), username: None })
    }

    /// What resource servers are told of a token's user: the id that revocations name.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn told_to_others(&self, token: &TokenRow) -> Result<ToldUser, Unavailable> {
        let sub = match &token.user_id {
            Some(user) => Some(user.clone()),
            None => self.client_of_grant(token).await?,
        };
        Ok(ToldUser { sub, username: self.username(token).await? })
    }

    /// The `client_id` of the client that a grant without a user was issued to, where the token came to another by exchange.
    async fn client_of_grant(&self, token: &TokenRow) -> Result<Option<String>, Unavailable> {
        let through = token.through().map_err(|_| Unavailable)?;
        let Some(own) = through.first() else { return Ok(None) };
        let client = self.client_by_id(*own).await?;
        Ok(client.state.usable().map(|registration| registration.identifier.clone()))
    }

    /// As `check_sector`, where the sector or the redirect URIs are others than before.
    ///
    /// # Errors
    /// What of the metadata is refused.
    pub(super) async fn check_changed_sector(
        &self,
        before: &ClientMetadata,
        metadata: &ClientMetadata,
    ) -> Result<(), ClientError> {
        let of_sector =
            |metadata: &ClientMetadata| (metadata.sector_identifier_uri().map(str::to_owned), metadata.redirect_uris.clone());
        if of_sector(before) == of_sector(metadata) {
            return Ok(());
        }
        metadata.check()?;
        self.check_sector(metadata).await
    }

    /// Asks the client's sector whether its redirect URIs belong there (Registration section 5).
    ///
    /// # Errors
    /// That one does not, or that there is no answer to be made out.
    pub(super) async fn check_sector(&self, metadata: &ClientMetadata) -> Result<(), ClientError> {
        let Some(uri) = metadata.sector_identifier_uri() else { return Ok(()) };
        let refused = |why: &str| ClientError::InvalidMetadata(format!("sector_identifier_uri: {why}"));
        let url: Url = uri.parse().map_err(|_| refused("it is no URI"))?;
        let answer = self.fetcher.get(&url, JSON).await.map_err(|error| refused(&error.to_string()))?;
        check_listed(&answer, &metadata.redirect_uris).map_err(refused)
    }
}

/// Whether a sector names all of these as its own.
fn check_listed(answer: &Fetched, redirect_uris: &[String]) -> Result<(), &'static str> {
    if answer.status != 200 || answer.media_type.as_deref() != Some(JSON) {
        return Err("what is there is not application/json with the status 200");
    }
    let listed: Vec<String> = serde_json::from_slice(&answer.body).map_err(|_| "what is there is no JSON array of strings")?;
    match redirect_uris.iter().all(|uri| listed.contains(uri)) {
        true => Ok(()),
        false => Err("what is there does not name every redirect_uri"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_names_every_redirect_uri() {
        let asked = ["https://a.example/cb".to_owned(), "https://b.example/cb".to_owned()];
        let answer = |status, media_type: &str, body: &str| {
            let (media_type, body) = (Some(media_type.to_owned()), body.as_bytes().to_vec());
            let answer = Fetched { status, media_type, max_age: None, body };
            check_listed(&answer, &asked)
        };
        let all = r#"["https://b.example/cb", "https://a.example/cb", "https://c.example/"]"#;
        assert_eq!(answer(200, "application/json", all), Ok(()));
        assert!(answer(200, "application/json", r#"["https://a.example/cb"]"#).is_err_and(|why| why.contains("every")));
        for (status, media_type, body) in [
            (404, "application/json", all),
            (302, "application/json", all),
            (200, "text/html", all),
            (200, "application/json", r#"{"redirect_uris": []}"#),
            (200, "application/json", "[1]"),
            (200, "application/json", ""),
        ] {
            assert!(answer(status, media_type, body).is_err(), "{status} {media_type} {body}");
        }
    }
}
