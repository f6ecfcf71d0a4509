//! Redirect URIs: what may be registered, and what a request must equal (RFC 9700 section 2.1, RFC 8252 section 7.3).

use url::{Host, Url};

/// The longest that may be registered, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// Schemes that make a browser do something else than visit an application.
const FORBIDDEN_SCHEMES: [&str; 12] =
    ["javascript", "data", "file", "vbscript", "about", "blob", "filesystem", "view-source", "ws", "wss", "ftp", "mailto"];

/// Why a redirect URI may not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unregistrable {
    #[error("it is longer than 2048 bytes")]
    TooLong,
    #[error("it holds white space, a control character or a character outside ASCII")]
    Character,
    #[error("it is no absolute URI")]
    NotAbsolute,
    #[error("it has a fragment")]
    Fragment,
    #[error("it has a wildcard")]
    Wildcard,
    #[error("it has a user name or password")]
    UserInfo,
    #[error("its scheme may not be redirected to")]
    Scheme,
    #[error("plain http is for loopback alone (127.0.0.1, [::1], localhost)")]
    PlainHttp,
    #[error("a private-use scheme has a dot, as in com.example.app:/callback (RFC 8252 section 7.1)")]
    PrivateUse,
    #[error("a private-use scheme is for native clients (application_type native)")]
    NotNative,
}

/// Which part of a presented redirect URI differs from the nearest registered one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {part} differs: {presented:?} was sent, {registered:?} is registered")]
pub struct Mismatch {
    pub part: &'static str,
    pub presented: String,
    pub registered: String,
}

