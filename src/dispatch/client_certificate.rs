//! A client proves who it is by its certificate (RFC 8705 section 2): an authority vouches for the name that it registered, or it registered
//! the certificate itself.

use std::sync::Arc;

use domain::client::{AuthenticationMethod, Registration};

use crate::{
    log::Unavailable,
    protocol::client_certificate::{ClientCertificate, InvalidCertificate},
    tls::Authorities,
};

use super::{Inner, signers_keys::KeysOf};

impl Inner {
    /// Those whose client certificates are believed.
    #[must_use]
    pub fn authorities(&self) -> Arc<Authorities> {
        self.authorities.clone()
    }

    /// Whether this is the certificate of a client that authenticates by one.
    pub(super) async fn check_certificate(
        &self,
        certificate: Option<&ClientCertificate>,
        client: &Registration,
    ) -> Result<Result<(), InvalidCertificate>, Unavailable> {
        let Some(certificate) = certificate else { return Ok(Err(InvalidCertificate::Missing)) };
        if client.metadata.token_endpoint_auth_method == AuthenticationMethod::SelfSignedTlsClientAuth {
            let registered = |keys: &[_]| keys.iter().any(|key| certificate.is_registered_as(key)).then_some(());
            let found = self.find_in_keys(KeysOf::client(&client.metadata), registered).await?;
            return Ok(found.ok_or(InvalidCertificate::NotRegistered));
        }
        let (own, others) = certificate.chain();
        if !self.authorities.vouch_for(own, others, self.clock.now()) {
            return Ok(Err(InvalidCertificate::NotTrusted));
        }
        let is_named = client.metadata.certificate_name().is_some_and(|name| name.is_of(certificate.own()));
        Ok(if is_named { Ok(()) } else { Err(InvalidCertificate::NamesAnother) })
    }
}
