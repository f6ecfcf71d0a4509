//! The certificate of a client (RFC 8705 section 3): of the connection, or of a header of the proxy that ended it.

use base64::{Engine, engine::general_purpose::STANDARD};
use grantlog_dpop::sha256;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::header::only;

/// What PEM begins with (RFC 7468 section 5).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A certificate that a client showed in its handshake: a token that is bound to it is good for whoever shows it. What accepts connections puts
/// it among the extensions of their requests, where the layer finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    thumbprint: String,
}

impl ClientCertificate {
    /// Of the octets of the certificate itself, in DER.
    #[must_use]
    pub fn of_der(der: &[u8]) -> Self {
        Self { thumbprint: sha256(der) }
    }

    /// As `x5t#S256` has it.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Of the header with this name. `None` where it does not stand there once, or holds none.
    pub(crate) fn of_header(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        Self::of_value(only(headers, name)?)
    }

    /// PEM, percent-encoded, as nginx's `$ssl_client_escaped_cert`, or as RFC 9440 section 2.2 has it.
    fn of_value(value: &str) -> Option<Self> {
        if let Some(sequence) = value.strip_prefix(':') {
            return Some(Self::of_der(&STANDARD.decode(sequence.strip_suffix(':')?).ok().filter(|der| !der.is_empty())?));
        }
        let pem = percent_decode_str(value).decode_utf8().ok()?;
        // Of two, one may be somebody else's.
        if pem.matches(BEGIN).count() != 1 || !pem.trim_start().starts_with(BEGIN) {
            return None;
        }
        Some(Self::of_der(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = b"certificate";

    fn of_headers(values: &[&str]) -> Option<ClientCertificate> {
        let name = HeaderName::from_static("client-cert");
        let headers = values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect();
        ClientCertificate::of_header(&headers, &name)
    }

    #[test]
    fn a_header_holds_pem_or_a_byte_sequence() {
        let base64 = STANDARD.encode(DER);
        let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{}%0A-----END%20CERTIFICATE-----%0A", base64.replace('+', "%2B"));
        for value in [&format!(":{base64}:"), &pem] {
            assert_eq!(of_headers(&[value]), Some(ClientCertificate::of_der(DER)), "{value}");
        }
        for nothing in ["", ":", "::", ":!:", "-----BEGIN%20CERTIFICATE-----", "%ff", "(null)"] {
            assert_eq!(of_headers(&[nothing]), None, "{nothing}");
        }
        let sequence = format!(":{base64}:");
        assert_eq!((of_headers(&[]), of_headers(&[&sequence, &sequence])), (None, None));
        assert_eq!((of_headers(&[&format!("{pem},{pem}")]), of_headers(&[&format!("{sequence},{sequence}")])), (None, None));
    }
}
