//! What a client's metadata must satisfy before it is registered (RFC 7591 section 2, OpenID Connect Registration section 2).

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::redirect_uri;

use super::{ApplicationType, AuthenticationMethod, ClientError, ClientMetadata, GrantType, logout_uris};

/// How many entries any of its lists may have.
pub(super) const MAX_ENTRIES: usize = 50;
/// How many scopes it may be registered for, and in how many bytes.
const MAX_SCOPES: usize = 100;
const MAX_SCOPE_LENGTH: usize = 4096;
const MAX_NAME_CHARACTERS: usize = 200;
/// The largest JWK set that is kept, in bytes of JSON.
const MAX_JWKS_LENGTH: usize = 32_768;
/// Seconds: up to ten years.
const LIFETIMES: RangeInclusive<u32> = 1..=10 * 365 * 86_400;
/// Members that only private and symmetric keys have (RFC 7518 section 6).
const PRIVATE_JWK_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// Whether it is a set of public keys (RFC 7517 section 5).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_jwks(jwks: &Value) -> Result<(), &'static str> {
    let Some(keys) = jwks.get("keys").and_then(Value::as_array) else {
        return Err("it must be an object with an array `keys`");
    };
    if keys.len() > MAX_ENTRIES || jwks.to_string().len() > MAX_JWKS_LENGTH {
        return Err("it is too long");
    }
    for key in keys {
        let Some(key) = key.as_object().filter(|key| key.get("kty").is_some_and(Value::is_string)) else {
            return Err("each key must be an object with a `kty`");
        };
        if PRIVATE_JWK_MEMBERS.iter().any(|member| key.contains_key(*member)) {
            return Err("it holds a private or symmetric key: never send those to anybody");
        }
    }
    Ok(())
}

impl ClientMetadata {
    /// Whether it can be registered.
    ///
    /// # Errors
    /// `InvalidRedirectUri` or `InvalidMetadata`, naming the member and what is wrong with it.
    pub fn check(&self) -> Result<(), ClientError> {
        self.check_redirect_uris()?;
        self.check_grants()?;
        self.check_names()?;
        self.check_uris()?;
        self.check_keys()?;
        self.check_lifetimes()?;
        self.check_other()?;
        self.check_certificate_name()?;
        self.check_binding()?;
        self.check_policy()?;
        self.check_sector()
    }

