//! A certificate and its key, as files that somebody renews: those last read that fit together are in use.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{Digest, Timestamp};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_cert::{Certificate, der::Decode};

use crate::{clock::rfc3339, config::KeyPair};

use super::TlsError;

/// What a listener proves who it is by.
#[derive(Debug)]
pub(super) struct Pair {
    files: KeyPair,
    provider: Arc<CryptoProvider>,
    current: RwLock<Read>,
}

/// What was read.
#[derive(Debug)]
struct Read {
    key: Arc<CertifiedKey>,
    /// Of both files' content.
    digest: Digest,
    expires_at: Timestamp,
}

impl Pair {
    pub(super) fn open(files: &KeyPair, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let current = Read::now(&Content::of(files)?, files, &provider)?;
        let pair = Self { files: files.clone(), provider, current: RwLock::new(current) };
        pair.tell();
        Ok(pair)
    }

    pub(super) fn reload(&self) {
        let read = Content::of(&self.files).and_then(|content| {
            let is_new = content.digest() != self.current.read().unwrap_or_else(PoisonError::into_inner).digest;
            is_new.then(|| Read::now(&content, &self.files, &self.provider)).transpose()
        });
        match read {
            Ok(None) => {}
            Ok(Some(read)) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
                self.tell();
            }
            Err(error) => tracing::error!(%error, "a renewed certificate cannot be used: the one before stays in use"),
        }
    }

    /// Says until when it is good.
    fn tell(&self) {
        let expires_at = self.current.read().unwrap_or_else(PoisonError::into_inner).expires_at;
        let certificate = self.files.certificate_file.display().to_string();
        #[expect(clippy::cast_precision_loss, reason = "seconds until far beyond any certificate's end")]
        metrics::gauge!("grantlog_tls_certificate_expires_at", "file" => certificate.clone()).set(expires_at.unix() as f64);
        tracing::info!(certificate, expires_at = rfc3339(expires_at), "a certificate is in use");
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).key.clone())
    }
}

/// The files' content.
struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Content {
    fn of(files: &KeyPair) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(&files.certificate_file)?, key: read(&files.key_file)? })
    }

    fn digest(&self) -> Digest {
        Digest::of(&[self.certificate.as_slice(), &self.key].concat())
    }
}

impl Read {
    fn now(content: &Content, files: &KeyPair, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let refused = |why: String| {
            let (certificate, key) = (files.certificate_file.clone(), files.key_file.clone());
            TlsError::Pair { certificate, key, why }
        };
        let chain = CertificateDer::pem_slice_iter(&content.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| refused(error.to_string()))?;
        let own = chain.first().ok_or_else(|| refused("there is no certificate in PEM".to_owned()))?;
        let own = Certificate::from_der(own).map_err(|error| refused(error.to_string()))?;
        let end = own.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        let key = PrivateKeyDer::from_pem_slice(&content.key).map_err(|error| refused(error.to_string()))?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| refused(error.to_string()))?;
        let expires_at = Timestamp::from_unix(i64::try_from(end).unwrap_or(i64::MAX));
        Ok(Self { key: Arc::new(key), digest: content.digest(), expires_at })
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::File { path: path.clone(), why: error.to_string() })
}
