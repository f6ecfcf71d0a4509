//! A client's metadata (RFC 7591 section 2, OpenID Connect Registration section 2, and members of our own).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Scope;

/// What a client says of itself and what it may do. Members that are valid but not acted on yet are checked and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<GrantType>,
    pub response_types: Vec<String>,
    pub scope: Scope,
    pub token_endpoint_auth_method: AuthenticationMethod,
    pub application_type: ApplicationType,
    pub policy: Policy,
    pub access_token_format: AccessTokenFormat,
    pub access_token_signed_response_alg: SigningAlgorithm,
    /// What it may ask tokens for, or answers for as a resource server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// First-party: its users are not asked.
    pub skip_consent: bool,
    /// Lifetimes of its own in seconds, else the settings'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Every other member of RFC 7591 and OpenID registration that was given: checked, kept, acted on later.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// RFC 7591 `grant_types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    /// RFC 8628 section 3.4.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 8693 section 2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 7523 section 2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

/// RFC 7591 `token_endpoint_auth_method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    None,
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    /// It signs an assertion with a key of its own (OpenID Connect Core section 9).
    PrivateKeyJwt,
    /// Its certificate is of an authority that we trust, and names it (RFC 8705 section 2.1).
    TlsClientAuth,
    /// Its certificate is one that it registered (RFC 8705 section 2.2).
    SelfSignedTlsClientAuth,
}

impl AuthenticationMethod {
    /// Whether a certificate proves it, shown in the TLS handshake.
    #[must_use]
    pub const fn is_by_certificate(self) -> bool {
        match self {
            Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => true,
            Self::None | Self::ClientSecretBasic | Self::ClientSecretPost | Self::PrivateKeyJwt => false,
        }
    }

    /// As it stands in the metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }
}

/// OpenID Connect Registration `application_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    #[default]
    Web,
    Native,
}

/// The named set of rules a client lives under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    #[default]
    Default,
    /// As django-oauth-toolkit's clients expect it: no PKCE of a confidential client, Basic and body alike.
    Compatible,
    /// The FAPI 2.0 Security Profile: pushed requests, bound tokens, no shared secrets, and what signs is no RS256.
    Fapi2,
}

/// What its access tokens look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// RFC 9068.
    #[default]
    Jwt,
    Opaque,
}

/// JWS algorithms (RFC 7518, RFC 8037) that we sign with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    #[default]
    ES256,
    EdDSA,
    RS256,
    PS256,
}

impl SigningAlgorithm {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::ES256, Self::EdDSA, Self::RS256, Self::PS256];

    /// As it stands in metadata and headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    /// The one that the header of a JWS names, also by the name that says which curve it is (RFC 9864).
    #[must_use]
    pub fn of_header(name: &str) -> Option<Self> {
        if name == "Ed25519" { Some(Self::EdDSA) } else { Self::named(name) }
    }
}

impl Default for ClientMetadata {
    /// RFC 7591 section 2: the code grant, by Basic, on the web.
    fn default() -> Self {
        Self {
            client_name: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: vec![GrantType::AuthorizationCode],
            response_types: vec!["code".to_owned()],
            scope: Scope::default(),
            token_endpoint_auth_method: AuthenticationMethod::default(),
            application_type: ApplicationType::default(),
            policy: Policy::default(),
            access_token_format: AccessTokenFormat::default(),
            access_token_signed_response_alg: SigningAlgorithm::default(),
            resources: Vec::new(),
            skip_consent: false,
            access_token_lifetime: None,
            refresh_token_idle_lifetime: None,
            refresh_token_lifetime: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            jwks_uri: None,
            jwks: None,
            software_id: None,
            software_version: None,
            other: serde_json::Map::new(),
        }
    }
}
