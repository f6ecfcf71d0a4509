//! What a client is told of a person beside their id: in userinfo, by the scopes of the access token and what was asked for one by one; in
//! the ID token, by the latter alone (OpenID Connect Core sections 5.3 to 5.5).

use std::collections::BTreeMap;

use domain::{
    GrantId,
    claim::{AskedClaim, AskedClaims},
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
    vault::MacPurpose,
};

use super::{Dispatch, Inner, Profile};

impl Dispatch {
    /// The claims that an access token opens, beside `sub`; `None` for a client's own, and when the user has been erased.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn claims_of(&self, token: &TokenRow) -> Result<Option<Claims>, Unavailable> {
        let grant: GrantId = token.grant_id.parse().map_err(|_| Unavailable)?;
        let (profile, grant) = tokio::try_join!(self.profile_of(token), self.load_fresh::<Grant>(grant.uuid()))?;
        let Some(Profile { username, claims }) = profile else { return Ok(None) };
        let known = known(username, claims);
        let Some(asked) = grant.state.terms().map(|terms| &terms.claims) else {
            return Ok(Some(of_scopes(&known, &token.scope, &[])));
        };
        let mut told = of_scopes(&known, &token.scope, &asked.locales);
        told.extend(self.asked_of(&known, &asked.userinfo));
        Ok(Some(told))
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
