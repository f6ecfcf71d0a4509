//! The key that a code or token is bound to (RFC 7800 `cnf`): whoever presents it proves that they hold the key.

use serde::{Deserialize, Serialize};

/// By what the key is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// The SHA-256 thumbprint of a public key (RFC 7638) whose holder signs a proof with each request (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    KeyThumbprint(String),
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
    fn it_reads_as_the_claim_cnf() {
        let confirmation = Confirmation::KeyThumbprint("abc".to_owned());
        assert_eq!(serde_json::to_string(&confirmation).unwrap(), r#"{"jkt":"abc"}"#);
    }
}
