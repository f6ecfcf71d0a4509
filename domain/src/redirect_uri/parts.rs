//! The parts of a URI as they are written (RFC 3986 appendix B): nothing is decoded, completed or put right.

/// The parts of an absolute URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) userinfo: Option<&'a str>,
    /// With its brackets, if it is an IPv6 address.
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// `None` if there is no scheme in lower case.
    pub(super) fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let of_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
        if !scheme.starts_with(|first: char| first.is_ascii_lowercase()) || !scheme.bytes().all(of_scheme) {
            return None;
        }
        let (rest, fragment) = split_off(rest, '#');
        let (rest, query) = split_off(rest, '?');
        let Some(rest) = rest.strip_prefix("//") else {
            return Some(Self { scheme, userinfo: None, host: None, port: None, path: rest, query, fragment });
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority),
        };
        let end_of_host = address.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match address[end_of_host..].find(':') {
            Some(colon) => (&address[..end_of_host + colon], Some(&address[end_of_host + colon + 1..])),
            None => (address, None),
        };
        Some(Self { scheme, userinfo, host: Some(host), port, path, query, fragment })
    }
}

fn split_off(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}
