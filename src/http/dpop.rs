//! The header `DPoP` (RFC 9449 section 4): a proof that whoever sends the request holds a key.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
};

use crate::{
    protocol::{
        OAuthError,
        dpop::{InvalidProof, Possession, Request, invalid_proof},
    },
    state::App,
};

/// Its name.
pub(super) const DPOP: &str = "dpop";
/// The header of an answer that holds the nonce for the next proof (section 8.2).
pub(super) const DPOP_NONCE: &str = "dpop-nonce";

/// What a request carries of it; most carry none.
pub(super) struct DpopHeader(Option<Shown>);

struct Shown {
    /// `None` where there are several, or none that could be one.
    jwt: Option<String>,
    method: Method,
    path: String,
}

impl<S: Sync> FromRequestParts<S> for DpopHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let mut all = parts.headers.get_all(DPOP).iter();
        let Some(first) = all.next() else { return Ok(Self(None)) };
        let jwt = first.to_str().ok().filter(|_| all.next().is_none()).map(str::to_owned);
        Ok(Self(Some(Shown { jwt, method: parts.method.clone(), path: parts.uri.path().to_owned() })))
    }
}

impl DpopHeader {
    /// What the request proves, beside the access token that it carries; `None` where it carries no proof.
    ///
    /// # Errors
    /// `invalid_dpop_proof`, `use_dpop_nonce`.
    pub(super) fn possession(&self, app: &App, access_token: Option<&str>) -> Result<Option<Possession>, OAuthError> {
        let Some(shown) = &self.0 else { return Ok(None) };
        let jwt = shown.jwt.as_deref().ok_or_else(|| invalid_proof(InvalidProof::NotOne))?;
        let addresses =
            app.settings.public_urls().map(|url| format!("{url}{}", shown.path).parse()).collect::<Result<Vec<_>, _>>();
        let addresses = addresses.map_err(|_| invalid_proof(InvalidProof::OtherAddress))?;
        let request = Request { method: shown.method.as_str(), addresses: &addresses, access_token };
        app.dispatch.possession(jwt, request).map(Some)
    }
}
