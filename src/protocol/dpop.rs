//! Proofs of possession (RFC 9449): a JWT by which whoever sends a request shows that they hold the key that its token is bound to, or is to
//! be. Each is for one request.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Confirmation, Digest, Timestamp,
    client::{PRIVATE_JWK_MEMBERS, SigningAlgorithm},
};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::signer::verify_by;

use super::{ErrorCode, OAuthError, Once, OnceKind};

/// The longest proof that is looked at, and the longest `jti`, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
const MAX_JTI: usize = 255;
/// How old or how early a proof may be, in seconds.
const WINDOW: u32 = 60;
/// RFC 9449 section 4.2.
const TYPE: &str = "dpop+jwt";

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    #[error("the request must carry one proof in the header DPoP")]
    NotOne,
    #[error("it is no JWT of the type dpop+jwt that holds a public key")]
    Malformed,
    #[error("its algorithm must be one of ES256, EdDSA, PS256")]
    Algorithm,
    #[error("its jwk holds a private or symmetric key: never send those to anybody")]
    PrivateKey,
    #[error("the key that it holds did not sign it")]
    NotSigned,
    #[error("jti, htm, htu and iat must be there, each of its type")]
    Claims,
    #[error("htm is not the method of the request")]
    OtherMethod,
    #[error("htu is not the address of the request")]
    OtherAddress,
    #[error("iat is too long ago or not yet")]
    OtherTime,
    #[error("ath is not the digest of the access token")]
    OtherToken,
}

/// What a proof must be made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Each of which is the request's.
    pub addresses: &'a [Url],
    /// The access token that it carries, if it does.
    pub access_token: Option<&'a str>,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub possession: Possession,
    /// The nonce of ours that it holds (section 8).
    pub nonce: Option<String>,
}

/// That whoever sends a request holds a key, and what of that is good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possession {
    pub confirmation: Confirmation,
    pub once: Once,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Value,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    ath: Option<String>,
    nonce: Option<String>,
}

impl Proof {
    /// Reads the value of the header `DPoP`, by a clock that may be off by `skew` seconds from another node's.
    ///
    /// # Errors
    /// Why it does not prove that the sender of this request holds its key.
    pub fn read(jwt: &str, request: Request<'_>, now: Timestamp, skew: u32) -> Result<Self, InvalidProof> {
        let (key, algorithm) = key_of(jwt)?;
        let thumbprint = key.thumbprint(ThumbprintHash::SHA256).map_err(|_| InvalidProof::Malformed)?;
        let claims: Claims = verify_by(&key, algorithm, jwt).ok_or_else(|| match verify_by::<Value>(&key, algorithm, jwt) {
            Some(_) => InvalidProof::Claims,
            None => InvalidProof::NotSigned,
        })?;
        claims.check(request, now)?;
        let known_by = format!("{thumbprint}\n{}", claims.jti);
        let once = Once {
            kind: OnceKind::DpopProof,
            key: Digest::of(known_by.as_bytes()).as_str().to_owned(),
            until: Timestamp::from_unix(claims.iat).plus(WINDOW).plus(skew).plus(1),
        };
        Ok(Self { possession: Possession { confirmation: Confirmation::KeyThumbprint(thumbprint), once }, nonce: claims.nonce })
    }
}

impl Claims {
    fn check(&self, request: Request<'_>, now: Timestamp) -> Result<(), InvalidProof> {
        if !(1..=MAX_JTI).contains(&self.jti.len()) {
            return Err(InvalidProof::Claims);
        }
        if self.htm != request.method {
            return Err(InvalidProof::OtherMethod);
        }
        if !Url::parse(&self.htu).is_ok_and(|own| request.addresses.iter().any(|address| is_same(&own, address))) {
            return Err(InvalidProof::OtherAddress);
        }
        if now.unix().abs_diff(self.iat) > u64::from(WINDOW) {
            return Err(InvalidProof::OtherTime);
        }
        match (request.access_token, &self.ath) {
            (None, _) => Ok(()),
            (Some(token), Some(ath)) if *ath == digest_of(token) => Ok(()),
            (Some(_), _) => Err(InvalidProof::OtherToken),
        }
    }
}

