//! A token request (RFC 6749 sections 4.1.3, 4.4.2 and 6), before it is known who makes it; and what of it the client may ask.

use domain::{
    Scope,
    client::{GrantType, Registration},
    grant::GrantError,
    pkce::CodeVerifier,
};
use secrecy::SecretString;

use super::{
    ErrorCode, OAuthError, Parameters, device,
    exchange::{self, ExchangeRequest},
    jwt_bearer, resources,
};

/// Scopes that a client gets only by asking for them: one asks who the user is, the other outlives the sign-in.
const ONLY_WHEN_ASKED: [&str; 2] = [Scope::OPENID, Scope::OFFLINE_ACCESS];

/// The rule that refuses a scope of which the resource understands nothing.
pub const NOTHING_UNDERSTOOD: &str = "scope_not_of_resource";

/// What a client asks of the token endpoint.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    AuthorizationCode {
        code: SecretString,
        redirect_uri: Option<String>,
        code_verifier: Option<CodeVerifier>,
        resource: Option<String>,
    },
    RefreshToken {
        token: SecretString,
        scope: Option<Scope>,
        resource: Option<String>,
    },
    ClientCredentials {
        scope: Option<Scope>,
        resource: Option<String>,
    },
    /// RFC 8628 section 3.4.
    DeviceCode {
        device_code: SecretString,
        resource: Option<String>,
    },
    /// RFC 7523 section 2.1.
    JwtBearer {
        assertion: SecretString,
        scope: Option<Scope>,
        resource: Option<String>,
    },
    /// RFC 8693 section 2.1.
    TokenExchange(ExchangeRequest),
}

impl TokenRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// `unsupported_grant_type`, `invalid_request` for what is missing, `invalid_scope`, `invalid_target`, and `invalid_grant` for a
    /// verifier that can be none.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        match parameters.required("grant_type")? {
            "authorization_code" => Ok(Self::AuthorizationCode {
                code: parameters.required("code")?.into(),
                redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
                code_verifier: parameters.get("code_verifier").map(verifier).transpose()?,
                resource: resources::one(parameters)?,
            }),
            "refresh_token" => Ok(Self::RefreshToken {
                token: parameters.required("refresh_token")?.into(),
                scope: scope(parameters)?,
                resource: resources::one(parameters)?,
            }),
            "client_credentials" => {
                Ok(Self::ClientCredentials { scope: scope(parameters)?, resource: resources::one(parameters)? })
            }
            device::GRANT_TYPE => Ok(Self::DeviceCode {
                device_code: parameters.required("device_code")?.into(),
                resource: resources::one(parameters)?,
            }),
            jwt_bearer::GRANT_TYPE => Ok(Self::JwtBearer {
                assertion: parameters.required("assertion")?.into(),
                scope: scope(parameters)?,
                resource: resources::one(parameters)?,
            }),
            exchange::GRANT_TYPE => Ok(Self::TokenExchange(ExchangeRequest::read(parameters)?)),
            other => Err(OAuthError::new(
                ErrorCode::UnsupportedGrantType,
                "unsupported_grant_type",
                format!(
                    "grant_type must be authorization_code, refresh_token, client_credentials, {}, {} or {}",
                    device::GRANT_TYPE,
                    exchange::GRANT_TYPE,
                    jwt_bearer::GRANT_TYPE
                ),
            )
            .saw("grant_type", other)),
        }
    }

    /// The grant that a client must be registered for. Whoever holds a refresh token was.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::DeviceCode { .. } => GrantType::DeviceCode,
            Self::JwtBearer { .. } => GrantType::JwtBearer,
            Self::TokenExchange(_) => GrantType::TokenExchange,
        }
    }
}

/// The parameter `scope`; `None` where it was left out.
///
/// # Errors
/// `invalid_scope` for what is none.
pub fn scope(parameters: &Parameters) -> Result<Option<Scope>, OAuthError> {
    let asked = parameters.get("scope").map(str::parse).transpose();
    let asked: Option<Scope> =
        asked.map_err(|error: domain::scope::InvalidScope| invalid_scope("malformed_scope", &error.to_string()))?;
    Ok(asked.filter(|scope| !scope.is_empty()))
}

/// Whether the client may use this grant at all.
///
/// # Errors
/// `unauthorized_client`.
pub fn check_grant_type(client: &Registration, grant_type: GrantType) -> Result<(), OAuthError> {
    if client.may_use(grant_type) {
        return Ok(());
    }
    let refused = OAuthError::new(
        ErrorCode::UnauthorizedClient,
        "grant_type_not_registered",
        "the client is not registered for this grant_type",
    );
    Err(refused.saw("client_id", &client.identifier).saw("grant_type", format!("{grant_type:?}")))
}

