//! A revocation, as the issuer tells it over HTTP and over NATS alike.

use serde::Deserialize;

/// Something that was issued is dead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Revocation {
    pub(crate) what: Ended,
    /// In seconds since the Unix epoch, as what follows.
    pub(crate) at: i64,
    /// From then on all that it killed has expired by itself.
    pub(crate) forget_after: i64,
}

/// What is dead, by the claims of a token. A kind that is not here is of a later issuer: it cannot be passed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Ended {
    Token { jti: String },
    Grant { grant_id: String },
    Client { client_id: String, before: i64 },
    User { sub: String, before: i64 },
    Session { session_id: String, before: i64 },
    Consent { sub: String, client_id: String, before: i64 },
    Key { kid: String },
    Issuer { before: i64 },
}
