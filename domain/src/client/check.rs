//! What a client's metadata must be (RFC 7591 section 2, OpenID Connect Registration section 2).

use serde_json::Value;
use url::Url;

use crate::redirect_uri;

use super::{ApplicationType, ClientError, ClientMetadata, GrantType};

const MAX_NAME: usize = 200;
const MAX_URIS: usize = 50;
/// Ten years, in seconds.
const MAX_LIFETIME: u32 = 315_360_000;

/// How a member that is kept but not acted on yet must look.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Https,
    Texts,
    Whole,
    Truth,
    OneOf(&'static [&'static str]),
}

/// The members of RFC 7591 and OpenID Connect registration that are checked and kept for later.
const KEPT: [(&str, Form); 25] = [
    ("contacts", Form::Texts),
    ("subject_type", Form::OneOf(&["public", "pairwise"])),
    ("sector_identifier_uri", Form::Https),
    ("id_token_signed_response_alg", Form::Text),
    ("id_token_encrypted_response_alg", Form::Text),
    ("id_token_encrypted_response_enc", Form::Text),
    ("userinfo_signed_response_alg", Form::Text),
    ("userinfo_encrypted_response_alg", Form::Text),
    ("userinfo_encrypted_response_enc", Form::Text),
    ("request_object_signing_alg", Form::Text),
    ("request_object_encryption_alg", Form::Text),
    ("request_object_encryption_enc", Form::Text),
    ("token_endpoint_auth_signing_alg", Form::Text),
    ("default_max_age", Form::Whole),
    ("require_auth_time", Form::Truth),
    ("default_acr_values", Form::Texts),
    ("initiate_login_uri", Form::Https),
    ("request_uris", Form::Texts),
    ("backchannel_logout_uri", Form::Https),
    ("backchannel_logout_session_required", Form::Truth),
    ("frontchannel_logout_uri", Form::Https),
    ("frontchannel_logout_session_required", Form::Truth),
    ("require_pushed_authorization_requests", Form::Truth),
    ("dpop_bound_access_tokens", Form::Truth),
    ("tls_client_certificate_bound_access_tokens", Form::Truth),
];

fn invalid<T>(what: String) -> Result<T, ClientError> {
    Err(ClientError::InvalidMetadata(what))
}

impl ClientMetadata {
    /// Drops the members that neither RFC 7591 nor OpenID Connect registration knows: they are ignored (RFC 7591 section 2).
    #[must_use]
    pub fn keep_known(mut self) -> Self {
        let names: Vec<String> = self.other.keys().cloned().collect();
        for name in names {
            let base = name.split('#').next().unwrap_or_default();
            let human = ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"].contains(&base) && base != name;
            if !human && !KEPT.iter().any(|(known, _)| *known == name) {
                self.other.remove(&name);
            }
        }
        self
    }

    /// Checks every member.
    ///
    /// # Errors
    /// `InvalidRedirectUri` or `InvalidMetadata` with what is wrong.
    pub fn check(&self) -> Result<(), ClientError> {
        self.check_redirect_uris()?;
        self.check_grants()?;
        self.check_words()?;
        self.check_addresses()?;
        self.check_lifetimes()?;
        for (name, value) in &self.other {
            let form = KEPT.iter().find(|(known, _)| known == name).map_or(Form::Text, |(_, form)| *form);
            form.check(name, value)?;
        }
        Ok(())
    }

    fn check_redirect_uris(&self) -> Result<(), ClientError> {
        let native = self.application_type == ApplicationType::Native;
        let refused = |name: &str, uri: &str, reason| {
            let shown: String = uri.chars().take(120).collect();
            Err(ClientError::InvalidRedirectUri(format!("{name} {shown:?}: {reason}")))
        };
        for (name, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            if uris.len() > MAX_URIS {
                return Err(ClientError::InvalidRedirectUri(format!("{name} holds more than {MAX_URIS}")));
            }
            for uri in uris {
                if let Err(reason) = redirect_uri::check(uri, native) {
                    return refused(name, uri, reason);
                }
            }
        }
        if self.grant_types.contains(&GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(ClientError::InvalidRedirectUri("authorization_code needs at least one redirect_uri".to_owned()));
        }
        Ok(())
    }

