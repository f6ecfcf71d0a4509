//! What a client is told of a person beside their id: in userinfo, by the scopes of the access token and what was asked for one by one; in
//! the ID token, by the latter alone (OpenID Connect Core sections 5.3 to 5.5).

use std::collections::BTreeMap;

use domain::{
    ClientId, GrantId, UserId,
    claim::{AskedClaim, AskedClaims},
    client::Client,
    grant::{Grant, Terms},
};
use projections::token::TokenRow;
use serde_json::Value;

use crate::{
    log::Unavailable,
    protocol::{
        claims::{ClaimRequest, ClaimsRequest},
        userinfo::{Claims, known, named, of_scopes},
    },
    signer::typ,
    vault::MacPurpose,
};

use super::{Dispatch, Inner};

/// What userinfo answers.
pub enum UserInfo {
    Plain(Claims),
    /// A JWT, for a client that was registered for one.
    Signed(String),
}

impl Dispatch {
    /// What userinfo answers to an access token; `None` for a client's own, and when the user has been erased.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn userinfo(&self, token: &TokenRow) -> Result<Option<UserInfo>, Unavailable> {
        let Some(user) = &token.user_id else { return Ok(None) };
        let user: UserId = user.parse().map_err(|_| Unavailable)?;
        let grant: GrantId = token.grant_id.parse().map_err(|_| Unavailable)?;
        let client: ClientId = token.client_id.parse().map_err(|_| Unavailable)?;
        let scope = token.scope.parse().map_err(|_| Unavailable)?;
        let (profile, grant, client, catalogue) = tokio::try_join!(
            self.profile_of(token),
            self.load_fresh::<Grant>(grant.uuid()),
            self.load_fresh::<Client>(client.uuid()),
            self.catalogue()
        )?;
        let (Some(profile), Some(client)) = (profile, client.state.usable()) else { return Ok(None) };
        let known = known(profile.username, profile.claims);
        let asked = grant.state.terms().map(|terms| terms.claims.clone()).unwrap_or_default();
        let mut told = of_scopes(&known, &scope, &asked.locales, &catalogue);
        told.extend(self.asked_of(&known, &asked.userinfo));
        told.insert("sub".to_owned(), self.subject(client, user).into());
        let Some(algorithm) = client.metadata.userinfo_algorithm() else { return Ok(Some(UserInfo::Plain(told))) };
        told.insert("iss".to_owned(), self.settings.issuer().into());
        told.insert("aud".to_owned(), client.identifier.as_str().into());
        Ok(Some(UserInfo::Signed(self.sign_by(algorithm, typ::USERINFO, &told).await?)))
    }
}

impl Inner {
    /// A request for claims as the log keeps it.
    pub(super) fn asked_claims(&self, request: &ClaimsRequest) -> AskedClaims {
        let kept = |requests: &BTreeMap<String, ClaimRequest>| {
            let asked = requests.iter().map(|(claim, request)| {
                let values = request.values.iter().map(|value| self.value_digest(claim, value)).collect();
                (claim.clone(), AskedClaim { essential: request.essential, values })
            });
            asked.collect()
        };
        AskedClaims { userinfo: kept(&request.userinfo), id_token: kept(&request.id_token), locales: request.locales.clone() }
    }

    /// The claims of its user that a grant's ID tokens carry.
    pub(super) async fn id_token_claims(&self, terms: &Terms) -> Result<Claims, Unavailable> {
        let (Some(user), false) = (terms.user_id, terms.claims.id_token.is_empty()) else { return Ok(Claims::new()) };
        let profile = self.profile_of_user(user).await?;
        let known = profile.map(|profile| known(profile.username, profile.claims)).unwrap_or_default();
        Ok(self.asked_of(&known, &terms.claims.id_token))
    }

    /// Those of the claims that are known, with a value that will do.
    fn asked_of(&self, known: &Claims, asked: &BTreeMap<String, AskedClaim>) -> Claims {
        let told = asked.iter().filter_map(|(name, asked)| {
            let (claim, value) = named(known, name)?;
            let will_do = asked.values.is_empty() || asked.values.contains(&self.value_digest(name, value));
            will_do.then(|| (claim.clone(), value.clone()))
        });
        told.collect()
    }

    fn value_digest(&self, claim: &str, value: &Value) -> String {
        self.keys.mac(MacPurpose::ClaimValue, format!("{claim}={value}").as_bytes())
    }
}
