//! What a person enters about an application, kept as entered so that a form can be shown again; and the metadata that it makes.

use domain::{
    Scope,
    catalogue::Catalogue,
    client::{
        AccessTokenFormat, ApplicationType, AuthenticationMethod, ClientError, ClientMetadata, GrantType, Policy,
        SigningAlgorithm,
    },
};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};

use crate::protocol::{OAuthError, Parameters, device, exchange, jwt_bearer};

use super::super::client_view::ClientKind;

/// The fields of the form.
pub(super) struct Entered {
    pub(super) client_name: String,
    pub(super) kind: ClientKind,
    /// One URI a line.
    pub(super) redirect_uris: String,
    pub(super) grant_types: Vec<GrantType>,
    pub(super) scope: Scope,
    pub(super) method: AuthenticationMethod,
    pub(super) format: AccessTokenFormat,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) policy: Policy,
    pub(super) post_logout_redirect_uris: String,
    pub(super) client_uri: String,
    pub(super) logo_uri: String,
    pub(super) policy_uri: String,
    pub(super) tos_uri: String,
    /// For administrators alone, as are the privileged scopes.
    pub(super) resources: String,
    pub(super) skip_consent: bool,
}

/// What is wrong with what was entered.
pub(super) enum Problem {
    NoName,
    NoGrant,
    NoScope,
    /// Somebody saved it after the form was shown.
    Changed,
    /// A client without a secret cannot act for itself.
    PublicCredentials,
    /// The rule's own words, which begin with the member that it is about.
    Refused(ClientError),
}

/// The last are for administrators alone.
pub(super) const GRANTS: [GrantType; 6] = [
    GrantType::AuthorizationCode,
    GrantType::DeviceCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::TokenExchange,
    GrantType::JwtBearer,
];
/// Those that only an administrator lets an application have.
pub(super) const BY_ADMINISTRATOR: [GrantType; 2] = [GrantType::TokenExchange, GrantType::JwtBearer];

impl Entered {
    /// What a form holds before anything is entered: an application on a server that people sign in to.
    pub(super) fn nothing() -> Self {
        let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        Self::of(&ClientMetadata { grant_types, ..ClientMetadata::default() })
    }

