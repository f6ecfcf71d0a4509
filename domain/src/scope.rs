//! Scopes (RFC 6749 section 3.3): a set of names, kept in the order they were first written.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A set of scope names. On the wire: names separated by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

/// A scope that RFC 6749 does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is made of printable ASCII without space, quote and backslash")]
pub struct InvalidScope;

impl Scope {
    /// Asks for ID tokens and userinfo (OpenID Connect Core section 3.1.2.1).
    pub const OPENID: &'static str = "openid";
    /// Asks for what outlives the sign-in (OpenID Connect Core section 11).
    pub const OFFLINE_ACCESS: &'static str = "offline_access";

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether it holds no name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it holds this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|own| own == name)
    }

    /// Whether it holds every name of the other.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.names().all(|name| self.contains(name))
    }

    /// Its names that the other holds too.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.names().filter(|name| other.contains(name)).collect()
    }

    /// Its names and the other's.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.names().chain(other.names()).collect()
    }

    /// Its names that the other does not hold.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.names().filter(|name| !other.contains(name)).collect()
    }
}

impl<'a> FromIterator<&'a str> for Scope {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut unique: Vec<String> = Vec::new();
        for name in names {
            if !unique.iter().any(|own| own == name) {
                unique.push(name.to_owned());
            }
        }
        Self(unique)
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !text.bytes().all(allowed) {
            return Err(InvalidScope);
        }
        Ok(text.split(' ').filter(|name| !name.is_empty()).collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().expect("a scope")
    }

    #[test]
    fn names_keep_their_order_and_stand_once() {
        assert_eq!(scope("write read write").to_string(), "write read");
    }

    #[test]
    fn spaces_are_never_names() {
        assert_eq!(scope("  read   write ").to_string(), "read write");
        assert!(scope("").is_empty() && scope("  ").is_empty());
    }

    #[test]
    fn only_printable_ascii_without_quote_and_backslash_is_a_scope() {
        assert!("!#[]~:/.read".parse::<Scope>().is_ok());
        for bad in ["re\"ad", "re\\ad", "read\twrite", "read\n", "l\u{e9}ger", "\0", "\u{7f}"] {
            assert_eq!(bad.parse::<Scope>(), Err(InvalidScope), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_covers_its_own_names_in_any_order() {
        assert!(scope("read write").covers(&scope("write read")) && scope("read").covers(&scope("")));
        assert!(!scope("read").covers(&scope("read write")) && !scope("read").covers(&scope("Read")));
    }

    #[test]
    fn scopes_are_joined_met_and_taken_apart() {
        let (own, other) = (scope("a b c"), scope("c d a"));
        assert_eq!(own.union(&other).to_string(), "a b c d");
        assert_eq!(own.intersection(&other).to_string(), "a c");
        assert_eq!(own.without(&other).to_string(), "b");
    }

    #[test]
    fn a_scope_is_stored_as_on_the_wire() {
        let stored = serde_json::to_string(&scope("read write")).expect("written");
        assert_eq!(stored, r#""read write""#);
        assert_eq!(serde_json::from_str::<Scope>(&stored).expect("read"), scope("read write"));
        assert!(serde_json::from_str::<Scope>(r#""re\"ad""#).is_err());
    }
}
