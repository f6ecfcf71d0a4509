//! What may be registered, and what a request must equal.

use super::{Mismatch, Unacceptable, check, is_absolute, is_https, matches};

const WEB: bool = false;
const NATIVE: bool = true;

fn matching(registered: &[&str], presented: &str, native: bool) -> Result<(), Mismatch> {
    let registered: Vec<String> = registered.iter().map(|uri| (*uri).to_owned()).collect();
    matches(&registered, presented, native)
}

#[test]
fn what_a_web_client_may_register() {
    for uri in [
        "https://app.example/cb",
        "https://app.example",
        "https://app.example:8443/cb?tenant=1&x=%2F",
        "https://xn--bcher-kva.example/cb",
        "https://[2001:db8::1]/cb",
        "http://localhost:8000/cb",
        "http://localhost/cb",
        "http://127.0.0.1:8000/cb",
        "http://[::1]:8000/cb",
    ] {
        assert_eq!(check(uri, WEB), Ok(()), "{uri}");
        assert_eq!(check(uri, NATIVE), Ok(()), "{uri}");
    }
}

#[test]
fn what_a_native_client_alone_may_register() {
    for uri in ["com.example.app:/cb", "com.example.app://cb", "com.example.app:cb?x=1"] {
        assert_eq!(check(uri, NATIVE), Ok(()), "{uri}");
        assert_eq!(check(uri, WEB), Err(Unacceptable::Scheme), "{uri}");
    }
}

#[test]
fn what_nobody_may_register() {
    let too_long = format!("https://app.example/{}", "a".repeat(2048));
    for (uri, why) in [
        (too_long.as_str(), Unacceptable::TooLong),
        ("", Unacceptable::NotAbsolute),
        ("/cb", Unacceptable::NotAbsolute),
        ("//app.example/cb", Unacceptable::NotAbsolute),
        ("app.example/cb", Unacceptable::NotAbsolute),
        ("HTTPS://app.example/cb", Unacceptable::NotAbsolute),
        ("1a.b:/cb", Unacceptable::NotAbsolute),
        ("https://app.example:99999/cb", Unacceptable::NotAbsolute),
        (" https://app.example/cb", Unacceptable::Character),
        ("https://app.example/cb\n", Unacceptable::Character),
        ("https://app.example/c\tb", Unacceptable::Character),
        ("https://app.example/\0", Unacceptable::Character),
        ("https://app.example/\u{202e}", Unacceptable::Character),
        ("https://app.example\\@evil.example/", Unacceptable::Character),
        ("https://app.example/\"><script>", Unacceptable::Character),
        ("https://app.example/%", Unacceptable::Character),
        ("https://app.example/%2", Unacceptable::Character),
        ("https://app.example/%zz", Unacceptable::Character),
        ("https://*.example/cb", Unacceptable::Wildcard),
        ("https://app.example/*", Unacceptable::Wildcard),
        ("https://app.example/cb#", Unacceptable::Fragment),
        ("https://app.example/cb#part", Unacceptable::Fragment),
        ("com.example.app:/cb#part", Unacceptable::Fragment),
        ("https://user@app.example/cb", Unacceptable::Userinfo),
        ("https://user:password@app.example/cb", Unacceptable::Userinfo),
        ("https://@app.example/cb", Unacceptable::Userinfo),
        ("https:/app.example/cb", Unacceptable::NotNormal),
        ("https:app.example/cb", Unacceptable::NotNormal),
        ("https:///app.example/cb", Unacceptable::NotNormal),
        ("https://app.example:/cb", Unacceptable::NotNormal),
        ("https://app.example:0443/cb", Unacceptable::NotNormal),
        ("https://app.example/a/../cb", Unacceptable::NotNormal),
        ("https://app.example/a/%2e%2e/cb", Unacceptable::NotNormal),
        ("https://127.1/cb", Unacceptable::NotNormal),
        ("http://app.example/cb", Unacceptable::HttpBeyondLoopback),
        ("http://127.0.0.1.example/cb", Unacceptable::HttpBeyondLoopback),
        ("http://localhost.example/cb", Unacceptable::HttpBeyondLoopback),
        ("http://127.1/cb", Unacceptable::HttpBeyondLoopback),
        ("http://0x7f000001/cb", Unacceptable::HttpBeyondLoopback),
        ("http:/localhost/cb", Unacceptable::HttpBeyondLoopback),
        ("javascript:alert(1)", Unacceptable::Scheme),
        ("data:text/html,x", Unacceptable::Scheme),
        ("file:///etc/passwd", Unacceptable::Scheme),
        ("vbscript:x", Unacceptable::Scheme),
        ("about:blank", Unacceptable::Scheme),
        ("blob:https://app.example/1", Unacceptable::Scheme),
        ("ftp://app.example/cb", Unacceptable::Scheme),
        ("myapp:/cb", Unacceptable::Scheme),
        ("com.example.app:", Unacceptable::Scheme),
        ("urn:ietf:wg:oauth:2.0:oob", Unacceptable::Scheme),
    ] {
        assert_eq!(check(uri, NATIVE), Err(why), "{uri:?}");
    }
}

