//! Authorization server metadata (RFC 8414 section 2), with what OpenID Connect Discovery 1.0 (section 3) adds: what stands here works, and
//! what works stands here.

use domain::{Scope, catalogue::Catalogue, client::SigningAlgorithm, session::ContextClass};
use serde::Serialize;

use super::{authorize::ResponseMode, device, dpop, exchange, jwt_bearer};

/// The paths of the endpoints below the issuer.
pub mod path {
    pub const AUTHORIZE: &str = "/authorize/";
    pub const TOKEN: &str = "/token/";
    pub const PAR: &str = "/par/";
    pub const REVOKE: &str = "/revoke_token/";
    pub const INTROSPECT: &str = "/introspect/";
    pub const REVOCATIONS: &str = "/revocations/";
    pub const USERINFO: &str = "/userinfo/";
    pub const LOGOUT: &str = "/logout/";
    pub const REGISTER: &str = "/register/";
    pub const DEVICE_AUTHORIZATION: &str = "/device-authorization/";
    /// Where people enter a user code. Devices are told of it, and nobody else.
    pub const DEVICE: &str = "/device/";
    pub const JWKS: &str = "/.well-known/jwks.json";
}

/// The client authentication methods of all endpoints, and those where a public client has something to ask.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
const METHODS_AND_NONE: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// Those of RFC 8705, where client certificates are taken.
const CERTIFICATE_METHODS: [&str; 2] = ["tls_client_auth", "self_signed_tls_client_auth"];
/// What clients sign their assertions with.
const ASSERTION_ALGORITHMS: [&str; SigningAlgorithm::ALL.len()] = {
    let [a, b, c, d] = SigningAlgorithm::ALL;
    [a.name(), b.name(), c.name(), d.name()]
};

/// Plain, and signed.
const RESPONSE_MODES: [&str; 7] = {
    let [(a, _), (b, _), (c, _)] = ResponseMode::NAMES;
    let [d, e, f, g] = ResponseMode::SIGNED;
    [a, b, c, d, e, f, g]
};

