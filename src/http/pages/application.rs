//! An application as pages show it.

use domain::{ClientId, client::Registration};

use crate::protocol::client_document;

use super::{logo, shown::shown};

/// The longest name and host that are shown, in characters.
const MAX_NAME: usize = 80;
const MAX_HOST: usize = 120;

/// An application that asks.
pub(super) struct Application {
    pub(super) name: String,
    /// The first letter of its name.
    pub(super) initial: String,
    /// Whether the request is surely its own (RFC 8252 section 8.6).
    pub(super) proven: bool,
    /// The host whose document says what it is, where nobody registered it.
    pub(super) described_by: Option<String>,
    /// Where its logo is, if it has named one: with us.
    pub(super) logo: Option<String>,
    pub(super) website: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) terms: Option<String>,
}

impl Application {
    /// A client.
    pub(super) fn new(id: ClientId, client: &Registration) -> Self {
        let name = name_of(client);
        let metadata = &client.metadata;
        Self {
            initial: initial(&name),
            name,
            proven: client.has_proven_identity(),
            described_by: described_by(client),
            logo: metadata.logo_uri.as_ref().map(|_| logo::href(id, client.metadata_version)),
            website: metadata.client_uri.clone(),
            policy: metadata.policy_uri.clone(),
            terms: metadata.tos_uri.clone(),
        }
    }

    /// Whether it has pages to read about it.
    pub(super) const fn has_links(&self) -> bool {
        self.website.is_some() || self.policy.is_some() || self.terms.is_some()
    }
}

/// The host of the document that a client is, if it is one.
fn described_by(client: &Registration) -> Option<String> {
    let address = client.is_of_a_document().then(|| client_document::address(&client.identifier))??;
    address.host_str().map(|host| shown(host, MAX_HOST))
}

/// What an application is called: its name, or its `client_id` where it has none.
pub(super) fn name_of(client: &Registration) -> String {
    called(client.metadata.client_name.as_deref().unwrap_or_default(), &client.identifier)
}

/// As `name_of`, of a row of the read models.
pub(super) fn called(client_name: &str, identifier: &str) -> String {
    let name = shown(client_name, MAX_NAME);
    if name.is_empty() { shown(identifier, MAX_NAME) } else { name }
}

/// The first letter of a name, for the tile beside it.
pub(super) fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}
