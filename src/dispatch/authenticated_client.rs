//! A client that has proved who it is: what a use case that it asks for is decided with.

use std::sync::Arc;

use domain::{
    ClientId, Confirmation,
    client::{Client, Registration},
    grant::ClientAuthentication,
};

use crate::protocol::{Once, dpop::Possession};

use super::{authenticate::Presented, work::Loaded};

/// How a client proved who it is, and what of that is good once.
pub(super) struct Believed {
    pub(super) authentication: ClientAuthentication,
    pub(super) once: Option<Once>,
}

/// A client that has proved who it is.
#[derive(Clone)]
pub struct AuthenticatedClient {
    pub id: ClientId,
    pub authentication: ClientAuthentication,
    pub(super) presented: Presented,
    version: i64,
    client: Arc<Client>,
    once: Vec<Once>,
    confirmation: Option<Confirmation>,
}

impl AuthenticatedClient {
    /// What it registered, as it was when it proved who it is.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        self.client.usable().expect("only a registered, enabled client is authenticated")
    }

    /// How many events its stream held when it proved who it is.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// What its request proves itself by that is good once.
    #[must_use]
    pub fn once(&self) -> &[Once] {
        &self.once
    }

    pub(super) fn believed(id: ClientId, loaded: Loaded<Client>, presented: &Presented, believed: Believed) -> Self {
        Self {
            id,
            authentication: believed.authentication,
            presented: presented.clone(),
            version: loaded.version,
            client: loaded.state,
            once: believed.once.into_iter().collect(),
            confirmation: None,
        }
    }

    /// The same, that has also proved to hold a key.
    #[must_use]
    pub fn holding(mut self, proof: Possession) -> Self {
        self.once.push(proof.once);
        Self { confirmation: Some(proof.confirmation), ..self }
    }

    /// The same, whose tokens are to be bound to this.
    #[must_use]
    pub fn bound_to(self, confirmation: Confirmation) -> Self {
        Self { confirmation: Some(confirmation), ..self }
    }

    /// What its tokens are to be bound to, which it has proved to hold.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// All that is known of it, as it was when it proved who it is.
    #[must_use]
    pub fn client(&self) -> Arc<Client> {
        self.client.clone()
    }
}
