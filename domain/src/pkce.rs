//! Proof Key for Code Exchange (RFC 7636): S256 alone.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A `code_challenge` by S256: 43 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

/// A `code_verifier`: 43 to 128 unreserved characters. It prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeVerifier(String);

/// A challenge or verifier whose form RFC 7636 does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPkce {
    /// Section 4.2.
    #[error("code_challenge must be 43 characters of base64url (S256)")]
    Challenge,
    /// Section 4.1.
    #[error("code_verifier must be 43 to 128 of A-Z a-z 0-9 - . _ ~")]
    Verifier,
}

impl CodeChallenge {
    /// Whether the verifier's SHA-256 digest is this challenge (RFC 7636 section 4.6).
    #[must_use]
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        Digest::of(verifier.0.as_bytes()).is(&Digest::from_stored(self.0.clone()))
    }

    /// 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodeChallenge {
    type Err = InvalidPkce;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() != 43 || !text.bytes().all(base64url) {
            return Err(InvalidPkce::Challenge);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidPkce;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}

impl FromStr for CodeVerifier {
    type Err = InvalidPkce;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(InvalidPkce::Verifier);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn is_met(challenge: &str, verifier: &str) -> bool {
        let challenge: CodeChallenge = challenge.parse().expect("a challenge");
        challenge.is_met_by(&verifier.parse().expect("a verifier"))
    }

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        assert!(is_met(CHALLENGE, VERIFIER));
    }

    #[test]
    fn another_verifier_does_not_meet_the_challenge() {
        assert!(!is_met(CHALLENGE, &VERIFIER.replace('d', "D")));
        assert!(!is_met(CHALLENGE, &format!("{VERIFIER}A")));
        assert!(!is_met(VERIFIER, VERIFIER), "plain");
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        for good in ["-._~".repeat(11), "a".repeat(43), "a".repeat(128)] {
            assert!(good.parse::<CodeVerifier>().is_ok(), "{good}");
        }
        for bad in
            ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), format!("{} ", "a".repeat(43)), "\u{e9}".repeat(43)]
        {
            assert_eq!(bad.parse::<CodeVerifier>(), Err(InvalidPkce::Verifier), "{bad}");
        }
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        for bad in [String::new(), "a".repeat(42), "a".repeat(44), format!("{}=", "a".repeat(42)), format!("{}+", "a".repeat(42))]
        {
            assert_eq!(bad.parse::<CodeChallenge>(), Err(InvalidPkce::Challenge), "{bad}");
        }
    }

    #[test]
    fn a_verifier_prints_nothing() {
        assert_eq!(format!("{:?}", VERIFIER.parse::<CodeVerifier>()), "Ok(CodeVerifier(..))");
    }
}
