//! Proofs of possession (RFC 9449), as grantlog takes them: each once, over all nodes. How one is read is told in a crate of its own, which resource
//! servers read them by too.

use domain::{Confirmation, Digest, Timestamp};
pub use grantlog_dpop::{ALGORITHMS, InvalidProof, Request, sha256};
use grantlog_dpop::{Proof, WINDOW};

use super::{ErrorCode, OAuthError, Once, OnceKind};

/// That whoever sends a request holds a key, and what of that is good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possession {
    pub confirmation: Confirmation,
    pub once: Once,
}

/// Reads the value of the header `DPoP`, by a clock that may be off by `skew` seconds from another node's: what it proves, and the nonce
/// of ours that it holds (section 8).
///
/// # Errors
/// Why it does not prove that the sender of this request holds its key.
pub fn possession(
    jwt: &str,
    request: Request<'_>,
    now: Timestamp,
    skew: u32,
) -> Result<(Possession, Option<String>), InvalidProof> {
    let Proof { thumbprint, jti, iat, nonce } = Proof::read(jwt, request, now.unix())?;
    let once = Once {
        kind: OnceKind::DpopProof,
        key: Digest::of(format!("{thumbprint}\n{jti}").as_bytes()).as_str().to_owned(),
        until: Timestamp::from_unix(iat).plus(WINDOW).plus(skew).plus(1),
    };
    Ok((Possession { confirmation: Confirmation::KeyThumbprint(thumbprint), once }, nonce))
}

/// What is told of a proof that proves nothing (section 5).
#[must_use]
pub fn invalid_proof(why: InvalidProof) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidDpopProof, rule(why), format!("the DPoP proof is refused: {why}"))
}

const fn rule(why: InvalidProof) -> &'static str {
    match why {
        InvalidProof::NotOne => "proof_not_one",
        InvalidProof::Malformed => "proof_malformed",
        InvalidProof::Algorithm => "proof_algorithm",
        InvalidProof::PrivateKey => "proof_with_private_key",
        InvalidProof::NotSigned => "proof_not_signed",
        InvalidProof::Claims => "proof_claims",
        InvalidProof::OtherMethod => "proof_of_another_method",
        InvalidProof::OtherAddress => "proof_of_another_address",
        InvalidProof::OtherTime => "proof_time",
        InvalidProof::OtherToken => "proof_of_another_token",
        InvalidProof::UsedBefore => "proof_replayed",
    }
}

/// A client that gets bound tokens alone has sent no proof (RFC 9449 section 5.2).
#[must_use]
pub fn proof_missing() -> OAuthError {
    OAuthError::invalid_request("proof_missing", "the header DPoP is missing: the client gets tokens that are bound to a key")
}

/// A proof must hold a nonce of ours: one comes with this answer (section 8).
#[must_use]
pub fn use_nonce() -> OAuthError {
    OAuthError::new(ErrorCode::UseDpopNonce, "proof_without_nonce", "the DPoP proof must hold the nonce of the header DPoP-Nonce")
}
