//! Why a request is not let in, and how that is told (RFC 6750 section 3).

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};

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
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers that tell it: `WWW-Authenticate`, or `Retry-After` where the token is not at fault.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let challenge = match self {
            Self::NoToken => "Bearer".to_owned(),
            Self::Malformed(why) => format!("Bearer error=\"invalid_request\", error_description=\"{why}\""),
            Self::InvalidToken(why) => format!("Bearer error=\"invalid_token\", error_description=\"{why}\""),
            Self::InsufficientScope(scope) => {
                format!("Bearer error=\"insufficient_scope\", error_description=\"{self}\", scope=\"{scope}\"")
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, COME_AGAIN.into());
                return headers;
            }
        };
        // A scope with characters that no header takes is one that no token has either.
        let challenge = HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"));
        headers.insert(WWW_AUTHENTICATE, challenge);
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (refusal, status, challenge) in cases {
            let headers = refusal.headers();
            assert_eq!(refusal.status().as_u16(), status);
            assert_eq!(headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap()), challenge);
            assert_eq!(headers.contains_key(RETRY_AFTER), status == 503);
        }
    }
}
