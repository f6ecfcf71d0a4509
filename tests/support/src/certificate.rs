//! Certificates that clients show in the handshake (RFC 8705), and what speaks to a server with one.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use grantlog::{config::Settings, protocol::client_certificate::ClientCertificate};
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};

use crate::{Authority, Kind, TestApp};

/// A client's certificate and its key, in PEM.
pub struct ClientIdentity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl ClientIdentity {
    /// What speaks to servers of this authority, and shows the certificate.
    #[must_use]
    pub fn http(&self, authority: &Authority) -> reqwest::Client {
        let identity = reqwest::Identity::from_pem(format!("{}{}", self.certificate, self.key).as_bytes());
        let builder = trusting(authority).identity(identity.expect("it is a certificate with its key"));
        builder.build().expect("a client can be made")
    }

    /// As a proxy tells of it: PEM, percent-encoded.
    #[must_use]
    pub fn escaped(&self) -> String {
        self.certificate.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    /// As RFC 9440 writes it.
    #[must_use]
    pub fn byte_sequence(&self) -> String {
        format!(":{}:", STANDARD.encode(self.read().chain().0))
    }

    /// Its digest (RFC 8705 section 3.1).
    #[must_use]
    pub fn cnf(&self) -> Value {
        json!(self.read().confirmation())
    }

    /// The public key, and the certificate where that is to stand there.
    ///
    /// # Panics
    /// Where the key is not on P-256.
    #[must_use]
    pub fn jwks(&self, with_certificate: bool) -> Value {
        let certificate = self.read();
        let key = certificate.own().tbs_certificate().subject_public_key_info().subject_public_key.as_bytes();
        let (x, y) = key.expect("it is whole")[1..].split_at(32);
        let part = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let mut key = json!({"kty": "EC", "crv": "P-256", "x": part(x), "y": part(y)});
        if with_certificate {
            key["x5c"] = json!([STANDARD.encode(certificate.chain().0)]);
        }
        assert!(serde_json::from_value::<Jwk>(key.clone()).is_ok());
        json!({"keys": [key]})
    }

    fn read(&self) -> ClientCertificate {
        ClientCertificate::of_header(&self.escaped()).expect("it is a certificate")
    }
}

/// What speaks to servers of this authority, and shows none.
#[must_use]
pub fn without_certificate(authority: &Authority) -> reqwest::Client {
    trusting(authority).build().expect("a client can be made")
}

fn trusting(authority: &Authority) -> reqwest::ClientBuilder {
    let root = std::fs::read(authority.certificate()).expect("the authority has a certificate");
    let root = reqwest::Certificate::from_pem(&root).expect("it is a certificate");
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_merge([root])
}

impl TestApp {
    /// A server with a second listener, which asks for client certificates and trusts those of this authority.
    pub async fn start_with_certificates(kind: Kind, authority: &Authority, change: impl FnOnce(&mut Settings)) -> Self {
        let (certificate, key) = authority.signed("server");
        Self::start_in_real_time(kind, |settings| {
            let mtls = &mut settings.server.mtls;
            mtls.listen = Some(([127, 0, 0, 1], 0).into());
            (mtls.certificate_file, mtls.key_file) = (Some(certificate), Some(key));
            mtls.ca_files = vec![authority.certificate()];
            change(settings);
        })
        .await
    }

    /// The address of a path where client certificates are asked for.
    ///
    /// # Panics
    /// Where none are.
    #[must_use]
    pub fn certificates_url(&self, path: &str) -> String {
        let url = self.app.settings.server.mtls.public_url.as_ref().expect("client certificates are taken");
        format!("{}{path}", url.as_str().trim_end_matches('/'))
    }
}
