//! A client certificate (RFC 8705), as it was shown to us in a handshake or to a proxy that tells us of it.

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::Confirmation;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use percent_encoding::percent_decode_str;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_cert::{
    Certificate,
    der::{Decode, asn1::Uint},
};

use super::dpop;

/// What PEM begins with (RFC 7468 section 5).
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// So many certificates are looked at between a client's and its authority's.
const MOST: usize = 10;

/// A certificate whose key is in the hands of whoever sent the request, and those that may lead to its authority.
#[derive(Clone, Debug)]
pub struct ClientCertificate(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    own: Certificate,
    thumbprint: String,
}

/// Why a certificate does not prove who a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCertificate {
    #[error("there is none")]
    Missing,
    #[error("no authority that is trusted says that it is good")]
    NotTrusted,
    #[error("it names another than the client registered")]
    NamesAnother,
    #[error("the client did not register it")]
    NotRegistered,
}

impl ClientCertificate {
    /// Of a handshake; the client's own is the first. `None` where that cannot be read.
    #[must_use]
    pub fn of_chain(mut chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        chain.truncate(1 + MOST);
        let first = chain.first()?;
        let own = Certificate::from_der(first).ok()?;
        let thumbprint = dpop::sha256(first);
        Some(Self(Arc::new(Shown { chain, own, thumbprint })))
    }

    /// Of a header's value: PEM, percent-encoded, as nginx's `$ssl_client_escaped_cert`, or as RFC 9440 section 2.2 has it.
    #[must_use]
    pub fn of_header(value: &str) -> Option<Self> {
        if value.starts_with(':') {
            return Self::of_chain(vec![of_byte_sequence(value)?]);
        }
        let pem = percent_decode_str(value).decode_utf8().ok()?;
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
        // What begins in the midst of a line was put behind what somebody else had sent.
        if chain.len() == pem.matches(PEM_BEGIN).count() { Self::of_chain(chain) } else { None }
    }

    /// The same, with what `Client-Cert-Chain` tells besides (RFC 9440 section 2.3). `None` where that cannot be read.
    #[must_use]
    pub fn with_chain(&self, value: &str) -> Option<Self> {
        let others = value.split(',').take(MOST).map(|one| of_byte_sequence(one.trim()));
        let chain = self.0.chain.iter().cloned().map(Some).chain(others).collect::<Option<_>>()?;
        Self::of_chain(chain)
    }

    /// What a token is bound to that is for whoever shows it.
    #[must_use]
    pub fn confirmation(&self) -> Confirmation {
        Confirmation::CertificateThumbprint(self.0.thumbprint.clone())
    }

    /// The client's own, and those between it and its authority.
    #[must_use]
    pub fn chain(&self) -> (&CertificateDer<'static>, &[CertificateDer<'static>]) {
        self.0.chain.split_first().expect("the client's own is the first")
    }

    /// What the client's own says.
    #[must_use]
    pub fn own(&self) -> &Certificate {
        &self.0.own
    }

    /// Whether a key that the client registered is this one (RFC 8705 section 2.2.2): the certificate that stands there, or, where none does,
    /// any of that public key.
    #[must_use]
    pub fn is_registered_as(&self, key: &Jwk) -> bool {
        match key.common.x509_chain.as_deref() {
            Some([first, ..]) => STANDARD.decode(first).is_ok_and(|der| der == self.chain().0.as_ref()),
            Some([]) | None => self.has_key(&key.algorithm).unwrap_or_default(),
        }
    }

    /// Whether its public key is of these numbers; `None` where that cannot be said.
    fn has_key(&self, key: &AlgorithmParameters) -> Option<bool> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let own = self.0.own.tbs_certificate().subject_public_key_info().subject_public_key.as_bytes()?;
        Some(match key {
            // An uncompressed point (SEC 1 section 2.3.3).
            AlgorithmParameters::EllipticCurve(key) => own == [vec![4], decode(&key.x)?, decode(&key.y)?].concat(),
            AlgorithmParameters::OctetKeyPair(key) => own == decode(&key.x)?,
            // RFC 8017 appendix A.1.1.
            AlgorithmParameters::RSA(key) => {
                let numbers = Vec::<Uint>::from_der(own).ok()?;
                let [modulus, exponent] = numbers.as_slice() else { return None };
                modulus.as_bytes() == decode(&key.n)? && exponent.as_bytes() == decode(&key.e)?
            }
            _ => return None,
        })
    }
}

/// RFC 8941 section 3.3.5.
fn of_byte_sequence(value: &str) -> Option<CertificateDer<'static>> {
    let base64 = value.strip_prefix(':')?.strip_suffix(':')?;
    Some(CertificateDer::from(STANDARD.decode(base64).ok()?))
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    const PEM: &str = include_str!("../../domain/src/client/tests/bank.pem");

    fn bank() -> ClientCertificate {
        ClientCertificate::of_header(&utf8_percent_encode(PEM, NON_ALPHANUMERIC).to_string()).expect("it is a certificate")
    }

    #[test]
    fn a_header_holds_pem_or_a_byte_sequence() {
        let sequence = format!(":{}:", STANDARD.encode(bank().chain().0));
        let of_sequence = ClientCertificate::of_header(&sequence).unwrap();
        assert_eq!(of_sequence.confirmation(), bank().confirmation());
        let chained = of_sequence.with_chain(&format!("{sequence}, {sequence}")).unwrap();
        assert_eq!((chained.chain().1.len(), chained.confirmation()), (2, bank().confirmation()));
        for nothing in ["", ":", "::", ":!:", "-----BEGIN%20CERTIFICATE-----", "%ff", "(null)"] {
            assert!(ClientCertificate::of_header(nothing).is_none(), "{nothing}");
        }
        assert!(of_sequence.with_chain("nothing").is_none());
        let escaped = utf8_percent_encode(PEM, NON_ALPHANUMERIC).to_string();
        assert!(ClientCertificate::of_header(&format!("{escaped}{escaped}")).is_some());
        assert!(ClientCertificate::of_header(&format!("{escaped},{escaped}")).is_none());
    }

    #[test]
    fn a_registered_certificate_is_that_one_and_a_registered_key_any_of_it() {
        let spki = bank().own().tbs_certificate().subject_public_key_info().subject_public_key.as_bytes().unwrap().to_vec();
        let part = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let own = serde_json::json!({"kty": "EC", "crv": "P-256", "x": part(&spki[1..33]), "y": part(&spki[33..])});
        let key = |more: serde_json::Value| {
            let mut all = own.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Jwk>(all).unwrap()
        };
        assert!(bank().is_registered_as(&key(serde_json::json!({}))));
        assert!(bank().is_registered_as(&key(serde_json::json!({"x5c": [STANDARD.encode(bank().chain().0)]}))));
        assert!(!bank().is_registered_as(&key(serde_json::json!({"x5c": [STANDARD.encode("another")]}))));
        assert!(!bank().is_registered_as(&key(serde_json::json!({"x": part(&spki[33..])}))));
    }
}