    fn check_grants(&self) -> Result<(), ClientError> {
        let has = |grant_type| self.grant_types.contains(&grant_type);
        let code = has(GrantType::AuthorizationCode);
        if self.grant_types.is_empty() {
            return invalid("grant_types is empty".to_owned());
        }
        if let Some(other) = self.response_types.iter().find(|name| *name != "code") {
            return invalid(format!("response_types: {other:?} is not supported, code alone is"));
        }
        if code && self.response_types.is_empty() {
            return invalid("grant_types has authorization_code, but response_types lacks code".to_owned());
        }
        if self.is_public() && has(GrantType::ClientCredentials) {
            return invalid("a public client cannot use client_credentials (RFC 6749 section 4.4)".to_owned());
        }
        if self.is_public() && self.skip_consent {
            return invalid("skip_consent is for clients that prove who they are".to_owned());
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), ClientError> {
        let names = [
            ("client_name", &self.client_name),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
        ];
        for (name, text) in names {
            let Some(text) = text else { continue };
            if text.chars().count() > MAX_NAME {
                return invalid(format!("{name} is longer than {MAX_NAME} characters"));
            }
            if text.trim().is_empty() || text.chars().any(|c| c.is_control() || is_bidirectional_control(c)) {
                return invalid(format!("{name} is empty or holds control characters"));
            }
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), ClientError> {
        let pages = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("jwks_uri", &self.jwks_uri),
        ];
        for (name, uri) in pages {
            if uri.as_deref().is_some_and(|uri| !is_https(uri)) {
                return invalid(format!("{name} must be an https URL"));
            }
        }
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return invalid("jwks and jwks_uri exclude each other (RFC 7591 section 2)".to_owned());
        }
        if self.jwks.as_ref().is_some_and(|jwks| !jwks.get("keys").is_some_and(Value::is_array)) {
            return invalid("jwks must be a JWK set: an object with an array keys".to_owned());
        }
        if self.resources.len() > MAX_URIS {
            return invalid(format!("resources holds more than {MAX_URIS}"));
        }
        for resource in &self.resources {
            if resource.contains('#') || Url::parse(resource).is_err() {
                return invalid("resources must be absolute URIs without a fragment (RFC 8707 section 2)".to_owned());
            }
        }
        Ok(())
    }

    fn check_lifetimes(&self) -> Result<(), ClientError> {
        let lifetimes = [
            ("access_token_lifetime", self.access_token_lifetime),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
        ];
        for (name, lifetime) in lifetimes {
            if lifetime.is_some_and(|seconds| !(1..=MAX_LIFETIME).contains(&seconds)) {
                return invalid(format!("{name} must be 1 to {MAX_LIFETIME} seconds"));
            }
        }
        Ok(())
    }
}

impl Form {
    fn check(self, name: &str, value: &Value) -> Result<(), ClientError> {
        let text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= redirect_uri::MAX_LENGTH);
        let (fits, expected) = match self {
            Self::Text => (text(value), "a string"),
            Self::Https => (value.as_str().is_some_and(is_https), "an https URL"),
            Self::Texts => (
                value.as_array().is_some_and(|values| values.len() <= MAX_URIS && values.iter().all(text)),
                "an array of strings",
            ),
            Self::Whole => (value.as_u64().is_some(), "a whole number"),
            Self::Truth => (value.is_boolean(), "true or false"),
            Self::OneOf(names) => (value.as_str().is_some_and(|text| names.contains(&text)), "one of its registered values"),
        };
        if fits { Ok(()) } else { invalid(format!("{name} must be {expected}")) }
    }
}

fn is_https(uri: &str) -> bool {
    uri.len() <= redirect_uri::MAX_LENGTH && Url::parse(uri).is_ok_and(|uri| uri.scheme() == "https" && uri.host().is_some())
}

/// Characters that change the direction of text, by which a name could show as another (Unicode Bidirectional Algorithm).
const fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
