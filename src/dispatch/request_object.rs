//! Request objects (RFC 9101): where one is found, who signed it, and the request that it is.

use domain::client::Registration;

use crate::{
    log::Unavailable,
    protocol::{
        OAuthError, Parameters,
        request_object::{self, RequestObject, Source, invalid},
        signed_jwt::Head,
    },
};

use super::{Dispatch, signers_keys::KeysOf};

/// The media types of what stands at a `request_uri` (RFC 9101 section 5.2.3).
const MEDIA_TYPES: [&str; 2] = ["application/oauth-authz-req+jwt", "application/jwt"];

impl Dispatch {
    /// The request that a client signed; `None` where its parameters are the request themselves.
    ///
    /// # Errors
    /// Outside, that a store does not answer; inside, what is wrong with the object.
    pub async fn signed_request(
        &self,
        parameters: &Parameters,
        client: &Registration,
    ) -> Result<Result<Option<Parameters>, OAuthError>, Unavailable> {
        let object = match Source::find(parameters, &client.metadata) {
            Ok(None) => return Ok(Ok(None)),
            Ok(Some(Source::Value(object))) => object.to_owned(),
            Ok(Some(Source::Reference(uri))) => match self.fetch_request(uri).await {
                Some(object) => object,
                None => return Ok(Err(request_object::not_fetched(uri))),
            },
            Err(error) => return Ok(Err(error)),
        };
        self.read_request(&object, client).await
    }

    async fn read_request(
        &self,
        object: &str,
        client: &Registration,
    ) -> Result<Result<Option<Parameters>, OAuthError>, Unavailable> {
        let refused = |rule, why| Ok(Err(invalid(rule, why)));
        let head = match Head::read(object, &request_object::TYPES) {
            Ok(head) if client.metadata.signs_requests_with(head.algorithm) => head,
            Ok(_) | Err(_) => {
                return refused("request_algorithm", "it is no JWT of an algorithm that the application signs requests with");
            }
        };
        let Some(signed) = self.signed_by::<RequestObject>(object, &head, KeysOf::client(&client.metadata)).await? else {
            return refused("request_not_signed", "none of the application's keys signed it");
        };
        let now = (self.clock.now(), self.settings.limits.clock_skew);
        let own = (client.identifier.as_str(), client.metadata.policy);
        Ok(signed.into_parameters(own, &self.settings.issuer(), now).map(Some))
    }

    async fn fetch_request(&self, uri: &str) -> Option<String> {
        let fetched = self.fetcher.get(&uri.parse().ok()?, &MEDIA_TYPES.join(", ")).await;
        let fetched = fetched.inspect_err(|error| tracing::debug!(%error, "a request could not be fetched")).ok()?;
        let is_request = fetched.media_type.as_deref().is_some_and(|media_type| MEDIA_TYPES.contains(&media_type));
        (fetched.status == 200 && is_request)
            .then(|| String::from_utf8(fetched.body).ok())?
            .map(|object| object.trim().to_owned())
    }
}
