//! A registered URI that a browser is sent back to: byte for byte as the client registered it.

/// The URI with parameters added to its query.
#[must_use]
pub fn with_query(uri: &str, encoded: &str) -> String {
    let joint = if !uri.contains('?') {
        "?"
    } else if uri.ends_with(['?', '&']) {
        ""
    } else {
        "&"
    };
    format!("{uri}{joint}{encoded}")
}

/// What a page's Content-Security-Policy names it by: its origin, or its scheme where that is an application's own.
#[must_use]
pub fn source(uri: &str) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or_default();
    match (scheme, authority(rest)) {
        ("http" | "https", Some(authority)) if is_host_source(authority) => format!("{scheme}://{authority}"),
        _ => format!("{scheme}:"),
    }
}

/// Where it leads, as people are told: a host, or an application's own scheme.
#[must_use]
pub fn place(uri: &str) -> &str {
    let (scheme, rest) = uri.split_once(':').unwrap_or_default();
    match authority(rest) {
        Some(authority) if !authority.is_empty() => authority,
        Some(_) | None => scheme,
    }
}

fn authority(rest: &str) -> Option<&str> {
    rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// Whether a policy can name this host (CSP level 3 section 2.3.1): it has no words for IPv6 addresses.
fn is_host_source(authority: &str) -> bool {
    authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_the_uri_as_it_is_registered() {
        for (uri, whole) in [
            ("https://a.example/cb", "https://a.example/cb?x=1"),
            ("https://a.example", "https://a.example?x=1"),
            ("https://a.example/cb?y=%41", "https://a.example/cb?y=%41&x=1"),
            ("https://a.example/cb?", "https://a.example/cb?x=1"),
            ("com.example.app:/cb", "com.example.app:/cb?x=1"),
        ] {
            assert_eq!(with_query(uri, "x=1"), whole);
        }
    }

    #[test]
    fn a_policy_names_the_origin_alone() {
        for (uri, named) in [
            ("https://a.example/cb?x#y", "https://a.example"),
            ("http://127.0.0.1:9000/cb", "http://127.0.0.1:9000"),
            ("http://[::1]:9000/cb", "http:"),
            ("https://a;sandbox/cb", "https:"),
            ("com.example.app:/cb", "com.example.app:"),
            ("com.example.app://cb/x", "com.example.app:"),
        ] {
            assert_eq!(source(uri), named);
        }
    }

    #[test]
    fn a_person_is_told_a_host_or_a_scheme() {
        assert_eq!(place("https://a.example:8443/cb"), "a.example:8443");
        assert_eq!(place("com.example.app:/cb"), "com.example.app");
    }
}
