//! The access token of a request (RFC 6750 section 2.1, RFC 9449 section 7.1). One in a body or a URL is none.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{refusal::Refusal, scheme::Scheme};

/// Longer than any that an issuer makes, in bytes.
const LONGEST: usize = 16 * 1024;

/// A token, as it is presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) scheme: Scheme,
    pub(crate) token: String,
}

/// Reads it.
pub(crate) fn presented(headers: &HeaderMap) -> Result<Presented, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(Refusal::NoToken) };
    if values.next().is_some() {
        return Err(Refusal::Malformed("the header Authorization comes twice"));
    }
    let value = value.to_str().map_err(|_| Refusal::Malformed("the header Authorization is no text"))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = Scheme::named(scheme).ok_or(Refusal::NoToken)?;
    let token = token.trim_start_matches(' ');
    if token.is_empty() || token.len() > LONGEST || !token.bytes().all(is_of_a_token) {
        return Err(Refusal::Malformed("the header Authorization holds no token"));
    }
    Ok(Presented { scheme, token: token.to_owned() })
}

/// RFC 6750's `b64token`.
const fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented_in(values: &[&str]) -> Result<Presented, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        presented(&headers)
    }

    #[test]
    fn the_scheme_is_bearer_or_dpop_in_any_case() {
        for (value, scheme) in [
            ("Bearer a.b.c", Scheme::Bearer),
            ("bearer a.b.c", Scheme::Bearer),
            ("BEARER  a.b.c", Scheme::Bearer),
            ("DPoP a.b.c", Scheme::Dpop),
            ("dpop a.b.c", Scheme::Dpop),
        ] {
            assert_eq!(presented_in(&[value]), Ok(Presented { scheme, token: "a.b.c".to_owned() }));
        }
    }

    #[test]
    fn another_scheme_is_no_token() {
        for values in [&[][..], &["Basic eDp5"], &["DPoPx a.b.c"], &["Bearerx a"]] {
            assert_eq!(presented_in(values), Err(Refusal::NoToken), "{values:?}");
        }
    }

    #[test]
    fn what_is_malformed_is_told_so() {
        let long = format!("Bearer {}", "a".repeat(LONGEST + 1));
        for values in [
            &["Bearer"][..],
            &["Bearer "],
            &["Bearer a b"],
            &["DPoP a,b"],
            &["Bearer a", "Bearer a"],
            &["DPoP a", "Bearer a"],
            &[&long],
        ] {
            assert!(matches!(presented_in(values), Err(Refusal::Malformed(_))), "{values:?}");
        }
    }
}