/// The scope that a client gets: what it asks for, within what it registered; without asking, all of that but for what must be
/// asked for.
///
/// # Errors
/// `invalid_scope` for more than it registered.
pub fn scope_within(client: &Registration, asked: Option<Scope>) -> Result<Scope, OAuthError> {
    let registered = &client.metadata.scope;
    let Some(asked) = asked else {
        return Ok(registered.without(&ONLY_WHEN_ASKED.into_iter().collect()));
    };
    if registered.covers(&asked) {
        return Ok(asked);
    }
    let beyond = asked.without(registered);
    let refused = invalid_scope("scope_not_registered", &format!("the client is not registered for: {beyond}"));
    Err(refused.saw("client_id", &client.identifier).saw("scope", &asked).saw("registered", registered))
}

/// What a code or a refresh token is told when a rule of its grant refuses it.
#[must_use]
pub fn refused_by_grant(error: GrantError) -> OAuthError {
    match error {
        GrantError::ScopeTooWide => invalid_scope("scope_too_wide", &error.to_string()),
        GrantError::Unknown
        | GrantError::Exists
        | GrantError::OtherClient
        | GrantError::NotIssuedHere
        | GrantError::CodeExpired
        | GrantError::RedirectUriDiffers
        | GrantError::VerifierMissing
        | GrantError::VerifierUnexpected
        | GrantError::VerifierDiffers
        | GrantError::OtherKey
        | GrantError::RefreshExpired
        | GrantError::Revoked
        | GrantError::CutOff
        | GrantError::TooManyRetries
        | GrantError::NotTheNext
        | GrantError::TooManyHands => invalid_grant(rule_of(error), &error.to_string()),
    }
}

/// The name of a grant's rule, for `grantlog explain`.
#[must_use]
pub const fn rule_of(error: GrantError) -> &'static str {
    match error {
        GrantError::Unknown => "grant_unknown",
        GrantError::Exists => "grant_exists",
        GrantError::OtherClient => "grant_of_another_client",
        GrantError::NotIssuedHere => "not_issued_from_the_grant",
        GrantError::CodeExpired => "code_expired",
        GrantError::RedirectUriDiffers => "redirect_uri_differs",
        GrantError::VerifierMissing => "code_verifier_missing",
        GrantError::VerifierUnexpected => "code_verifier_unexpected",
        GrantError::VerifierDiffers => "code_verifier_differs",
        GrantError::OtherKey => "bound_to_another_key",
        GrantError::RefreshExpired => "refresh_token_expired",
        GrantError::Revoked => "grant_revoked",
        GrantError::CutOff => "grant_cut_off",
        GrantError::ScopeTooWide => "scope_too_wide",
        GrantError::TooManyRetries => "too_many_retries",
        GrantError::NotTheNext => "not_the_next",
        GrantError::TooManyHands => "too_many_hands",
    }
}

/// The code or token gives nothing.
#[must_use]
pub fn invalid_grant(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, rule, description)
}

/// The scope is refused.
#[must_use]
pub fn invalid_scope(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope, rule, description)
}

/// The resource is refused.
#[must_use]
pub fn invalid_target(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, rule, description)
}

fn verifier(text: &str) -> Result<CodeVerifier, OAuthError> {
    text.parse().map_err(|error: domain::pkce::InvalidPkce| invalid_grant("malformed_code_verifier", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use domain::client::ClientMetadata;

    use super::*;

    fn read(encoded: &str) -> Result<TokenRequest, OAuthError> {
        TokenRequest::read(&Parameters::parse(encoded.as_bytes()).unwrap())
    }

    fn client(scope: &str) -> Registration {
        let metadata = ClientMetadata { scope: scope.parse().unwrap(), ..ClientMetadata::default() };
        Registration::new("app".to_owned(), None, metadata)
    }

    #[test]
    fn what_a_grant_needs_must_be_there() {
        for (encoded, rule) in [
            ("", "parameter_missing"),
            ("grant_type=password", "unsupported_grant_type"),
            ("grant_type=authorization_code", "parameter_missing"),
            ("grant_type=refresh_token", "parameter_missing"),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code", "parameter_missing"),
            ("grant_type=authorization_code&code=c&code_verifier=short", "malformed_code_verifier"),
            ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", "parameter_missing"),
            ("grant_type=client_credentials&scope=a%22b", "malformed_scope"),
            ("grant_type=client_credentials&resource=a", "malformed_resource"),
            ("grant_type=client_credentials&resource=https://a/%23b", "malformed_resource"),
            ("grant_type=client_credentials&resource=https://a/&resource=https://b/", "several_resources"),
        ] {
            assert_eq!(read(encoded).expect_err("refused").rule, rule, "{encoded}");
        }
    }

    #[test]
    fn without_asking_a_client_gets_what_it_registered_but_openid_and_offline_access() {
        let client = client("openid read offline_access write");
        assert_eq!(scope_within(&client, None).unwrap().to_string(), "read write");
        assert_eq!(scope_within(&client, Some("openid".parse().unwrap())).unwrap().to_string(), "openid");
    }

    #[test]
    fn no_client_gets_more_than_it_registered() {
        let refused = scope_within(&client("read"), Some("read write".parse().unwrap())).unwrap_err();
        assert_eq!((refused.code, refused.saw["registered"].as_str()), (ErrorCode::InvalidScope, "read"));
    }
}
