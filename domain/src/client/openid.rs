//! What a client's metadata says of OpenID Connect (Registration section 2): how its answers are signed, and as whom it knows a user.

use serde_json::Value;
use url::Url;

use super::{AccessTokenFormat, ClientError, ClientMetadata, SigningAlgorithm, metadata_check::invalid};

pub(super) const ID_TOKEN_ALG: &str = "id_token_signed_response_alg";
pub(super) const USERINFO_ALG: &str = "userinfo_signed_response_alg";
pub(super) const SUBJECT_TYPE: &str = "subject_type";
pub(super) const SECTOR_URI: &str = "sector_identifier_uri";

impl ClientMetadata {
    /// What signs its ID tokens: the usual where it says nothing, or was registered for an algorithm that the issuer does not sign with.
    #[must_use]
    pub fn id_token_algorithm(&self) -> SigningAlgorithm {
        self.algorithm(ID_TOKEN_ALG).unwrap_or_else(|| self.policy.usual_algorithm())
    }

    /// What signs its userinfo answers; `None` where they are plain JSON.
    #[must_use]
    pub fn userinfo_algorithm(&self) -> Option<SigningAlgorithm> {
        self.algorithm(USERINFO_ALG)
    }

    pub(super) fn algorithm(&self, member: &str) -> Option<SigningAlgorithm> {
        self.text(member).and_then(SigningAlgorithm::named)
    }

    /// How old a sign-in may be, in seconds, where a request does not say.
    #[must_use]
    pub fn default_max_age(&self) -> Option<u32> {
        self.other.get("default_max_age").and_then(Value::as_u64).and_then(|seconds| u32::try_from(seconds).ok())
    }

    /// In which contexts it wants people to sign in, the dearest first, where a request does not say.
    pub fn default_acr_values(&self) -> impl Iterator<Item = &str> {
        let values = self.other.get("default_acr_values").and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether it knows each user by an id that no client of another sector knows (Core section 8.1).
    #[must_use]
    pub fn is_pairwise(&self) -> bool {
        self.text(SUBJECT_TYPE) == Some("pairwise")
    }

    /// Where its sector says which redirect URIs belong to it.
    #[must_use]
    pub fn sector_identifier_uri(&self) -> Option<&str> {
        self.text(SECTOR_URI)
    }

    /// The host that stands for its sector: of its `sector_identifier_uri`, else of its redirect URIs, where that is one; `None` for none.
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        if let Some(uri) = self.sector_identifier_uri() {
            return host_of(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| host_of(uri));
        let first = hosts.next().flatten()?;
        hosts.all(|host| host.as_deref() == Some(&first)).then_some(first)
    }

    /// The form of a token, as its resource wants it or else as the client registered it. A pairwise client gets opaque ones: a JWT would tell
    /// it the id that resource servers know its users by.
    #[must_use]
    pub fn format_of_access_tokens(&self, wanted: Option<AccessTokenFormat>) -> AccessTokenFormat {
        if self.is_pairwise() { AccessTokenFormat::Opaque } else { wanted.unwrap_or(self.access_token_format) }
    }

    pub(super) fn check_sector(&self) -> Result<(), ClientError> {
        if self.is_pairwise() && self.sector().is_none() {
            let why = "pairwise needs redirect_uris of one host, or a sector_identifier_uri";
            return Err(invalid(SUBJECT_TYPE, why));
        }
        Ok(())
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.other.get(member).and_then(Value::as_str)
    }
}

fn host_of(uri: &str) -> Option<String> {
    Some(Url::parse(uri).ok()?.host_str()?.to_owned())
}
