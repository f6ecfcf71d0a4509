//! Whether a token with a good signature was issued at all: where the log knows nothing of it, somebody else signs with our key.

use domain::{
    Digest,
    audit::{Question, Read},
    key_set::KeyState,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    AuditError, FoundToken, Wanted,
    find::{Claims, of_grant},
};
use crate::{
    dispatch::Dispatch,
    signer::{self, typ},
};

/// What became of the check.
#[derive(Debug)]
pub enum TokenCheck {
    /// No key of this issuer's made the signature: whoever checks signatures refuses it. Or it is a signed answer of userinfo.
    NotSigned,
    /// It was signed with our key, and it was issued.
    Issued(Box<FoundToken>),
    /// It was signed with our key, and it was never issued: whoever made it has the private key.
    Forged(Forgery),
}

/// A token that nobody but a thief can have made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forgery {
    /// The key that was stolen.
    pub kid: String,
    pub key_state: KeyState,
    /// As the token says: none of it need be true.
    pub claims: Value,
}

impl TokenCheck {
    /// What is remembered of whoever is told it; `None` where they learn nothing of anybody.
    #[must_use]
    pub fn read(&self) -> Option<Read> {
        match self {
            Self::Issued(found) => Some(found.file.read(Question::TokenCheck)),
            Self::NotSigned | Self::Forged(_) => None,
        }
    }

    /// As programs are told it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::NotSigned => json!({"not_signed": true}),
            Self::Issued(found) => json!({"issued": {"grant_id": found.file.record.grant_id, "token": found.token()}}),
            Self::Forged(forgery) => json!({"forged": forgery}),
        }
    }
}

/// Checks a JWT: its signature against every key that the issuer ever had, then the log. An expired token can be checked as well.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn check_token(dispatch: &Dispatch, token: &str) -> Result<TokenCheck, AuditError> {
    let keys = dispatch.key_set().await?;
    let Some(signed) = signer::verify(&keys, token) else { return Ok(TokenCheck::NotSigned) };
    // A signed answer of userinfo is no token, and the log knows nothing of it: it has no end.
    if signed.header.typ.as_deref() == Some(typ::USERINFO) && signed.claims.get("exp").is_none() {
        return Ok(TokenCheck::NotSigned);
    }
    // A token of ours names its grant; what is not among that grant's tokens is nowhere.
    if let Ok(Claims { grant_id }) = serde_json::from_value(signed.claims.clone())
        && let Some(found) = of_grant(dispatch, grant_id, &Wanted::Digest(Digest::of(token.as_bytes()))).await?
    {
        return Ok(TokenCheck::Issued(Box::new(found)));
    }
    Ok(TokenCheck::Forged(Forgery { kid: signed.kid, key_state: signed.state, claims: signed.claims }))
}
