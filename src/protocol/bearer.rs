//! Bearer tokens in the Authorization header (RFC 6750 section 2.1), and where OpenID Connect has it so in a form (section 2.2). In a URL they
//! are never taken: URLs end in logs.

use super::{ErrorCode, OAuthError};

/// A token longer than this is nobody's, in bytes.
const MAX_TOKEN: usize = 16_384;

/// The token of an Authorization header's value; `None` where there is no header or another scheme.
///
/// # Errors
/// `invalid_token` where what follows `Bearer` is no token.
pub fn read(authorization: Option<&[u8]>) -> Result<Option<&str>, OAuthError> {
    let Some(header) = authorization else { return Ok(None) };
    let malformed = || invalid_token("malformed_bearer", "the Authorization header holds no bearer token");
    let header = str::from_utf8(header).map_err(|_| malformed())?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim();
    if is_token(token) { Ok(Some(token)) } else { Err(malformed()) }
}

/// The token of a header or of a form's `access_token`; `None` where neither holds one.
///
/// # Errors
/// `invalid_request` where both do, `invalid_token` where what is there is no token.
pub fn read_either<'a>(authorization: Option<&'a [u8]>, in_form: Option<&'a str>) -> Result<Option<&'a str>, OAuthError> {
    match (read(authorization)?, in_form) {
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("token_twice", "the access token was sent in two ways")),
        (None, Some(token)) if !is_token(token) => Err(invalid_token("malformed_bearer", "access_token is no bearer token")),
        (Some(token), None) | (None, Some(token)) => Ok(Some(token)),
        (None, None) => Ok(None),
    }
}

fn is_token(text: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    !text.is_empty() && text.len() <= MAX_TOKEN && text.bytes().all(of_token)
}

/// The token gives no access (RFC 6750 section 3.1).
#[must_use]
pub fn invalid_token(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, rule, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(read(Some(b"bEARER abc.DEF-_~+/=")), Ok(Some("abc.DEF-_~+/=")));
        assert_eq!(read(Some(b"Basic abc")), Ok(None));
        assert_eq!(read(None), Ok(None));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for bad in [&b"Bearer"[..], b"Bearer ", b"Bearer a b", b"Bearer \xff", b"Bearer a\"b"] {
            assert_eq!(read(Some(bad)).expect_err("refused").rule, "malformed_bearer");
        }
        assert_eq!(read_either(None, Some("a b")).expect_err("refused").rule, "malformed_bearer");
    }

    #[test]
    fn a_token_is_sent_in_one_way() {
        assert_eq!(read_either(None, None), Ok(None));
        assert_eq!(read_either(Some(b"Bearer a"), None), Ok(Some("a")));
        assert_eq!(read_either(Some(b"Basic b"), Some("a")), Ok(Some("a")));
        assert_eq!(read_either(Some(b"Bearer a"), Some("a")).expect_err("refused").rule, "token_twice");
    }
}
