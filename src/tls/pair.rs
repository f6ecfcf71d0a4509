//! A certificate and its key, as files that somebody renews: those last read that fit together are in use.

use std::sync::Arc;

use domain::Timestamp;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_cert::{Certificate, der::Decode};

use crate::{clock::rfc3339, config::KeyPair};

use super::{
    TlsError,
    renewed::{Content, Renewed},
};

/// What a listener proves who it is by.
#[derive(Debug)]
pub(super) struct Pair {
    files: KeyPair,
    provider: Arc<CryptoProvider>,
    proof: Renewed<Proof>,
}

#[derive(Clone, Debug)]
struct Proof {
    key: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

impl Pair {
    pub(super) fn open(files: &KeyPair, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let paths = vec![files.certificate_file.clone(), files.key_file.clone()];
        let proof = Renewed::open(paths, |contents| Proof::of(files, contents, &provider))?;
        let pair = Self { files: files.clone(), provider, proof };
        pair.tell();
        Ok(pair)
    }

    pub(super) fn reload(&self) {
        match self.proof.renew(|contents| Proof::of(&self.files, contents, &self.provider)) {
            Ok(false) => {}
            Ok(true) => self.tell(),
            Err(error) => tracing::error!(%error, "a renewed certificate cannot be used: the one before stays in use"),
        }
    }

    /// Says until when it is good.
    fn tell(&self) {
        let expires_at = self.proof.current().expires_at;
        let certificate = self.files.certificate_file.display().to_string();
        #[expect(clippy::cast_precision_loss, reason = "seconds until far beyond any certificate's end")]
        metrics::gauge!("grantlog_tls_certificate_expires_at", "file" => certificate.clone()).set(expires_at.unix() as f64);
        tracing::info!(certificate, expires_at = rfc3339(expires_at), "a certificate is in use");
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.proof.current().key)
    }
}

impl Proof {
    /// Of the certificate file's content and the key file's.
    fn of(files: &KeyPair, contents: &[Content], provider: &CryptoProvider) -> Result<Self, TlsError> {
        let refused = |why: String| {
            let (certificate, key) = (files.certificate_file.clone(), files.key_file.clone());
            TlsError::Pair { certificate, key, why }
        };
        let [certificate, key] = contents else { return Err(refused("they are two files".to_owned())) };
        let chain = CertificateDer::pem_slice_iter(&certificate.bytes).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| refused(error.to_string()))?;
        let own = chain.first().ok_or_else(|| refused("there is no certificate in PEM".to_owned()))?;
        let own = Certificate::from_der(own).map_err(|error| refused(error.to_string()))?;
        let end = own.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        let key = PrivateKeyDer::from_pem_slice(&key.bytes).map_err(|error| refused(error.to_string()))?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| refused(error.to_string()))?;
        let expires_at = Timestamp::from_unix(i64::try_from(end).unwrap_or(i64::MAX));
        Ok(Self { key: Arc::new(key), expires_at })
    }
}
