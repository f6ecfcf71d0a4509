//! TLS of our own, and client certificates (RFC 8705).

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use url::Url;

use super::{Server, SettingError, Settings};

/// TLS that the server itself ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub tls12: Tls12,
}

/// What is taken of TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls12 {
    /// ECDHE with AES-GCM alone.
    Fapi,
    /// ChaCha20-Poly1305 too.
    All,
    Off,
}

/// Where client certificates are taken, and whose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mtls {
    pub listen: Option<SocketAddr>,
    pub public_url: Option<Url>,
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// PEM files of authorities.
    pub ca_files: Vec<PathBuf>,
    /// The header by which a trusted proxy tells of the certificate that it was shown.
    pub header: Option<String>,
}

/// The files of a certificate, with those that lead to its authority, and of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
}

impl KeyPair {
    fn of(certificate_file: Option<&PathBuf>, key_file: Option<&PathBuf>) -> Option<Self> {
        Some(Self { certificate_file: certificate_file?.clone(), key_file: key_file?.clone() })
    }
}

impl Server {
    /// What ends TLS on the ordinary listener; `None` where that speaks plain http.
    #[must_use]
    pub fn key_pair(&self) -> Option<KeyPair> {
        KeyPair::of(self.tls.certificate_file.as_ref(), self.tls.key_file.as_ref())
    }

    /// What ends TLS on the listener for client certificates.
    #[must_use]
    pub fn mtls_key_pair(&self) -> Option<KeyPair> {
        KeyPair::of(self.mtls.certificate_file.as_ref(), self.mtls.key_file.as_ref()).or_else(|| self.key_pair())
    }

    pub(super) fn check_tls(&self) -> Result<(), SettingError> {
        let Self { tls, mtls, .. } = self;
        for (section, certificate, key) in
            [("server.tls", &tls.certificate_file, &tls.key_file), ("server.mtls", &mtls.certificate_file, &mtls.key_file)]
        {
            if certificate.is_some() != key.is_some() {
                return Err(SettingError::HalfAPair(section));
            }
        }
        if mtls.listen.is_some() && self.mtls_key_pair().is_none() {
            return Err(SettingError::Mtls("server.mtls.listen needs certificate_file and key_file, there or in server.tls"));
        }
        let is_on = mtls.listen.is_some() || mtls.header.is_some();
        if !is_on && (mtls.public_url.is_some() || !mtls.ca_files.is_empty()) {
            return Err(SettingError::Mtls("server.mtls takes no client certificates without listen, or header behind a proxy"));
        }
        if is_on && mtls.public_url.as_ref().is_none_or(|url| url.scheme() != "https" || !is_origin(url)) {
            return Err(SettingError::Mtls("server.mtls.public_url must be there, and an https origin"));
        }
        if mtls.header.is_some() && self.trusted_proxies.is_empty() {
            return Err(SettingError::Mtls(
                "server.mtls.header is believed of server.trusted_proxies alone: name the proxy there",
            ));
        }
        let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if mtls.header.as_ref().is_some_and(|name| name.is_empty() || !name.bytes().all(of_a_name)) {
            return Err(SettingError::Mtls("server.mtls.header must be the name of a header"));
        }
        Ok(())
    }
}

/// Whether a URL has nothing behind its host and port.
pub(super) fn is_origin(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
}

impl Settings {
    /// The issuer as it is reached with client certificates (RFC 8705 section 5), where they are taken.
    #[must_use]
    pub fn mtls_issuer(&self) -> Option<String> {
        self.mtls_url().map(|url| format!("{url}/o"))
    }

    /// The public URL without a slash at its end, and that for client certificates: each of them is ours.
    pub fn public_urls(&self) -> impl Iterator<Item = &str> {
        [Some(self.public_url()), self.mtls_url()].into_iter().flatten()
    }

    fn mtls_url(&self) -> Option<&str> {
        self.server.mtls.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/'))
    }
}
