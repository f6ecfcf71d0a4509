//! Why a request is not let in, and how that is told (RFC 6750 section 3, RFC 9449 section 7.1).

use grantlog_dpop::{ALGORITHMS, InvalidProof};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};

use crate::scheme::Scheme;

/// When to come again where the issuer does not answer, in seconds.
const COME_AGAIN: u32 = 2;

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No token was presented.
    #[error("the request carries no access token")]
    NoToken,
    /// It was presented in no way that there is.
    #[error("{0}")]
    Malformed(&'static str),
    /// It is not good, or not any more.
    #[error("{0}")]
    InvalidToken(&'static str),
    /// It is bound to a key, and was presented as a bearer token.
    #[error("the token is bound to a key: present it as DPoP")]
    BoundToKey,
    /// It is bound to a key, and the request does not prove that its sender holds that.
    #[error("the DPoP proof is refused: {0}")]
    InvalidProof(#[from] InvalidProof),
    /// It lacks a scope.
    #[error("the token lacks the scope {0}")]
    InsufficientScope(String),
    /// Whether it is good cannot be found out now.
    #[error("the issuer does not answer")]
    Unavailable,
}

impl Refusal {
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::InvalidToken(_) | Self::BoundToKey | Self::InvalidProof(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers that tell it: `WWW-Authenticate`, or `Retry-After` where the token is not at fault.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.headers_for(Scheme::Bearer)
    }

    /// As `headers`, for who presented a token by this scheme.
    pub(crate) fn headers_for(&self, presented: Scheme) -> HeaderMap {
        let Some(parameters) = self.parameters() else {
            return HeaderMap::from_iter([(RETRY_AFTER, COME_AGAIN.into())]);
        };
        let scheme = match self {
            Self::BoundToKey | Self::InvalidProof(_) => Scheme::Dpop,
            _ => presented,
        };
        let algorithms = (scheme == Scheme::Dpop).then(|| ("algs", ALGORITHMS.join(" ")));
        let told = parameters.into_iter().chain(algorithms).map(|(name, value)| format!("{name}=\"{value}\""));
        let challenge = format!("{} {}", scheme.name(), told.collect::<Vec<_>>().join(", "));
        // A scope with characters that no header takes is one that no token has either.
        let challenge = HeaderValue::try_from(challenge.trim_end()).unwrap_or(HeaderValue::from_static(scheme.name()));
        HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge)])
    }

    /// What a challenge says of it; `None` where the token is not at fault.
    fn parameters(&self) -> Option<Vec<(&'static str, String)>> {
        let error = match self {
            Self::NoToken => return Some(Vec::new()),
            Self::Unavailable => return None,
            Self::Malformed(_) => "invalid_request",
            Self::InvalidToken(_) | Self::BoundToKey => "invalid_token",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::InsufficientScope(_) => "insufficient_scope",
        };
        let mut told = vec![("error", error.to_owned()), ("error_description", self.to_string())];
        if let Self::InsufficientScope(scope) = self {
            told.push(("scope", scope.clone()));
        }
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(refusal: &Refusal, presented: Scheme) -> Option<String> {
        refusal.headers_for(presented).get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn each_refusal_has_its_status_and_its_challenge() {
        let cases = [
            (Refusal::NoToken, 401, Some("Bearer")),
            (Refusal::Malformed("two"), 400, Some("Bearer error=\"invalid_request\", error_description=\"two\"")),
            (Refusal::InvalidToken("old"), 401, Some("Bearer error=\"invalid_token\", error_description=\"old\"")),
            (
                Refusal::InsufficientScope("read".to_owned()),
                403,
                Some("Bearer error=\"insufficient_scope\", error_description=\"the token lacks the scope read\", scope=\"read\""),
            ),
            (Refusal::Unavailable, 503, None),
        ];
        for (refusal, status, told) in cases {
            assert_eq!(refusal.status().as_u16(), status);
            assert_eq!(challenge(&refusal, Scheme::Bearer).as_deref(), told);
            assert_eq!(refusal.headers().contains_key(RETRY_AFTER), status == 503);
        }
    }

    #[test]
    fn who_is_to_come_with_a_proof_is_told_of_which_algorithms() {
        let algs = "algs=\"ES256 EdDSA PS256\"";
        let bound = challenge(&Refusal::BoundToKey, Scheme::Bearer).unwrap();
        assert!(bound.starts_with("DPoP error=\"invalid_token\"") && bound.ends_with(algs), "{bound}");
        let proof = challenge(&Refusal::InvalidProof(InvalidProof::OtherTime), Scheme::Dpop).unwrap();
        assert!(proof.starts_with("DPoP error=\"invalid_dpop_proof\"") && proof.ends_with(algs), "{proof}");
        let old = challenge(&Refusal::InvalidToken("old"), Scheme::Dpop).unwrap();
        assert_eq!(old, format!("DPoP error=\"invalid_token\", error_description=\"old\", {algs}"));
    }
}
