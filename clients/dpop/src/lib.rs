//! Proofs of possession (RFC 9449): a JWT by which whoever sends a request shows that they hold the key that its token is bound to, or is to
//! be. Each is for one request, and good once: what was used is for whoever reads it to remember.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{Jwk, ThumbprintHash},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

/// The longest proof that is looked at, and the longest `jti`, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
const MAX_JTI: usize = 255;
/// How old or how early a proof may be, in seconds.
pub const WINDOW: u32 = 60;
/// RFC 9449 section 4.2.
const TYPE: &str = "dpop+jwt";
/// None of these members of a key is public (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// The algorithms that proofs may be signed with, as a challenge and the metadata name them: none of them RS256, which nobody who begins with
/// proofs needs, and the FAPI 2.0 Security Profile forbids (section 5.4.1).
pub const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "PS256"];

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
    /// For whoever remembers those that were.
    #[error("it was used before")]
    UsedBefore,
}

/// What a proof must be made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Each of which is the request's; queries and fragments do not count.
    pub addresses: &'a [Url],
    /// The access token that it carries, if it does.
    pub access_token: Option<&'a str>,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Of the key, by SHA-256 (RFC 7638): what `jkt` names.
    pub thumbprint: String,
    /// By which the proof is known again, beside its key.
    pub jti: String,
    /// When it was made, in seconds since the Unix epoch.
    pub iat: i64,
    /// The nonce that it holds (section 8).
    pub nonce: Option<String>,
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
    /// Reads the value of the header `DPoP` at a time, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// Why it does not prove that the sender of this request holds its key.
    pub fn read(jwt: &str, request: Request<'_>, now: i64) -> Result<Self, InvalidProof> {
        use InvalidProof::{Claims as NoClaims, Malformed, NotSigned};
        let (message, signature) = jwt.rsplit_once('.').filter(|_| jwt.len() <= MAX_LENGTH).ok_or(Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Malformed)?;
        let (key, algorithm) = key_of(header)?;
        let thumbprint = key.thumbprint(ThumbprintHash::SHA256).map_err(|_| Malformed)?;
        if !is_signed(&key, algorithm, message, signature) {
            return Err(NotSigned);
        }
        let claims: Claims = part(claims).ok_or(NoClaims)?;
        claims.check(request, now)?;
        let Claims { jti, iat, nonce, .. } = claims;
        Ok(Self { thumbprint, jti, iat, nonce })
    }
}

impl Claims {
    fn check(&self, request: Request<'_>, now: i64) -> Result<(), InvalidProof> {
        if !(1..=MAX_JTI).contains(&self.jti.len()) {
            return Err(InvalidProof::Claims);
        }
        if self.htm != request.method {
            return Err(InvalidProof::OtherMethod);
        }
        if !Url::parse(&self.htu).is_ok_and(|own| request.addresses.iter().any(|address| is_same(&own, address))) {
            return Err(InvalidProof::OtherAddress);
        }
        if now.abs_diff(self.iat) > u64::from(WINDOW) {
            return Err(InvalidProof::OtherTime);
        }
        match (request.access_token, &self.ath) {
            (None, _) => Ok(()),
            (Some(token), Some(ath)) if *ath == sha256(token.as_bytes()) => Ok(()),
            (Some(_), _) => Err(InvalidProof::OtherToken),
        }
    }
}

/// The SHA-256 digest of something in base64url, as `ath` and `x5t#S256` have it.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, octets))
}

/// The key that a proof holds, and by which algorithm it says to be signed: its own, and no other's.
fn key_of(header: &str) -> Result<(Jwk, Algorithm), InvalidProof> {
    let header: Header = part(header).ok_or(InvalidProof::Malformed)?;
    if !header.typ.eq_ignore_ascii_case(TYPE) || header.crit.is_some() {
        return Err(InvalidProof::Malformed);
    }
    let algorithm = algorithm(&header.alg).ok_or(InvalidProof::Algorithm)?;
    if PRIVATE_MEMBERS.iter().any(|member| header.jwk.get(member).is_some()) {
        return Err(InvalidProof::PrivateKey);
    }
    Ok((serde_json::from_value(header.jwk).map_err(|_| InvalidProof::Malformed)?, algorithm))
}

/// The one of this name; EdDSA's may be Ed25519 too (RFC 9864).
fn algorithm(name: &str) -> Option<Algorithm> {
    let name = if name == "Ed25519" { "EdDSA" } else { name };
    if ALGORITHMS.contains(&name) { name.parse().ok() } else { None }
}

fn is_signed(key: &Jwk, algorithm: Algorithm, message: &str, signature: &str) -> bool {
    let key = DecodingKey::from_jwk(key).ok();
    key.is_some_and(|key| crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap_or_default())
}

fn part<T: DeserializeOwned>(base64: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(base64).ok()?).ok()
}

/// Whether two addresses are the same, without query and fragment (RFC 9449 section 4.3, RFC 3986 section 6.2).
fn is_same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && normal(one.path()) == normal(other.path())
}

/// A path whose percent-encoding is in its normal form (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
fn normal(path: &str) -> String {
    let mut parts = path.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if is_unreserved(byte) => normal.push(byte.into()),
            Some(byte) => normal += &format!("%{byte:02X}"),
            None => normal.push('%'),
        }
        normal += &part[digits.map_or(0, str::len)..];
    }
    normal
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests;
