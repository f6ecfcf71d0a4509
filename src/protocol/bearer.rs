//! Bearer tokens in the Authorization header (RFC 6750 section 2.1). In a body or a URL they are not taken: URLs end in logs.

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
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let token = token.trim();
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(of_token) {
        return Err(malformed());
    }
    Ok(Some(token))
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
    }
}