/// The claims of ID tokens beside the user's own.
const ID_TOKEN_CLAIMS: [&str; 12] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "grant_id"];

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    /// RFC 8628 section 4.
    device_authorization_endpoint: String,
    /// RFC 9126 section 5.
    pushed_authorization_request_endpoint: String,
    require_pushed_authorization_requests: bool,
    revocation_endpoint: String,
    introspection_endpoint: String,
    /// Our own: the feed of what is dead.
    revocations_endpoint: String,
    /// Clients register themselves there with an initial access token, or as the settings let anybody (RFC 7591).
    registration_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<String>,
    /// RFC 9728 section 4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    protected_resources: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; RESPONSE_MODES.len()],
    /// JARM section 4.
    authorization_signing_alg_values_supported: [&'static str; 4],
    /// RFC 9101 section 10.5.
    request_object_signing_alg_values_supported: [&'static str; 4],
    require_signed_request_object: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
    grant_types_supported: [&'static str; 6],
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: [&'static str; ASSERTION_ALGORITHMS.len()],
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; ASSERTION_ALGORITHMS.len()],
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; ASSERTION_ALGORITHMS.len()],
    /// RFC 9701 section 7.
    introspection_signing_alg_values_supported: [&'static str; 4],
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9449 section 5.1.
    dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
    authorization_response_iss_parameter_supported: bool,
    /// draft-ietf-oauth-client-id-metadata-document section 5.
    client_id_metadata_document_supported: bool,
    ui_locales_supported: Vec<&'static str>,
    #[serde(flatten)]
    openid: Option<OpenId>,
    #[serde(flatten)]
    certificates: Option<Certificates>,
}

/// What stands there besides, where client certificates are taken.
#[derive(Clone, Debug, Serialize)]
struct Certificates {
    /// RFC 8705 section 3.3.
    tls_client_certificate_bound_access_tokens: bool,
    /// RFC 8705 section 5.
    mtls_endpoint_aliases: Aliases,
}

/// The endpoints as they are reached with a certificate.
#[derive(Clone, Debug, Serialize)]
struct Aliases {
    token_endpoint: String,
    device_authorization_endpoint: String,
    pushed_authorization_request_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    revocations_endpoint: String,
    registration_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
}

/// What stands there besides, where the scope `openid` can be had.
#[derive(Clone, Debug, Serialize)]
struct OpenId {
    userinfo_endpoint: String,
    end_session_endpoint: String,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    subject_types_supported: [&'static str; 2],
    id_token_signing_alg_values_supported: [&'static str; 4],
    userinfo_signing_alg_values_supported: [&'static str; 4],
    display_values_supported: [&'static str; 3],
    acr_values_supported: [&'static str; 2],
    claim_types_supported: [&'static str; 1],
    claims_supported: Vec<String>,
    claims_parameter_supported: bool,
}

impl Metadata {
    /// Of the issuer with this catalogue and the pages' languages, where clients come by a document or not.
    #[must_use]
    pub fn of(issuer: &str, catalogue: &Catalogue, languages: Vec<&'static str>, by_document: bool) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        let scopes: Vec<String> = catalogue.scopes.iter().map(|entry| entry.name.clone()).collect();
        let openid = scopes.iter().any(|scope| scope == Scope::OPENID).then(|| OpenId {
            userinfo_endpoint: at(path::USERINFO),
            end_session_endpoint: at(path::LOGOUT),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
            subject_types_supported: ["public", "pairwise"],
            id_token_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
            userinfo_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
            display_values_supported: ["page", "popup", "touch"],
            acr_values_supported: ContextClass::ALL.map(ContextClass::as_str),
            claim_types_supported: ["normal"],
            claims_supported: ID_TOKEN_CLAIMS.into_iter().chain(catalogue.claims()).map(str::to_owned).collect(),
            claims_parameter_supported: true,
        });
        Self {
            openid,
            certificates: None,
            issuer: issuer.to_owned(),
            authorization_endpoint: at(path::AUTHORIZE),
            token_endpoint: at(path::TOKEN),
            device_authorization_endpoint: at(path::DEVICE_AUTHORIZATION),
            pushed_authorization_request_endpoint: at(path::PAR),
            require_pushed_authorization_requests: false,
            revocation_endpoint: at(path::REVOKE),
            introspection_endpoint: at(path::INTROSPECT),
            revocations_endpoint: at(path::REVOCATIONS),
            registration_endpoint: at(path::REGISTER),
            jwks_uri: at(path::JWKS),
            scopes_supported: scopes,
            protected_resources: catalogue.resources.iter().map(|entry| entry.identifier.clone()).collect(),
            response_types_supported: ["code"],
            response_modes_supported: RESPONSE_MODES,
            authorization_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
            request_object_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
            require_signed_request_object: false,
            request_parameter_supported: true,
            request_uri_parameter_supported: true,
            require_request_uri_registration: true,
            grant_types_supported: [
                "authorization_code",
                "refresh_token",
                "client_credentials",
                device::GRANT_TYPE,
                exchange::GRANT_TYPE,
                jwt_bearer::GRANT_TYPE,
            ],
            token_endpoint_auth_methods_supported: METHODS_AND_NONE.into(),
            token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            revocation_endpoint_auth_methods_supported: METHODS_AND_NONE.into(),
            revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            introspection_endpoint_auth_methods_supported: METHODS.into(),
            introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
            introspection_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
            code_challenge_methods_supported: ["S256"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: by_document,
            ui_locales_supported: languages,
        }
    }

    /// The same, where client certificates are taken at this address of the issuer.
    #[must_use]
    pub fn with_certificates(mut self, issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        self.token_endpoint_auth_methods_supported.extend(CERTIFICATE_METHODS);
        self.revocation_endpoint_auth_methods_supported.extend(CERTIFICATE_METHODS);
        self.introspection_endpoint_auth_methods_supported.extend(CERTIFICATE_METHODS);
        let mtls_endpoint_aliases = Aliases {
            token_endpoint: at(path::TOKEN),
            device_authorization_endpoint: at(path::DEVICE_AUTHORIZATION),
            pushed_authorization_request_endpoint: at(path::PAR),
            revocation_endpoint: at(path::REVOKE),
            introspection_endpoint: at(path::INTROSPECT),
            revocations_endpoint: at(path::REVOCATIONS),
            registration_endpoint: at(path::REGISTER),
            userinfo_endpoint: self.openid.as_ref().map(|_| at(path::USERINFO)),
        };
        self.certificates = Some(Certificates { tls_client_certificate_bound_access_tokens: true, mtls_endpoint_aliases });
        self
    }

    /// Whether it tells of OpenID Connect.
    #[must_use]
    pub const fn is_of_openid(&self) -> bool {
        self.openid.is_some()
    }
}
