//! TLS on listeners of our own: their certificates, read anew when the files change; and client certificates, taken from anybody in the
//! handshake, which proves that their key is there, and judged where they are to count ([why so](../../docs/decisions/0026-tls.md)).

mod anybody;
mod authorities;
mod pair;
mod reload;
mod renewed;

use std::{path::PathBuf, sync::Arc};

pub use authorities::Authorities;
use pair::Pair;
pub use reload::follow;
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    version::{TLS12, TLS13},
};

use crate::config::{KeyPair, Tls12};

/// What ends TLS on a listener.
#[derive(Clone)]
pub struct Tls {
    pair: Arc<Pair>,
    config: Arc<ServerConfig>,
}

/// Whether a listener asks for client certificates. It demands none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    NotAsked,
    Asked,
}

/// Why TLS cannot be had so.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {why}", path.display())]
    File { path: PathBuf, why: String },
    #[error("{} and {} are no certificate and its key: {why}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, why: String },
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Tls {
    /// With a certificate and its key.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub fn open(files: &KeyPair, tls12: Tls12, clients: ClientCertificates) -> Result<Self, TlsError> {
        let provider = Arc::new(provider(tls12));
        let pair = Arc::new(Pair::open(files, provider.clone())?);
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions(tls12))?;
        let builder = match clients {
            ClientCertificates::NotAsked => builder.with_no_client_auth(),
            ClientCertificates::Asked => builder.with_client_cert_verifier(anybody::verifier(&provider)),
        };
        let mut config = builder.with_cert_resolver(pair.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { pair, config: Arc::new(config) })
    }

    /// How it is spoken.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Reads the files again where they are others than those in use. What cannot be used is told of, and changes nothing.
    pub fn reload(&self) {
        self.pair.reload();
    }
}

static WITH_12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn versions(tls12: Tls12) -> &'static [&'static SupportedProtocolVersion] {
    match tls12 {
        Tls12::Fapi | Tls12::All => &WITH_12,
        Tls12::Off => &WITH_12[..1],
    }
}

/// Of TLS 1.2 FAPI 2.0 allows AES-GCM with ECDHE alone (Security Profile section 5.2.2); of TLS 1.3 everything.
fn provider(tls12: Tls12) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if tls12 == Tls12::Fapi {
        let is_gcm = |suite: &rustls::SupportedCipherSuite| format!("{:?}", suite.suite()).contains("_GCM_");
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || is_gcm(suite));
    }
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites(tls12: Tls12) -> Vec<String> {
        let provider = provider(tls12);
        let of_12 = provider.cipher_suites.iter().filter(|suite| suite.tls13().is_none());
        of_12.map(|suite| format!("{:?}", suite.suite())).collect()
    }

    #[test]
    fn what_fapi_allows_of_tls_12_is_ecdhe_with_aes_gcm() {
        let mut fapi = suites(Tls12::Fapi);
        fapi.sort();
        let allowed = [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ];
        assert_eq!(fapi, allowed);
        assert!(suites(Tls12::All).iter().any(|suite| suite.contains("CHACHA20")));
    }
}