/// The key that a proof holds, and what it signed with it: its own, and no other's.
fn key_of(jwt: &str) -> Result<(Jwk, SigningAlgorithm), InvalidProof> {
    let header = jwt.split('.').next().filter(|_| jwt.len() <= MAX_LENGTH).unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| InvalidProof::Malformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| InvalidProof::Malformed)?;
    if !header.typ.eq_ignore_ascii_case(TYPE) || header.crit.is_some() {
        return Err(InvalidProof::Malformed);
    }
    let algorithm = SigningAlgorithm::of_header(&header.alg).filter(|own| ALGORITHMS.contains(&own.name()));
    let algorithm = algorithm.ok_or(InvalidProof::Algorithm)?;
    if PRIVATE_JWK_MEMBERS.iter().any(|member| header.jwk.get(member).is_some()) {
        return Err(InvalidProof::PrivateKey);
    }
    Ok((serde_json::from_value(header.jwk).map_err(|_| InvalidProof::Malformed)?, algorithm))
}

/// Whether two addresses are the same, without query and fragment (RFC 9449 section 4.3, RFC 3986 section 6.2).
fn is_same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && one.path() == other.path()
}

/// `ath` (section 4.2).
#[must_use]
pub fn digest_of(token: &str) -> String {
    thumbprint(token.as_bytes())
}

/// The SHA-256 digest of something in base64url, as `ath` and `x5t#S256` have it.
#[must_use]
pub fn thumbprint(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets))
}

/// The algorithms that proofs may be signed with, as a challenge and the metadata name them: none of them RS256, which nobody who begins with
/// proofs needs, and the FAPI 2.0 Security Profile forbids (section 5.4.1).
pub const ALGORITHMS: [&str; 3] =
    [SigningAlgorithm::ES256.name(), SigningAlgorithm::EdDSA.name(), SigningAlgorithm::PS256.name()];

