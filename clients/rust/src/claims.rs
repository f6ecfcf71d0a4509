//! What is known of who comes with a token.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::scheme::Scheme;

/// What an access token says, or its introspection: RFC 9068's names, and grantlog's own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The user, or the client where it acts for itself.
    pub sub: String,
    #[serde(deserialize_with = "one_or_several")]
    pub aud: Vec<String>,
    /// In seconds since the Unix epoch.
    pub exp: i64,
    pub iat: i64,
    pub jti: Option<String>,
    /// The client that it was issued to.
    pub client_id: String,
    /// Names with spaces between.
    #[serde(default)]
    pub scope: String,
    pub grant_id: String,
    /// The head of the log that the issuance saw. Introspection does not tell it.
    pub pos: Option<i64>,
    /// The sign-in that the token ends with.
    pub sid: Option<String>,
    /// The `client_id`s by whose hands the grant came to that client (RFC 8693). Introspection does not tell them.
    #[serde(default)]
    pub through: Vec<String>,
    /// All the rest.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Claims {
    /// Whether the token has a scope.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == name)
    }

    /// The one that it is presented by.
    pub(crate) fn scheme(&self) -> Scheme {
        let key = self.more.get("cnf").and_then(|cnf| cnf.get("jkt"));
        if key.is_some() { Scheme::Dpop } else { Scheme::Bearer }
    }

    /// The clients with each of which it ends.
    pub(crate) fn hands(&self) -> impl Iterator<Item = &String> {
        self.through.iter().chain([&self.client_id])
    }
}

/// `aud` is a string or several (RFC 7519 section 4.1.3).
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(only) => vec![only],
        Audience::Several(several) => several,
    })
}
