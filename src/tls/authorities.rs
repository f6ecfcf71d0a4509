//! The authorities whose client certificates are believed (RFC 8705 section 2.1).

use std::{path::PathBuf, sync::Arc, time::Duration};

use domain::Timestamp;
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    TlsError,
    renewed::{Content, Renewed},
};

/// Those that the settings name; maybe none.
#[derive(Debug)]
pub struct Authorities(Renewed<Verifier>);

/// `None` where nobody is believed.
type Verifier = Option<Arc<dyn ClientCertVerifier>>;

impl Authorities {
    /// Reads their certificates, in PEM.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub fn open(files: &[PathBuf]) -> Result<Self, TlsError> {
        Ok(Self(Renewed::open(files.to_vec(), verifier)?))
    }

    /// Whether the settings name any.
    #[must_use]
    pub fn are_named(&self) -> bool {
        self.0.current().is_some()
    }

    /// Reads the files again where they are others than those in use. What cannot be used is told of, and changes nothing.
    pub fn reload(&self) {
        match self.0.renew(verifier) {
            Ok(false) => {}
            Ok(true) => tracing::info!("the authorities of client certificates are read anew"),
            Err(error) => tracing::error!(%error, "renewed authorities cannot be used: those before stay in use"),
        }
    }

    /// Whether one of them, directly or by the others that were shown, says that this certificate is good now, and for a client.
    #[must_use]
    pub fn vouch_for(&self, certificate: &CertificateDer<'_>, others: &[CertificateDer<'_>], now: Timestamp) -> bool {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.unix()).unwrap_or_default()));
        self.0.current().is_some_and(|verifier| match verifier.verify_client_cert(certificate, others, now) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(%error, "a client certificate is not trusted");
                false
            }
        })
    }
}

fn verifier(files: &[Content]) -> Result<Verifier, TlsError> {
    let mut roots = RootCertStore::empty();
    for Content { path, bytes } in files {
        let refused = |why: String| TlsError::File { path: path.clone(), why };
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(refused("it holds no certificate in PEM".to_owned()));
        }
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(Some(verifier.map_err(|error| rustls::Error::General(error.to_string()))?))
}