#[test]
fn the_same_bytes_match() {
    assert_eq!(matching(&["https://a.example/1", "https://a.example/2"], "https://a.example/2", WEB), Ok(()));
    assert_eq!(matching(&["http://localhost:8000/cb"], "http://localhost:8000/cb", NATIVE), Ok(()));
}

#[test]
fn a_loopback_address_of_a_native_client_may_differ_in_its_port() {
    for presented in ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb"] {
        assert_eq!(matching(&["http://127.0.0.1/cb"], presented, NATIVE), Ok(()));
        assert_eq!(matching(&["http://127.0.0.1:8000/cb"], presented, NATIVE), Ok(()));
    }
    assert_eq!(matching(&["http://[::1]:1/cb?x=1"], "http://[::1]:2/cb?x=1", NATIVE), Ok(()));
}

#[test]
fn the_port_is_fixed_for_all_others() {
    for (registered, presented, native) in [
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", WEB),
        ("http://localhost:1/cb", "http://localhost:2/cb", NATIVE),
        ("https://127.0.0.1:1/cb", "https://127.0.0.1:2/cb", NATIVE),
        ("https://app.example/cb", "https://app.example:443/cb", NATIVE),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:+2/cb", NATIVE),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:/cb", NATIVE),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:65536/cb", NATIVE),
    ] {
        assert_eq!(matching(&[registered], presented, native), Err(Mismatch::Port), "{presented}");
    }
}

#[test]
fn the_part_that_differs_is_named() {
    let registered = ["https://app.example/cb?x=1", "http://127.0.0.1:1/cb"];
    for (presented, part) in [
        ("https://app.example/cb?x=2", Mismatch::Query),
        ("https://app.example/cb", Mismatch::Query),
        ("https://app.example/cb/more?x=1", Mismatch::Path),
        ("https://evil.example/cb?x=1", Mismatch::Host),
        ("http://app.example/cb?x=1", Mismatch::Scheme),
        ("https://app.example/cb?x=1#f", Mismatch::Fragment),
        ("https://app.example@evil.example/cb?x=1", Mismatch::Userinfo),
        ("https://app.example/cb?x=1/", Mismatch::TrailingSlash),
        ("https://app.example/CB?x=1", Mismatch::Case),
        ("HTTPS://app.example/cb?x=1", Mismatch::Case),
        ("https://app.example/%63b?x=1", Mismatch::Encoding),
        ("https://app.example/cb?x=1\n", Mismatch::Character),
        (" https://app.example/cb?x=1", Mismatch::Character),
        ("nonsense", Mismatch::NotAbsolute),
        ("http://127.0.0.1@evil.example:1/cb", Mismatch::Userinfo),
        ("http://127.0.0.1:1@evil.example/cb", Mismatch::Userinfo),
        ("http://[::1]:1/cb", Mismatch::Host),
    ] {
        assert_eq!(matching(&registered, presented, NATIVE), Err(part), "{presented:?}");
    }
    assert_eq!(matching(&[], "https://app.example/cb", WEB), Err(Mismatch::NoneRegistered));
}

#[test]
fn a_resource_is_named_by_any_absolute_uri_without_a_fragment() {
    assert!(is_absolute("https://api.example/v1?x") && is_absolute("urn:example:api"));
    for uri in ["api", "/api", "urn:", "https://api.example/#x", "https://api.example/ x"] {
        assert!(!is_absolute(uri), "{uri}");
    }
}

#[test]
fn what_is_fetched_or_linked_is_https() {
    assert!(is_https("https://app.example/logo.png?v=1#x"));
    for uri in ["http://app.example/", "https://user@app.example/", "https:///x", "https:app.example", "https://a b/", "x"] {
        assert!(!is_https(uri), "{uri}");
    }
}