impl InvalidProof {
    /// What is told of it (section 5).
    #[must_use]
    pub fn told(self) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidDpopProof, self.rule(), format!("the DPoP proof is refused: {self}"))
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::NotOne => "proof_not_one",
            Self::Malformed => "proof_malformed",
            Self::Algorithm => "proof_algorithm",
            Self::PrivateKey => "proof_with_private_key",
            Self::NotSigned => "proof_not_signed",
            Self::Claims => "proof_claims",
            Self::OtherMethod => "proof_of_another_method",
            Self::OtherAddress => "proof_of_another_address",
            Self::OtherTime => "proof_time",
            Self::OtherToken => "proof_of_another_token",
        }
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

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(10_000);
    const TOKEN: &str = "token";

    /// A proof signed with a key of its own; `changed` replaces members of its header and claims, and takes away those that are null.
    fn proof(header: Value, claims: Value) -> String {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..])});
        let header = changed(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}), header);
        let of_request = json!({"jti": "1", "htm": "POST", "htu": "https://id.example/o/token/", "iat": 10_000});
        let claims = changed(of_request, claims);
        let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = pair.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature.as_ref()))
    }

    fn changed(mut all: Value, changes: Value) -> Value {
        let (Some(members), Value::Object(changes)) = (all.as_object_mut(), changes) else { unreachable!("objects") };
        members.extend(changes);
        members.retain(|_, value| !value.is_null());
        all
    }

    fn read(jwt: &str, access_token: Option<&str>) -> Result<Proof, InvalidProof> {
        let addresses = ["https://id.example/o/token/".parse().unwrap()];
        Proof::read(jwt, Request { method: "POST", addresses: &addresses, access_token }, NOW, 60)
    }

    fn refused(header: Value, claims: Value) -> InvalidProof {
        read(&proof(header, claims), None).unwrap_err()
    }

    #[test]
    fn a_proof_for_this_request_is_known_by_its_key_and_id() {
        let jwt = proof(json!({}), json!({"nonce": "n", "other": 1}));
        let first = read(&jwt, None).unwrap();
        assert_eq!(first, read(&jwt, None).unwrap());
        assert_eq!(first.nonce.as_deref(), Some("n"));
        assert_eq!(first.possession.once.until, Timestamp::from_unix(10_121));
        let other = read(&proof(json!({}), json!({})), None).unwrap();
        assert_ne!(first.possession, other.possession);
    }

    #[test]
    fn addresses_are_compared_without_query_and_in_their_normal_form() {
        for htu in ["https://id.example/o/token/?a=b#c", "HTTPS://ID.example:443/o/token/", "https://id.example/o/x/../token/"] {
            assert!(read(&proof(json!({}), json!({ "htu": htu })), None).is_ok(), "{htu}");
        }
        for htu in ["http://id.example/o/token/", "https://id.example:8443/o/token/", "https://id.example/o/token", "/o/token/"] {
            assert_eq!(refused(json!({}), json!({ "htu": htu })), InvalidProof::OtherAddress, "{htu}");
        }
    }

    #[test]
    fn it_is_good_for_a_minute_around_its_making() {
        for iat in [9_940, 10_060] {
            assert!(read(&proof(json!({}), json!({ "iat": iat })), None).is_ok(), "{iat}");
        }
        for iat in [9_939, 10_061] {
            assert_eq!(refused(json!({}), json!({ "iat": iat })), InvalidProof::OtherTime, "{iat}");
        }
    }

    #[test]
    fn beside_an_access_token_it_names_that() {
        let for_token = proof(json!({}), json!({ "ath": digest_of(TOKEN) }));
        assert!(read(&for_token, Some(TOKEN)).is_ok() && read(&for_token, None).is_ok());
        assert_eq!(read(&for_token, Some("other")), Err(InvalidProof::OtherToken));
        assert_eq!(read(&proof(json!({}), json!({})), Some(TOKEN)), Err(InvalidProof::OtherToken));
    }

    #[test]
    fn what_is_no_proof_of_this_request_is_refused() {
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"});
        for (header, claims, why) in [
            (json!({"typ": null}), json!({}), InvalidProof::Malformed),
            (json!({"typ": "JWT"}), json!({}), InvalidProof::Malformed),
            (json!({"jwk": null}), json!({}), InvalidProof::Malformed),
            (json!({"jwk": {"kty": "EC"}}), json!({}), InvalidProof::Malformed),
            (json!({"crit": ["b64"]}), json!({}), InvalidProof::Malformed),
            (json!({"alg": null}), json!({}), InvalidProof::Malformed),
            (json!({"alg": "none"}), json!({}), InvalidProof::Algorithm),
            (json!({"alg": "HS256"}), json!({}), InvalidProof::Algorithm),
            (json!({"alg": "RS256"}), json!({}), InvalidProof::Algorithm),
            (json!({"alg": "EdDSA"}), json!({}), InvalidProof::NotSigned),
            (json!({ "jwk": jwk }), json!({}), InvalidProof::PrivateKey),
            (json!({"jwk": {"kty": "oct", "k": "AA"}}), json!({}), InvalidProof::PrivateKey),
            (json!({}), json!({"jti": null}), InvalidProof::Claims),
            (json!({}), json!({"jti": ""}), InvalidProof::Claims),
            (json!({}), json!({"jti": "x".repeat(256)}), InvalidProof::Claims),
            (json!({}), json!({"htm": null}), InvalidProof::Claims),
            (json!({}), json!({"htm": "post"}), InvalidProof::OtherMethod),
            (json!({}), json!({"htu": null}), InvalidProof::Claims),
            (json!({}), json!({"iat": null}), InvalidProof::Claims),
            (json!({}), json!({"iat": "10000"}), InvalidProof::Claims),
        ] {
            let told = format!("{header} {claims}");
            assert_eq!(refused(header, claims), why, "{told}");
        }
        let good = proof(json!({}), json!({}));
        let (message, _) = good.rsplit_once('.').unwrap();
        assert_eq!(read(&format!("{message}.AAAA"), None), Err(InvalidProof::NotSigned));
        for no_jwt in ["", "a.b.c", &"a".repeat(MAX_LENGTH + 1)] {
            assert_eq!(read(no_jwt, None), Err(InvalidProof::Malformed));
        }
    }
}