    /// What was registered.
    pub(super) fn of(metadata: &ClientMetadata) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            client_name: text(&metadata.client_name),
            kind: ClientKind::of(metadata),
            redirect_uris: metadata.redirect_uris.join("\n"),
            grant_types: metadata.grant_types.clone(),
            scope: metadata.scope.clone(),
            method: metadata.token_endpoint_auth_method,
            format: metadata.access_token_format,
            algorithm: metadata.access_token_signed_response_alg,
            policy: metadata.policy,
            post_logout_redirect_uris: metadata.post_logout_redirect_uris.join("\n"),
            client_uri: text(&metadata.client_uri),
            logo_uri: text(&metadata.logo_uri),
            policy_uri: text(&metadata.policy_uri),
            tos_uri: text(&metadata.tos_uri),
            resources: metadata.resources.join("\n"),
            skip_consent: metadata.skip_consent,
        }
    }

    /// Reads a form. What is no field of it counts for nothing.
    ///
    /// # Errors
    /// `invalid_request` for a choice that the form does not have.
    pub(super) fn read(form: &Parameters, catalogue: &Catalogue) -> Result<Self, OAuthError> {
        let text = |name| form.get(name).unwrap_or_default().to_owned();
        let ticked = |name: &str| form.get(name).is_some();
        let grant = |grant: &GrantType| ticked(&format!("grant.{}", grant_name(*grant)));
        let kind = form.get("kind").unwrap_or_default();
        Ok(Self {
            client_name: text("client_name").trim().to_owned(),
            kind: ClientKind::ALL.into_iter().find(|own| own.value() == kind).ok_or_else(|| no_choice("kind"))?,
            redirect_uris: text("redirect_uris"),
            grant_types: GRANTS.into_iter().filter(grant).collect(),
            scope: catalogue.scopes.iter().map(|entry| entry.name.as_str()).filter(|name| ticked(&scope_field(name))).collect(),
            method: choice(form, "token_endpoint_auth_method")?,
            format: choice(form, "access_token_format")?,
            algorithm: choice(form, "access_token_signed_response_alg")?,
            policy: choice(form, "policy")?,
            post_logout_redirect_uris: text("post_logout_redirect_uris"),
            client_uri: text("client_uri").trim().to_owned(),
            logo_uri: text("logo_uri").trim().to_owned(),
            policy_uri: text("policy_uri").trim().to_owned(),
            tos_uri: text("tos_uri").trim().to_owned(),
            resources: text("resources"),
            skip_consent: ticked("skip_consent"),
        })
    }

    /// The metadata that it makes of what was registered before. Only an administrator changes privileged scopes, resources, whether
    /// people are asked and whether tokens are exchanged: of others these stay as they are.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub(super) fn metadata(
        &self,
        before: &ClientMetadata,
        catalogue: &Catalogue,
        by_administrator: bool,
    ) -> Result<ClientMetadata, Problem> {
        if self.client_name.is_empty() {
            return Err(Problem::NoName);
        }
        let allowed = if by_administrator { &self.grant_types } else { &before.grant_types };
        let mut grant_types = self.grant_types.clone();
        grant_types.retain(|grant| !BY_ADMINISTRATOR.contains(grant));
        grant_types.extend(BY_ADMINISTRATOR.into_iter().filter(|grant| allowed.contains(grant)));
        if grant_types.is_empty() {
            return Err(Problem::NoGrant);
        }
        let scope = self.scope_beyond(before, catalogue, by_administrator);
        if scope.is_empty() {
            return Err(Problem::NoScope);
        }
        if self.kind != ClientKind::Confidential && self.grant_types.contains(&GrantType::ClientCredentials) {
            return Err(Problem::PublicCredentials);
        }
        let optional = |text: &String| (!text.is_empty()).then(|| text.clone());
        let (resources, skip_consent) = match by_administrator {
            true => (lines(&self.resources), self.skip_consent),
            false => (before.resources.clone(), before.skip_consent && self.kind == ClientKind::Confidential),
        };
        let metadata = ClientMetadata {
            client_name: Some(self.client_name.clone()),
            redirect_uris: lines(&self.redirect_uris),
            post_logout_redirect_uris: lines(&self.post_logout_redirect_uris),
            grant_types,
            response_types: vec!["code".to_owned()],
            scope,
            token_endpoint_auth_method: self.authentication_method(),
            application_type: self.application_type(before),
            policy: self.policy,
            access_token_format: self.format,
            access_token_signed_response_alg: self.algorithm,
            resources,
            skip_consent,
            client_uri: optional(&self.client_uri),
            logo_uri: optional(&self.logo_uri),
            policy_uri: optional(&self.policy_uri),
            tos_uri: optional(&self.tos_uri),
            ..before.clone()
        };
        let metadata = metadata.keep_known();
        metadata.check().map_err(Problem::Refused)?;
        Ok(metadata)
    }

    fn scope_beyond(&self, before: &ClientMetadata, catalogue: &Catalogue, by_administrator: bool) -> Scope {
        if by_administrator {
            return self.scope.clone();
        }
        let privileged: Scope =
            catalogue.scopes.iter().filter(|entry| entry.privileged).map(|entry| entry.name.as_str()).collect();
        self.scope.without(&privileged).union(&before.scope.intersection(&privileged))
    }

    fn authentication_method(&self) -> AuthenticationMethod {
        match (self.kind, self.method) {
            (ClientKind::Browser | ClientKind::Native, _) => AuthenticationMethod::None,
            (ClientKind::Confidential, AuthenticationMethod::None) => AuthenticationMethod::default(),
            (ClientKind::Confidential, method) => method,
        }
    }

    const fn application_type(&self, before: &ClientMetadata) -> ApplicationType {
        match self.kind {
            ClientKind::Confidential => before.application_type,
            ClientKind::Browser => ApplicationType::Web,
            ClientKind::Native => ApplicationType::Native,
        }
    }
}

/// A grant's name in the metadata.
pub(super) const fn grant_name(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::RefreshToken => "refresh_token",
        GrantType::ClientCredentials => "client_credentials",
        GrantType::DeviceCode => device::GRANT_TYPE,
        GrantType::TokenExchange => exchange::GRANT_TYPE,
        GrantType::JwtBearer => jwt_bearer::GRANT_TYPE,
    }
}

/// The name of a scope's checkbox.
pub(super) fn scope_field(scope: &str) -> String {
    format!("scope.{scope}")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// One of a member's own values; its default where the form leaves it out.
fn choice<T: DeserializeOwned + Default>(form: &Parameters, name: &'static str) -> Result<T, OAuthError> {
    let Some(value) = form.get(name) else { return Ok(T::default()) };
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(value)).map_err(|_| no_choice(name))
}

fn no_choice(name: &'static str) -> OAuthError {
    OAuthError::invalid_request("unknown_choice", format!("{name} is none of the choices")).saw("parameter", name)
}
