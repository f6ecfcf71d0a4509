//! A registered client, and how it gets tokens.

use std::net::SocketAddr;

use domain::ClientId;
use grantlog::dispatch::RegisteredClient;
use secrecy::SecretString;

use crate::{Answer, TestApp, Tokens};

/// A client that a test registered.
#[derive(Clone)]
pub struct TestClient {
    pub id: ClientId,
    /// Its `client_id`.
    pub identifier: String,
    /// Empty for a public client.
    pub secret: SecretString,
}

impl TestClient {
    pub(crate) fn new(registered: RegisteredClient) -> Self {
        Self { id: registered.id, identifier: registered.identifier, secret: registered.secret.unwrap_or_default() }
    }
}

impl TestApp {
    /// Asks for a token for the client itself.
    pub async fn client_credentials(&self, client: &TestClient, scope: &str) -> Answer {
        self.post_as(client, "/o/token/", &[("grant_type", "client_credentials"), ("scope", scope)]).await
    }

    /// Refreshes.
    pub async fn refresh(&self, client: &TestClient, token: &str) -> Answer {
        self.post_as(client, "/o/token/", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Refreshes at another node.
    pub async fn refresh_at(&self, node: SocketAddr, client: &TestClient, token: &str) -> Answer {
        self.post_to(node, client, ("/o/token/", &[("grant_type", "refresh_token"), ("refresh_token", token)])).await
    }

    /// Asks another node what a token is worth.
    pub async fn introspect_at(&self, node: SocketAddr, client: &TestClient, token: &str) -> Answer {
        self.post_to(node, client, ("/o/introspect/", &[("token", token)])).await
    }

    /// Revokes a token.
    pub async fn revoke(&self, client: &TestClient, token: &str) -> Answer {
        self.post_as(client, "/o/revoke_token/", &[("token", token)]).await
    }

    /// A token for the client itself.
    pub async fn token_of(&self, client: &TestClient, scope: &str) -> Tokens {
        self.client_credentials(client, scope).await.assert_status(200).tokens()
    }
}