/// Checks a redirect URI that a client wants to register.
///
/// # Errors
/// The first reason against it.
pub fn check(uri: &str, native: bool) -> Result<(), Unregistrable> {
    if uri.len() > MAX_LENGTH {
        return Err(Unregistrable::TooLong);
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) || uri.contains('\\') {
        return Err(Unregistrable::Character);
    }
    let parsed = Url::parse(uri).map_err(|_| Unregistrable::NotAbsolute)?;
    if uri.contains('#') {
        return Err(Unregistrable::Fragment);
    }
    if uri.contains('*') {
        return Err(Unregistrable::Wildcard);
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || authority(uri).contains('@') {
        return Err(Unregistrable::UserInfo);
    }
    match parsed.scheme() {
        scheme if FORBIDDEN_SCHEMES.contains(&scheme) => Err(Unregistrable::Scheme),
        "https" if parsed.host().is_some() && has_authority(uri) => Ok(()),
        "http" if is_loopback(&parsed) && has_authority(uri) => Ok(()),
        "https" => Err(Unregistrable::NotAbsolute),
        "http" => Err(Unregistrable::PlainHttp),
        scheme if !scheme.contains('.') => Err(Unregistrable::PrivateUse),
        _ if native => Ok(()),
        _ => Err(Unregistrable::NotNative),
    }
}

/// Whether the presented URI is one of those registered: equal byte for byte, but for the port of a native client's loopback
/// address (RFC 8252 section 7.3).
///
/// # Errors
/// Which part differs from the nearest registered one.
pub fn matches(registered: &[String], presented: &str, native: bool) -> Result<(), Mismatch> {
    if registered.iter().any(|own| own == presented || (native && differ_in_loopback_port_only(own, presented))) {
        return Ok(());
    }
    let nearest = registered.iter().max_by_key(|own| common_prefix(own, presented)).map_or("", String::as_str);
    Err(difference(nearest, presented))
}

fn has_authority(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//") && !rest.starts_with("///"))
}

fn authority(uri: &str) -> &str {
    let rest = uri.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_loopback(uri: &Url) -> bool {
    match uri.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn differ_in_loopback_port_only(registered: &str, presented: &str) -> bool {
    let split = |uri: &str| {
        let rest = uri.strip_prefix("http://")?;
        let (host, after) = ["127.0.0.1", "[::1]"].iter().find_map(|host| Some((*host, rest.strip_prefix(host)?)))?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (port, path) = after.split_at(end);
        let is_port = port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|digits| digits.parse::<u16>().is_ok_and(|port| port > 0 && digits == port.to_string()));
        is_port.then(|| (host, path.to_owned()))
    };
    split(registered).is_some_and(|own| split(presented) == Some(own))
}

fn common_prefix(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

fn difference(registered: &str, presented: &str) -> Mismatch {
    let mismatch = |part, presented: &str, registered: &str| Mismatch {
        part,
        presented: presented.chars().take(120).collect(),
        registered: registered.chars().take(120).collect(),
    };
    if registered.eq_ignore_ascii_case(presented) {
        return mismatch("case", presented, registered);
    }
    let (Ok(own), Ok(sent)) = (Url::parse(registered), Url::parse(presented)) else {
        return mismatch("form", presented, registered);
    };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let port = |uri: &Url| uri.port_or_known_default().map(|port| port.to_string()).unwrap_or_default();
    let parts = [
        ("scheme", sent.scheme().to_owned(), own.scheme().to_owned()),
        ("userinfo", sent.username().to_owned(), own.username().to_owned()),
        ("host", text(sent.host_str()), text(own.host_str())),
        ("port", port(&sent), port(&own)),
        ("path", sent.path().to_owned(), own.path().to_owned()),
        ("query", text(sent.query()), text(own.query())),
        ("fragment", text(sent.fragment()), text(own.fragment())),
    ];
    match parts.iter().find(|(_, sent, own)| sent != own) {
        Some((part, sent, own)) => mismatch(part, sent, own),
        None => mismatch("spelling", presented, registered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_registered_is_refused_with_its_reason() {
        let refused = [
            ("https://a.example/cb#x", Unregistrable::Fragment),
            ("https://*.example/cb", Unregistrable::Wildcard),
            ("https://me:pw@a.example/cb", Unregistrable::UserInfo),
            ("https://@a.example/cb", Unregistrable::UserInfo),
            ("javascript:alert(1)", Unregistrable::Scheme),
            ("data:text/html,x", Unregistrable::Scheme),
            ("file:///etc/passwd", Unregistrable::Scheme),
            ("http://a.example/cb", Unregistrable::PlainHttp),
            ("http://127.0.0.1.evil.example/cb", Unregistrable::PlainHttp),
            ("/cb", Unregistrable::NotAbsolute),
            ("https:/a.example/cb", Unregistrable::NotAbsolute),
            ("https://a.example/c b", Unregistrable::Character),
            ("https://a.example/c\u{7}b", Unregistrable::Character),
            ("https://a.example\\@b.example/", Unregistrable::Character),
            ("myapp:/cb", Unregistrable::PrivateUse),
        ];
        for (uri, reason) in refused {
            assert_eq!(check(uri, true), Err(reason), "{uri}");
        }
        assert_eq!(check("com.example.app:/cb", false), Err(Unregistrable::NotNative));
    }

    #[test]
    fn https_loopback_and_private_use_schemes_may_be_registered() {
        for uri in [
            "https://a.example/cb?x=1",
            "http://127.0.0.1:9000/cb",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(check(uri, true), Ok(()), "{uri}");
        }
    }

    #[test]
    fn any_difference_is_a_mismatch_that_names_its_part() {
        let registered = ["https://a.example/cb".to_owned()];
        let differing = [
            ("https://a.example/cb/", "path"),
            ("https://a.example/CB", "case"),
            ("https://A.example/cb", "case"),
            ("https://a.example:443/cb", "spelling"),
            ("https://a.example:8443/cb", "port"),
            ("https://a.example/cb?x", "query"),
            ("https://a.example/cb#x", "fragment"),
            ("https://x@a.example/cb", "userinfo"),
            ("http://a.example/cb", "scheme"),
            ("https://b.example/cb", "host"),
            ("https://a.example/%63b", "path"),
            (" https://a.example/cb", "spelling"),
            ("", "form"),
        ];
        for (presented, part) in differing {
            assert_eq!(matches(&registered, presented, false).map_err(|mismatch| mismatch.part), Err(part), "{presented}");
        }
        assert_eq!(matches(&registered, "https://a.example/cb", false), Ok(()));
    }

    #[test]
    fn a_native_clients_loopback_address_may_differ_in_its_port_only() {
        let registered = ["http://127.0.0.1/cb".to_owned(), "http://localhost:3000/cb".to_owned()];
        assert_eq!(matches(&registered, "http://127.0.0.1:51004/cb", true), Ok(()));
        assert!(matches(&registered, "http://127.0.0.1:51004/cb", false).is_err());
        assert!(matches(&registered, "http://localhost:3001/cb", true).is_err());
        assert!(matches(&registered, "http://127.0.0.1:51004/other", true).is_err());
        assert!(matches(&registered, "http://127.0.0.1:051004/cb", true).is_err());
        assert!(matches(&registered, "http://127.0.0.1:80@evil.example/cb", true).is_err());
        assert!(matches(&registered, "http://127.0.0.2:51004/cb", true).is_err());
    }
}
