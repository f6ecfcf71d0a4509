//! The first steps of an authorization, taken without a browser: a person signs in and approves, and there is a code.

use std::net::SocketAddr;

use domain::{Scope, consent::GivenBy, pkce::CodeChallenge};
use grantlog::{
    credential::random_secret,
    dispatch::{AnsweredRequest, Approval, Consenting, CurrentSession},
    protocol::claims::ClaimsRequest,
};
use secrecy::ExposeSecret;

use crate::{Answer, TestApp, TestClient, Tokens, USER, traffic};

/// A verifier and its challenge (RFC 7636 appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The redirect URI of the clients that `TestApp` registers.
pub const REDIRECT_URI: &str = "https://app.example/callback";

impl TestApp {
    /// The user `USER` signs in.
    pub async fn sign_in(&self) -> CurrentSession {
        traffic::sign_in(&self.app, USER).await.session
    }

    /// What an application asks of the user, with PKCE.
    pub async fn approval(&self, session: &CurrentSession, client: &TestClient, scope: &str) -> Approval {
        let registered = self.app.dispatch.client_by_id(client.id).await.expect("the store answers");
        let registration = registered.state.registration().expect("the client is registered");
        Approval {
            session: session.clone(),
            client_id: client.id,
            scope: scope.parse::<Scope>().expect("the test's scope can be read"),
            resources: Vec::new(),
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            code_challenge: Some(CHALLENGE.parse::<CodeChallenge>().expect("it is RFC 7636's")),
            nonce: None,
            confirmation: None,
            claims: ClaimsRequest::default(),
            consent: Consenting::Now(GivenBy::User),
            answers: AnsweredRequest { id: random_secret().expose_secret().to_owned(), until: self.app.clock.now().plus(600) },
            client_version: registration.metadata_version,
        }
    }

    /// A code for what was approved.
    pub async fn code_of(&self, approval: &Approval) -> String {
        let approved = self.app.dispatch.approve(approval).await.expect("it can be approved");
        approved.answer.code.expose_secret().to_owned()
    }

    /// A code for a client, approved in a new session.
    pub async fn code(&self, client: &TestClient, scope: &str) -> String {
        let session = self.sign_in().await;
        self.code_of(&self.approval(&session, client, scope).await).await
    }

    /// Exchanges a code, with the right redirect URI and verifier.
    pub async fn redeem(&self, client: &TestClient, code: &str) -> Answer {
        self.redeem_with(client, code, &[("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)]).await
    }

    /// Exchanges a code with other parameters.
    pub async fn redeem_with(&self, client: &TestClient, code: &str, more: &[(&str, &str)]) -> Answer {
        let form = [&[("grant_type", "authorization_code"), ("code", code)], more].concat();
        self.post_as(client, "/o/token/", &form).await
    }

    /// As `redeem`, at another node.
    pub async fn redeem_at(&self, node: SocketAddr, client: &TestClient, code: &str) -> Answer {
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
        self.post_to(node, client, ("/o/token/", &form)).await
    }

    /// The first tokens of a new grant.
    pub async fn grant(&self, client: &TestClient, scope: &str) -> Tokens {
        let code = self.code(client, scope).await;
        self.redeem(client, &code).await.assert_status(200).tokens()
    }
}

impl Tokens {
    /// The refresh token.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        self.refresh.as_deref().expect("there is a refresh token")
    }

    /// The ID token.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn id_token(&self) -> &str {
        self.id_token.as_deref().expect("there is an ID token")
    }
}
