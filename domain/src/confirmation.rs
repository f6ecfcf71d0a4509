//! The key or certificate that a code or token is bound to (RFC 7800 `cnf`): whoever presents it proves that they hold the key.

use serde::{Deserialize, Serialize};

/// By what the key is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// The SHA-256 thumbprint of a public key (RFC 7638) whose holder signs a proof with each request (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    KeyThumbprint(String),
    /// The SHA-256 digest of a certificate whose holder shows it in the TLS handshake of each request's connection (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    CertificateThumbprint(String),
}

impl Confirmation {
    /// Whether whoever proved this may present what is bound so: what is bound to nothing, anybody may.
    #[must_use]
    pub fn allows(bound: Option<&Self>, proved: Option<&Self>) -> bool {
        bound.is_none_or(|bound| proved == Some(bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_is_for_the_holder_of_that_key_alone() {
        let key = |name: &str| Confirmation::KeyThumbprint(name.to_owned());
        assert!(Confirmation::allows(None, None) && Confirmation::allows(None, Some(&key("a"))));
        assert!(Confirmation::allows(Some(&key("a")), Some(&key("a"))));
        assert!(!Confirmation::allows(Some(&key("a")), Some(&key("b"))) && !Confirmation::allows(Some(&key("a")), None));
    }

    #[test]
    fn what_is_bound_to_a_key_is_not_for_the_holder_of_a_certificate() {
        let (key, certificate) = ("a".to_owned(), "a".to_owned());
        let (key, certificate) = (Confirmation::KeyThumbprint(key), Confirmation::CertificateThumbprint(certificate));
        assert!(!Confirmation::allows(Some(&key), Some(&certificate)) && !Confirmation::allows(Some(&certificate), Some(&key)));
    }

    #[test]
    fn it_reads_as_the_claim_cnf() {
        let confirmation = Confirmation::KeyThumbprint("abc".to_owned());
        assert_eq!(serde_json::to_string(&confirmation).unwrap(), r#"{"jkt":"abc"}"#);
        let confirmation = Confirmation::CertificateThumbprint("abc".to_owned());
        assert_eq!(serde_json::to_string(&confirmation).unwrap(), r#"{"x5t#S256":"abc"}"#);
    }
}