    fn check_redirect_uris(&self) -> Result<(), ClientError> {
        if self.redirect_uris.is_empty() && self.may_use(GrantType::AuthorizationCode) {
            return Err(ClientError::InvalidRedirectUri("redirect_uris: authorization_code needs at least one".to_owned()));
        }
        let native = self.application_type == ApplicationType::Native;
        for (member, uris) in
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)]
        {
            check_count(member, uris.len())?;
            for (index, uri) in uris.iter().enumerate() {
                redirect_uri::check(uri, native)
                    .map_err(|why| ClientError::InvalidRedirectUri(format!("{member}, number {}: {why}", index + 1)))?;
            }
        }
        Ok(())
    }

    fn check_grants(&self) -> Result<(), ClientError> {
        if self.response_types.iter().any(|response_type| response_type != "code") {
            return Err(invalid("response_types", "code is the only one there is"));
        }
        if self.may_use(GrantType::AuthorizationCode) && self.response_types.is_empty() {
            return Err(invalid("response_types", "authorization_code needs code"));
        }
        if self.is_public() && self.may_use(GrantType::ClientCredentials) {
            return Err(invalid("token_endpoint_auth_method", "client_credentials needs a client that proves who it is"));
        }
        if self.is_public() && self.may_use(GrantType::JwtBearer) {
            return Err(invalid("token_endpoint_auth_method", "jwt-bearer needs a client that proves who it is"));
        }
        if self.is_public() && self.may_use(GrantType::TokenExchange) {
            return Err(invalid("token_endpoint_auth_method", "token exchange needs a client that proves who it is"));
        }
        if self.is_public() && self.skip_consent {
            return Err(invalid("skip_consent", "only a client that proves who it is can go without consent"));
        }
        if self.scope.names().count() > MAX_SCOPES || self.scope.to_string().len() > MAX_SCOPE_LENGTH {
            return Err(invalid("scope", "it is too long"));
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), ClientError> {
        let names = [
            ("client_name", &self.client_name),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
        ];
        names
            .into_iter()
            .filter_map(|(member, name)| Some((member, name.as_ref()?)))
            .try_for_each(|(member, name)| check_name(member, name))
    }

    fn check_uris(&self) -> Result<(), ClientError> {
        let shown = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ];
        if self.jwks_uri.as_ref().is_some_and(|uri| !logout_uris::is_callable(uri)) {
            return Err(invalid("jwks_uri", logout_uris::MUST_BE_CALLABLE));
        }
        for (member, uri) in shown {
            if uri.as_ref().is_some_and(|uri| !redirect_uri::is_https(uri)) {
                return Err(invalid(member, MUST_BE_HTTPS));
            }
        }
        check_count("resources", self.resources.len())?;
        if !self.resources.iter().all(|resource| redirect_uri::is_absolute(resource)) {
            return Err(invalid("resources", "each must be an absolute URI without a fragment"));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), ClientError> {
        let needs_keys = match self.token_endpoint_auth_method {
            AuthenticationMethod::PrivateKeyJwt => Some("private_key_jwt needs jwks or jwks_uri"),
            AuthenticationMethod::SelfSignedTlsClientAuth => Some("self_signed_tls_client_auth needs jwks or jwks_uri"),
            AuthenticationMethod::None
            | AuthenticationMethod::ClientSecretBasic
            | AuthenticationMethod::ClientSecretPost
            | AuthenticationMethod::TlsClientAuth => None,
        };
        if let Some(why) = needs_keys.filter(|_| self.jwks.is_none() && self.jwks_uri.is_none()) {
            return Err(invalid("token_endpoint_auth_method", why));
        }
        if self.signs_requests() && self.jwks.is_none() && self.jwks_uri.is_none() {
            return Err(invalid("require_signed_request_object", "it needs jwks or jwks_uri"));
        }
        let Some(jwks) = &self.jwks else { return Ok(()) };
        if self.jwks_uri.is_some() {
            return Err(invalid("jwks", "it cannot stand beside jwks_uri"));
        }
        check_jwks(jwks).map_err(|why| invalid("jwks", why))
    }

    fn check_lifetimes(&self) -> Result<(), ClientError> {
        let lifetimes = [
            ("access_token_lifetime", self.access_token_lifetime),
            ("refresh_token_idle_lifetime", self.refresh_token_idle_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
        ];
        for (member, lifetime) in lifetimes {
            if lifetime.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
                return Err(invalid(member, "it must be from one second to ten years"));
            }
        }
        Ok(())
    }
}

pub(super) const MUST_BE_HTTPS: &str = "it must be an https URI";

pub(super) fn invalid(member: &str, why: &str) -> ClientError {
    ClientError::InvalidMetadata(format!("{member}: {why}"))
}

pub(super) fn check_count(member: &str, entries: usize) -> Result<(), ClientError> {
    if entries > MAX_ENTRIES { Err(invalid(member, "it has more than 50 entries")) } else { Ok(()) }
}

/// What people read: bounded, on one line, and written in the direction that it is read in.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), ClientError> {
    if name.trim().is_empty() {
        return Err(invalid(member, "it is empty"));
    }
    if name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(invalid(member, "it has more than 200 characters"));
    }
    if name.chars().any(|character| character.is_control() || is_invisible_control(character)) {
        return Err(invalid(member, "it holds a control character"));
    }
    Ok(())
}

/// Unicode's line separators and the controls of its bidirectional algorithm (UAX 9 section 2), which show nothing and
/// turn what stands after them around.
const fn is_invisible_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
