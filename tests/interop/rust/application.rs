//! An application made with openidconnect: it knows the issuer, and discovers the rest.

use std::{fmt::Debug, pin::Pin};

use openidconnect::{
    AdditionalProviderMetadata, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest,
    Nonce, NonceVerifier, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadata,
    RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl, Scope, StandardErrorResponse, SubjectIdentifier, TokenResponse,
    UserInfoError,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreGrantType,
        CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
        CoreResponseType, CoreRevocableToken, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
    },
    http::Response,
    url::Url,
};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};

use crate::{
    browser::Browser,
    grantlog::{self, User},
};

pub(crate) const REDIRECT_URI: &str = "https://app.example/callback";
pub(crate) const BYE: &str = "https://app.example/bye";
const FLAGS: [&str; 10] = [
    "--client-name",
    "openidconnect",
    "--redirect-uris",
    REDIRECT_URI,
    "--post-logout-redirect-uris",
    BYE,
    "--grant-types",
    "authorization_code,refresh_token",
    "--scope",
    "openid profile",
];

pub(crate) type Tokens = CoreTokenResponse;
type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;
type Sending = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send>>;
type Refused = RequestTokenError<reqwest::Error, StandardErrorResponse<CoreErrorResponseType>>;

/// Of what discovery tells, what openidconnect does not read by itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Endpoints {
    revocation_endpoint: String,
    end_session_endpoint: EndSessionUrl,
}

impl AdditionalProviderMetadata for Endpoints {}

type Metadata = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(crate) struct Application {
    pub(crate) client: Client,
    end_session: EndSessionUrl,
    http: reqwest::Client,
}

/// An authorization request: its address, and what is to be checked afterwards.
pub(crate) struct Asked {
    pub(crate) url: Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// A person who came back.
pub(crate) struct Visit<'a> {
    application: &'a Application,
    code: AuthorizationCode,
    nonce: Nonce,
    pub(crate) verifier: PkceCodeVerifier,
}

impl Application {
    /// Registers it with what every application here has, and with `more`, and has it discover the server.
    pub(crate) async fn register(more: &[&str]) -> Self {
        let registered = grantlog::register(&[&FLAGS, more].concat());
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client can be made");
        let issuer = IssuerUrl::new(format!("{}/o", grantlog::url())).expect("a URL");
        let found = Metadata::discover_async(issuer, &sender(&http)).await.expect("the metadata can be read");
        let Endpoints { revocation_endpoint, end_session_endpoint } = found.additional_metadata().clone();
        let client =
            CoreClient::from_provider_metadata(found, ClientId::new(registered.id), Some(ClientSecret::new(registered.secret)))
                .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"))
                .set_revocation_url(RevocationUrl::new(revocation_endpoint.replacen("http:", "https:", 1)).expect("a URL"));
        Self { client, end_session: end_session_endpoint, http }
    }

    #[must_use]
    pub(crate) fn with_secret(self, secret: &str) -> Self {
        Self { client: self.client.set_client_secret(ClientSecret::new(secret.to_owned())), ..self }
    }

    pub(crate) fn ask(&self) -> Asked {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = self.client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = request.add_scope(Scope::new("profile".to_owned())).set_pkce_challenge(challenge).url();
        Asked { url, state, nonce, verifier }
    }

    /// A person lets it know who they are.
    pub(crate) async fn visit(&self, browser: &Browser, user: &User) -> Visit<'_> {
        let Asked { url, state, nonce, verifier } = self.ask();
        let returned = browser.decide(browser.open(url).await, user).await;
        assert_eq!(returned.parameter("state").as_ref(), Some(state.secret()));
        let code = AuthorizationCode::new(returned.parameter("code").expect("a code"));
        Visit { application: self, code, nonce, verifier }
    }

    pub(crate) async fn refresh(&self, token: &RefreshToken) -> Result<Tokens, Refused> {
        let request = self.client.exchange_refresh_token(token).expect("the endpoint is known");
        request.request_async(&sender(&self.http)).await
    }

    pub(crate) async fn revoke(&self, token: &RefreshToken) {
        let request = self.client.revoke_token(CoreRevocableToken::RefreshToken(token.clone())).expect("the endpoint is safe");
        request.request_async(&sender(&self.http)).await.expect("the token is revoked");
    }

    pub(crate) async fn userinfo(
        &self,
        tokens: &Tokens,
        subject: &SubjectIdentifier,
    ) -> Result<CoreUserInfoClaims, UserInfoError<reqwest::Error>> {
        let request = self.client.user_info(tokens.access_token().clone(), Some(subject.clone())).expect("the endpoint is known");
        request.request_async(&sender(&self.http)).await
    }

    /// What the ID token says, if it is good.
    pub(crate) fn claims<'a>(
        &self,
        tokens: &'a Tokens,
        nonce: impl NonceVerifier,
    ) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
        tokens.id_token().expect("there is one").claims(&self.client.id_token_verifier(), nonce)
    }

    /// Where a person goes to be signed out.
    pub(crate) fn way_out(&self, tokens: &Tokens) -> Url {
        let request = LogoutRequest::from(self.end_session.clone())
            .set_id_token_hint(tokens.id_token().expect("there is one"))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(BYE.to_owned()).expect("a URL"))
            .set_state(CsrfToken::new("out".to_owned()));
        request.http_get_url()
    }
}

impl Visit<'_> {
    pub(crate) async fn tokens(&self) -> Result<Tokens, Refused> {
        self.tokens_with(&self.verifier).await
    }

    pub(crate) async fn tokens_with(&self, verifier: &PkceCodeVerifier) -> Result<Tokens, Refused> {
        let request = self.application.client.exchange_code(self.code.clone()).expect("the endpoint is known");
        let verifier = PkceCodeVerifier::new(verifier.secret().clone());
        request.set_pkce_verifier(verifier).request_async(&sender(&self.application.http)).await
    }

    /// What the ID token says, if it is good for this sign-in.
    pub(crate) fn claims<'a>(&self, tokens: &'a Tokens) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
        self.application.claims(tokens, &self.nonce)
    }
}

/// The error's code of what was refused.
pub(crate) fn refused<T: Debug>(answer: Result<T, Refused>) -> String {
    match answer {
        Err(RequestTokenError::ServerResponse(refusal)) => refusal.error().as_ref().to_owned(),
        other => panic!("that is no refusal: {other:?}"),
    }
}

/// How openidconnect asks: with the client that everything here has. It revokes at https addresses alone: what ends TLS before the server is
/// this function.
fn sender(http: &reqwest::Client) -> impl Fn(HttpRequest) -> Sending + use<'_> {
    move |mut request| {
        let address = request.uri().to_string().replacen("https:", "http:", 1);
        *request.uri_mut() = address.parse().expect("a URL");
        Box::pin(send(http.clone(), request))
    }
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = http.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
