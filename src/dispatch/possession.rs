//! Whoever sends a request proves to hold a key (RFC 9449), with a nonce of ours where the settings want one (section 8): nonces are made of
//! the clock and a key of the server, so that every node knows them and nothing is kept.

use crate::{
    protocol::{
        OAuthError,
        dpop::{self, Possession, Request},
    },
    vault::MacPurpose,
};

use super::Dispatch;

/// How long a nonce is good, in seconds.
const NONCE_LIFETIME: u32 = 300;

impl Dispatch {
    /// Reads the proof of a request.
    ///
    /// # Errors
    /// `invalid_dpop_proof`, or `use_dpop_nonce` where it holds no nonce of ours that is good now.
    pub fn possession(&self, jwt: &str, request: Request<'_>) -> Result<Possession, OAuthError> {
        let skew = self.settings.limits.clock_skew;
        let (possession, nonce) = dpop::possession(jwt, request, self.clock.now(), skew).map_err(dpop::invalid_proof)?;
        let known = || nonce.as_deref().is_some_and(|nonce| self.knows_nonce(nonce));
        if self.settings.tokens.dpop_nonce_required && !known() { Err(dpop::use_nonce()) } else { Ok(possession) }
    }

    /// A nonce that is good for a while.
    #[must_use]
    pub fn dpop_nonce(&self) -> String {
        let now = self.clock.now().unix().to_string();
        format!("{now}.{}", self.keys.mac(MacPurpose::DpopNonce, now.as_bytes()))
    }

    fn knows_nonce(&self, nonce: &str) -> bool {
        let Some((made_at, mac)) = nonce.split_once('.') else { return false };
        let age = made_at.parse::<i64>().ok().and_then(|made_at| self.clock.now().unix().checked_sub(made_at));
        let skew = i64::from(self.settings.limits.clock_skew);
        let is_now = age.is_some_and(|age| (-skew..i64::from(NONCE_LIFETIME) + skew).contains(&age));
        is_now && self.keys.mac_matches(MacPurpose::DpopNonce, made_at.as_bytes(), mac)
    }
}
