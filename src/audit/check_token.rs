//! Whether a token with a good signature was issued at all: where the log knows nothing of it, somebody else signs with our key.

use domain::{Digest, GrantId, key_set::KeyState};
use serde::{Deserialize, Serialize};

use super::{AuditError, Token, grant};
use crate::{dispatch::Dispatch, signer};

/// What became of the check.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenCheck {
    /// No key of this issuer's made the signature: whoever checks signatures refuses it.
    NotSigned,
    /// It was signed with our key, and it was issued.
    Issued { grant_id: GrantId, token: Box<Token> },
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
    pub claims: serde_json::Value,
}

/// The claim that names the grant.
#[derive(Deserialize)]
struct Claims {
    grant_id: GrantId,
}

/// Checks a JWT: its signature against every key that the issuer ever had, then the log. An expired token can be checked as well.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn check_token(dispatch: &Dispatch, token: &str) -> Result<TokenCheck, AuditError> {
    let keys = dispatch.key_set().await?;
    let Some(signed) = signer::verify(&keys, token) else { return Ok(TokenCheck::NotSigned) };
    // A token of ours names its grant; what is not among that grant's tokens is nowhere.
    if let Ok(Claims { grant_id }) = serde_json::from_value(signed.claims.clone())
        && let Some(file) = grant(&dispatch.log, grant_id).await?
    {
        let digest = Digest::of(token.as_bytes());
        if let Some(token) = file.tokens.into_iter().find(|token| token.digest.is(&digest)) {
            return Ok(TokenCheck::Issued { grant_id, token: Box::new(token) });
        }
    }
    Ok(TokenCheck::Forged(Forgery { kid: signed.kid, key_state: signed.state, claims: signed.claims }))
}
