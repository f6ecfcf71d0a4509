//! Who sends a request, as far as it shows: what a token is bound to (RFC 7800) is compared with that.

use grantlog_dpop::{InvalidProof, Proof};
use http::{Method, Request};
use serde_json::Value;

use crate::{
    certificate::ClientCertificate,
    claims::Claims,
    clock::now,
    header::only,
    presented::Presented,
    refusal::Refusal::{self, BoundToKey, InvalidToken},
    scheme::Scheme,
    settings::Settings,
    used_proofs::UsedProofs,
};

/// RFC 9449 section 4.1.
const DPOP: &str = "dpop";

/// The sender of a request. By default it shows nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sender {
    proof: Option<Shown>,
    certificate: Option<ClientCertificate>,
}

/// A proof, and what it must be for.
#[derive(Clone, Debug)]
struct Shown {
    jwt: String,
    method: Method,
    path: String,
}

impl Sender {
    /// Of a request.
    pub(crate) fn of<B>(request: &Request<B>, settings: &Settings) -> Self {
        let (method, path) = (request.method(), request.uri().path());
        let proof = only(request.headers(), DPOP);
        let of_connection = request.extensions().get().cloned();
        let of_proxy = || ClientCertificate::of_header(request.headers(), settings.client_certificate_header.as_ref()?);
        Self {
            proof: proof.map(|jwt| Shown { jwt: jwt.to_owned(), method: method.clone(), path: path.to_owned() }),
            certificate: of_connection.or_else(of_proxy),
        }
    }

    /// Whether a token is this sender's to use.
    pub(crate) fn holds(
        &self,
        claims: &Claims,
        presented: &Presented,
        settings: &Settings,
        used: &UsedProofs,
    ) -> Result<(), Refusal> {
        let Some(cnf) = claims.more.get("cnf") else {
            return match presented.scheme {
                Scheme::Bearer => Ok(()),
                Scheme::Dpop => Err(InvalidToken("the token is bound to no key: present it as Bearer")),
            };
        };
        let (key, certificate) = (cnf.get("jkt"), cnf.get("x5t#S256"));
        match (key, certificate, presented.scheme) {
            (Some(Value::String(_)), None, Scheme::Bearer) => Err(BoundToKey),
            (Some(Value::String(thumbprint)), None, Scheme::Dpop) => self.proves(thumbprint, &presented.token, settings, used),
            (None, Some(Value::String(thumbprint)), Scheme::Bearer) => match &self.certificate {
                Some(shown) if shown.thumbprint() == thumbprint => Ok(()),
                _ => Err(InvalidToken("the token is bound to a certificate that this connection does not show")),
            },
            (None, Some(Value::String(_)), Scheme::Dpop) => {
                Err(InvalidToken("the token is bound to a certificate: present it as Bearer"))
            }
            _ => Err(InvalidToken("the token is bound to what cannot be told here")),
        }
    }

    /// Whether the request proves to hold the key of this thumbprint, by a proof that was not used before.
    fn proves(&self, thumbprint: &str, token: &str, settings: &Settings, used: &UsedProofs) -> Result<(), Refusal> {
        let shown = self.proof.as_ref().ok_or(InvalidProof::NotOne)?;
        let address = settings.address_of(&shown.path).ok_or_else(|| {
            tracing::error!("a proof came for an address, and neither `address` nor `audience` in the settings is one");
            InvalidProof::OtherAddress
        })?;
        let request = grantlog_dpop::Request { method: shown.method.as_str(), addresses: &[address], access_token: Some(token) };
        let now = now();
        let proof = Proof::read(&shown.jwt, request, now)?;
        if proof.thumbprint != thumbprint {
            return Err(InvalidToken("the token is bound to another key than the proof's"));
        }
        if used.use_up(proof, now) { Ok(()) } else { Err(InvalidProof::UsedBefore.into()) }
    }
}
