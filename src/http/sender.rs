//! Who sends a request, as far as it shows: from where, and what it proves to hold, a key by the header `DPoP` or the key of a client
//! certificate.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use domain::client::Binding;

use crate::{
    dispatch::AuthenticatedClient,
    protocol::{OAuthError, client_certificate::ClientCertificate, dpop},
    state::App,
};

use super::{dpop::DpopHeader, source::Source};

/// RFC 9440 sections 2.2 and 2.3.
const CERTIFICATE: &str = "client-cert";
const CHAIN: &str = "client-cert-chain";

/// The sender of a request.
pub(super) struct Sender {
    pub(super) source: Source,
    pub(super) dpop: DpopHeader,
    pub(super) certificate: Option<ClientCertificate>,
}

/// What the handshake of a connection showed that was asked for a certificate.
#[derive(Clone)]
pub(super) struct Shown(pub(super) Option<ClientCertificate>);

impl FromRequestParts<App> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let source = Source::from_request_parts(parts, app).await?;
        let dpop = DpopHeader::from_request_parts(parts, app).await?;
        Ok(Self { source, dpop, certificate: certificate(parts, app) })
    }
}

impl Sender {
    /// A client whose tokens are bound to what it proves to hold, as it registered.
    ///
    /// # Errors
    /// `invalid_dpop_proof`, `use_dpop_nonce`; `invalid_request` where it registered for what it does not prove.
    pub(super) fn bound(&self, app: &App, client: &AuthenticatedClient) -> Result<AuthenticatedClient, OAuthError> {
        let client = client.clone();
        let possession = self.dpop.possession(app, None)?;
        match (client.registration().metadata.binding(), possession) {
            (Some(Binding::Certificate), Some(_)) => Err(OAuthError::invalid_request(
                "bound_to_certificate",
                "the client registered for tokens that are bound to its certificate: it sends no DPoP proof",
            )),
            (Some(Binding::Certificate), None) => match &self.certificate {
                Some(certificate) => Ok(client.bound_to(certificate.confirmation())),
                None => Err(OAuthError::invalid_request(
                    "certificate_missing",
                    "the client registered for tokens that are bound to its certificate: it comes with that, to the address in \
                     mtls_endpoint_aliases",
                )),
            },
            (Some(Binding::Key) | None, Some(possession)) => Ok(client.holding(possession)),
            (Some(Binding::Key), None) => Err(dpop::proof_missing()),
            (None, None) => Ok(client),
        }
    }
}

/// The certificate of the connection; where that was not asked for one, what a proxy says that the settings name.
fn certificate(parts: &Parts, app: &App) -> Option<ClientCertificate> {
    if let Some(Shown(certificate)) = parts.extensions.get() {
        return certificate.clone();
    }
    let settings = &app.settings.server;
    let header = settings.mtls.header.as_ref()?;
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    settings.trusted_proxies.contains(&peer.ip().to_canonical()).then(|| of_proxy(&parts.headers, header))?
}

fn of_proxy(headers: &HeaderMap, name: &str) -> Option<ClientCertificate> {
    let certificate = ClientCertificate::of_header(only(headers, name)?)?;
    // The chain's header belongs to that one alone: beside another, anybody could have written it.
    match name.eq_ignore_ascii_case(CERTIFICATE) && headers.contains_key(CHAIN) {
        true => certificate.with_chain(only(headers, CHAIN)?),
        false => Some(certificate),
    }
}

/// The value of a header that stands there once: of two, one may be somebody else's.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    first.to_str().ok().filter(|_| all.next().is_none())
}
