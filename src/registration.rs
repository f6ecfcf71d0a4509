//! A registered client as the wire shows it: the client information response (RFC 7591 section 3.2.1).

use domain::{Timestamp, client::ClientMetadata};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

/// A registered client.
pub struct ClientInformation<'a> {
    /// Its `client_id`.
    pub identifier: &'a str,
    pub issued_at: Timestamp,
    pub metadata: &'a ClientMetadata,
    /// A secret that was just made: it is shown this once.
    pub secret: Option<&'a SecretString>,
}

impl ClientInformation<'_> {
    /// The members of the response. Secrets do not expire by themselves: `client_secret_expires_at` is 0.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("client_id".to_owned(), self.identifier.into());
        if let Some(secret) = self.secret {
            members.insert("client_secret".to_owned(), secret.expose_secret().into());
            members.insert("client_secret_expires_at".to_owned(), 0.into());
        }
        members.insert("client_id_issued_at".to_owned(), self.issued_at.unix().into());
        if let Value::Object(metadata) = json!(self.metadata) {
            members.extend(metadata);
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_holds_the_metadata_and_a_new_secret_this_once() {
        let metadata = ClientMetadata { client_name: Some("App".to_owned()), ..ClientMetadata::default() };
        let secret = SecretString::from("secret");
        let issued_at = Timestamp::from_unix(10);
        let shown = ClientInformation { identifier: "app", issued_at, metadata: &metadata, secret: Some(&secret) }.members();
        assert_eq!(shown["client_id"], "app");
        assert_eq!(shown["client_secret"], "secret");
        assert_eq!(shown["client_secret_expires_at"], 0);
        assert_eq!(shown["client_id_issued_at"], 10);
        assert_eq!(shown["client_name"], "App");
        assert_eq!(shown["token_endpoint_auth_method"], "client_secret_basic");
        let later = ClientInformation { identifier: "app", issued_at, metadata: &metadata, secret: None }.members();
        assert!(!later.contains_key("client_secret") && !later.contains_key("client_secret_expires_at"));
    }
}
