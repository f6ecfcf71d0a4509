//! The `request_uri` of a pushed authorization request (RFC 9126 section 2.2).

use secrecy::{ExposeSecret, SecretString};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The URI of the request that lies under a handle.
#[must_use]
pub fn uri(handle: &SecretString) -> String {
    format!("{PREFIX}{}", handle.expose_secret())
}

/// The handle in a URI; `None` where it is another's.
#[must_use]
pub fn handle(uri: &str) -> Option<&str> {
    uri.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_travels_in_a_urn() {
        assert_eq!(handle(&uri(&"abc".to_owned().into())), Some("abc"));
        assert_eq!(handle("https://app.example/request.jwt"), None);
    }
}
