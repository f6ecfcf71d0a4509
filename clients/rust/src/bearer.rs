//! The access token of a request (RFC 6750 section 2.1). One in a body or a URL is none.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::refusal::Refusal;

/// Longer than any that an issuer makes, in bytes.
const LONGEST: usize = 16 * 1024;

/// Reads it.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(Refusal::NoToken) };
    if values.next().is_some() {
        return Err(Refusal::Malformed("the header Authorization comes twice"));
    }
    let value = value.to_str().map_err(|_| Refusal::Malformed("the header Authorization is no text"))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoToken);
    }
    let token = token.trim_start_matches(' ');
    if token.is_empty() || token.len() > LONGEST || !token.bytes().all(is_of_a_token) {
        return Err(Refusal::Malformed("the header Authorization holds no token"));
    }
    Ok(token)
}

/// RFC 6750's `b64token`.
const fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented_in(values: &[&str]) -> Result<String, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        presented(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            assert_eq!(presented_in(&[value]), Ok("a.b.c".to_owned()));
        }
    }

    #[test]
    fn another_scheme_is_no_token() {
        for values in [&[][..], &["Basic eDp5"], &["DPoP a.b.c"], &["Bearerx a"]] {
            assert_eq!(presented_in(values), Err(Refusal::NoToken), "{values:?}");
        }
    }

    #[test]
    fn what_is_malformed_is_told_so() {
        let long = format!("Bearer {}", "a".repeat(LONGEST + 1));
        for values in [&["Bearer"][..], &["Bearer "], &["Bearer a b"], &["Bearer a,b"], &["Bearer a", "Bearer a"], &[&long]] {
            assert!(matches!(presented_in(values), Err(Refusal::Malformed(_))), "{values:?}");
        }
    }
}
