//! Redirect URIs: what may be registered, and what a request must equal (RFC 9700 section 2.1, RFC 8252 section 7.3).

mod mismatch;
mod parts;
#[cfg(test)]
mod tests;

pub use mismatch::Mismatch;
use parts::Parts;
use url::Url;

/// No URI that a client registers is longer, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// The hosts that http is allowed to: nothing leaves the machine (RFC 8252 section 7.3).
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// The loopback hosts whose port a native client learns only when it runs. A name could be resolved to another machine.
const LOOPBACK_IPS: [&str; 2] = ["127.0.0.1", "[::1]"];

/// Why a URI may not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("it holds a character that must not stand in a URI, or a % that encodes nothing")]
    Character,
    #[error("it has a wildcard")]
    Wildcard,
    #[error("it is no absolute URI with its scheme in lower case")]
    NotAbsolute,
    #[error("it has a fragment")]
    Fragment,
    #[error("it has a user name")]
    Userinfo,
    #[error("its host, port or path is not written in the normal form")]
    NotNormal,
    #[error("http is for localhost, 127.0.0.1 and [::1] alone: use https")]
    HttpBeyondLoopback,
    #[error("its scheme must be https, or, of a native client, one of its own with a dot, such as com.example.app")]
    Scheme,
}

/// Whether a client may register this URI to be sent back to, after a sign-in or after a sign-out.
///
/// # Errors
/// What is wrong with it.
pub fn check(uri: &str, native: bool) -> Result<(), Unacceptable> {
    if uri.len() > MAX_LENGTH {
        return Err(Unacceptable::TooLong);
    }
    if !is_written_as_uri(uri) {
        return Err(Unacceptable::Character);
    }
    if uri.contains('*') {
        return Err(Unacceptable::Wildcard);
    }
    let (Some(parts), Ok(url)) = (Parts::of(uri), Url::parse(uri)) else {
        return Err(Unacceptable::NotAbsolute);
    };
    if parts.fragment.is_some() {
        return Err(Unacceptable::Fragment);
    }
    if parts.userinfo.is_some() {
        return Err(Unacceptable::Userinfo);
    }
    match parts.scheme {
        "https" => check_normal(&parts, &url),
        "http" if parts.host.is_some_and(|host| LOOPBACK_HOSTS.contains(&host)) => check_normal(&parts, &url),
        "http" => Err(Unacceptable::HttpBeyondLoopback),
        // RFC 8252 section 7.1. The dot also keeps out javascript, data, file and all others that a browser acts on.
        own if own.contains('.') && native && uri.len() > own.len() + 1 => Ok(()),
        _ => Err(Unacceptable::Scheme),
    }
}

/// Whether a request's URI is one of the registered ones: byte for byte, except for the port at a loopback address of a native client.
///
/// # Errors
/// In which part it differs from the nearest registered one.
pub fn matches(registered: &[String], presented: &str, native: bool) -> Result<(), Mismatch> {
    let equals = |own: &String| own == presented || (native && differs_in_loopback_port_alone(own, presented));
    if registered.iter().any(equals) { Ok(()) } else { Err(Mismatch::between(registered, presented)) }
}

/// Whether a browser that is sent there stays on its user's device: http to loopback, or a scheme of an application's own (RFC 8252
/// section 7).
#[must_use]
pub fn is_on_the_device(uri: &str) -> bool {
    Parts::of(uri).is_some_and(|parts| match parts.scheme {
        "https" => false,
        "http" => parts.host.is_some_and(|host| LOOPBACK_HOSTS.contains(&host)),
        _ => true,
    })
}

/// Whether two URIs are of one site: of the same scheme, host and port, as a browser tells sites apart (RFC 6454 section 4).
#[must_use]
pub fn same_origin(one: &str, other: &str) -> bool {
    let origin = |uri: &str| Url::parse(uri).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
    origin(one).is_some_and(|origin_of_one| Some(origin_of_one) == origin(other))
}

/// Whether it is made of the characters of RFC 3986 section 2, with every `%` before two hexadecimal digits.
pub(crate) fn is_written_as_uri(text: &str) -> bool {
    let encodes = |rest: &[u8]| matches!(rest, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    text.bytes().enumerate().all(|(index, byte)| match byte {
        b'%' => text.as_bytes().get(index + 1..).is_some_and(encodes),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
    })
}

/// Whether it is an absolute URI without a fragment, for things that are named and not visited (RFC 8707 section 2).
pub(crate) fn is_absolute(text: &str) -> bool {
    text.len() <= MAX_LENGTH
        && is_written_as_uri(text)
        && Parts::of(text).is_some_and(|parts| parts.fragment.is_none() && text.len() > parts.scheme.len() + 1)
        && Url::parse(text).is_ok()
}

/// Whether it is an https URI of a host, without a user name.
pub(crate) fn is_https(text: &str) -> bool {
    let https =
        |parts: Parts<'_>| parts.scheme == "https" && parts.userinfo.is_none() && parts.host.is_some_and(|host| !host.is_empty());
    text.len() <= MAX_LENGTH && is_written_as_uri(text) && Parts::of(text).is_some_and(https) && Url::parse(text).is_ok()
}

/// A browser must arrive where the registered text says: no `/../`, no `127.1`, no empty host or port.
fn check_normal(parts: &Parts<'_>, url: &Url) -> Result<(), Unacceptable> {
    let host_as_read = parts.host.is_some_and(|host| url.host_str() == Some(host.to_ascii_lowercase().as_str()));
    let path_as_read = parts.path.is_empty() || parts.path == url.path();
    let port_as_read = parts.port.is_none_or(is_port);
    if host_as_read && path_as_read && port_as_read { Ok(()) } else { Err(Unacceptable::NotNormal) }
}

fn differs_in_loopback_port_alone(registered: &str, presented: &str) -> bool {
    let (Some(registered), Some(presented)) = (Parts::of(registered), Parts::of(presented)) else { return false };
    registered.scheme == "http"
        && registered.host.is_some_and(|host| LOOPBACK_IPS.contains(&host))
        && presented.port.is_none_or(is_port)
        && Parts { port: None, ..registered } == Parts { port: None, ..presented }
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}
