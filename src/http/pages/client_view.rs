//! A registered client as its owner and administrators see it.

use domain::{
    Timestamp,
    catalogue::Catalogue,
    client::{AccessTokenFormat, ApplicationType, ClientMetadata, ClientSecret, GrantType, Registration},
};

use super::{
    application::{initial, name_of},
    consent::in_words,
    language::Language,
    moment::Moment,
    resource::ResourceView,
    shown::shown,
};

/// The longest URI that is shown, in characters.
const MAX_URI: usize = 300;

/// What a page shows of a client.
pub(super) struct ClientView {
    pub(super) name: String,
    pub(super) initial: String,
    /// Its `client_id`.
    pub(super) identifier: String,
    pub(super) enabled: bool,
    pub(super) public: bool,
    pub(super) first_party: bool,
    pub(super) kind: &'static str,
    pub(super) grants: Vec<&'static str>,
    pub(super) scopes: Vec<ScopeView>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) post_logout_redirect_uris: Vec<String>,
    pub(super) resources: Vec<ResourceView>,
    pub(super) format: &'static str,
    /// How JWT access tokens are signed.
    pub(super) algorithm: Option<&'static str>,
    pub(super) method: &'static str,
    pub(super) policy: &'static str,
    pub(super) links: Vec<(&'static str, String)>,
    pub(super) secrets: Vec<SecretView>,
    pub(super) registered: Moment,
}

/// A scope with its words.
pub(super) struct ScopeView {
    pub(super) name: String,
    pub(super) words: String,
}

/// One of its secrets: never the secret itself.
pub(super) struct SecretView {
    pub(super) id: String,
    pub(super) until: Option<Moment>,
}

impl ClientView {
    /// A client as it is now. `registered_at` in seconds since the Unix epoch.
    pub(super) fn new(
        client: &Registration,
        registered_at: i64,
        now: Timestamp,
        (catalogue, language): (&Catalogue, &'static Language),
    ) -> Self {
        let (metadata, name) = (&client.metadata, name_of(client));
        let uris = |uris: &[String]| uris.iter().map(|uri| shown(uri, MAX_URI)).collect();
        let jwt = metadata.access_token_format == AccessTokenFormat::Jwt;
        Self {
            initial: initial(&name),
            name,
            identifier: client.identifier.clone(),
            enabled: client.enabled,
            public: client.is_public(),
            first_party: metadata.skip_consent,
            kind: language.say(ClientKind::of(metadata).key()),
            grants: metadata.grant_types.iter().map(|grant| language.say(grant_key(*grant))).collect(),
            scopes: scopes(metadata, catalogue, language),
            redirect_uris: uris(&metadata.redirect_uris),
            post_logout_redirect_uris: uris(&metadata.post_logout_redirect_uris),
            resources: ResourceView::all(&metadata.resources, catalogue, language),
            format: language.say(format_key(metadata.access_token_format)),
            algorithm: jwt.then(|| metadata.access_token_signed_response_alg.name()),
            method: metadata.token_endpoint_auth_method.name(),
            policy: metadata.policy.name(),
            links: links(metadata, language),
            secrets: client.usable_secrets(now).map(|secret| SecretView::new(secret, language)).collect(),
            registered: Moment::new(registered_at, language),
        }
    }
}

impl SecretView {
    fn new(secret: &ClientSecret, language: &Language) -> Self {
        let until = secret.expires_at.map(|expires_at| Moment::new(expires_at.unix(), language));
        Self { id: secret.id.to_string(), until }
    }
}

fn scopes(metadata: &ClientMetadata, catalogue: &Catalogue, language: &Language) -> Vec<ScopeView> {
    let view = |name: &str| ScopeView { name: shown(name, MAX_URI), words: in_words(name, catalogue, language) };
    metadata.scope.names().map(view).collect()
}

fn links(metadata: &ClientMetadata, language: &'static Language) -> Vec<(&'static str, String)> {
    let links = [
        (language.say("application.client_uri"), &metadata.client_uri),
        (language.say("application.logo_uri"), &metadata.logo_uri),
        (language.say("application.policy_uri"), &metadata.policy_uri),
        (language.say("application.tos_uri"), &metadata.tos_uri),
    ];
    links.into_iter().filter_map(|(label, uri)| Some((label, uri.clone()?))).collect()
}

/// Where an application runs, which decides whether it can keep a secret (RFC 6749 section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientKind {
    /// On a server.
    #[default]
    Confidential,
    /// In the browser.
    Browser,
    /// On its user's device (RFC 8252).
    Native,
}

impl ClientKind {
    pub(super) const ALL: [Self; 3] = [Self::Confidential, Self::Browser, Self::Native];

    pub(super) fn of(metadata: &ClientMetadata) -> Self {
        match (metadata.is_public(), metadata.application_type) {
            (false, ApplicationType::Web | ApplicationType::Native) => Self::Confidential,
            (true, ApplicationType::Web) => Self::Browser,
            (true, ApplicationType::Native) => Self::Native,
        }
    }

    /// Its value in a form.
    pub(super) const fn value(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Browser => "browser",
            Self::Native => "native",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Confidential => "application.kind_confidential",
            Self::Browser => "application.kind_browser",
            Self::Native => "application.kind_native",
        }
    }
}

/// The key of a grant's words.
pub(super) const fn grant_key(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "application.grant_authorization_code",
        GrantType::RefreshToken => "application.grant_refresh_token",
        GrantType::ClientCredentials => "application.grant_client_credentials",
        GrantType::DeviceCode => "application.grant_device_code",
        GrantType::JwtBearer => "application.grant_jwt_bearer",
        GrantType::TokenExchange => "application.grant_token_exchange",
    }
}

/// The key of a token format's words.
pub(super) const fn format_key(format: AccessTokenFormat) -> &'static str {
    match format {
        AccessTokenFormat::Jwt => "application.format_jwt",
        AccessTokenFormat::Opaque => "application.format_opaque",
    }
}
