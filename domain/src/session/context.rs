//! How surely a sign-in tells who somebody is (OpenID Connect Core section 2, `acr`).

use serde::{Deserialize, Serialize};

/// An authentication context class. A later one is the surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextClass {
    /// A password.
    OneFactor,
    /// And a code of something that they hold; or a passkey, which they hold and unlock.
    TwoFactors,
}

impl ContextClass {
    pub const ALL: [Self; 2] = [Self::OneFactor, Self::TwoFactors];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneFactor => "urn:grantlog:acr:1fa",
            Self::TwoFactors => "urn:grantlog:acr:2fa",
        }
    }

    /// The class of this name; `None` for one that no sign-in here has.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_by_its_name_and_two_factors_are_surer_than_one() {
        for class in ContextClass::ALL {
            assert_eq!(ContextClass::named(class.as_str()), Some(class));
        }
        assert_eq!(ContextClass::named("urn:mace:incommon:iap:silver"), None);
        assert!(ContextClass::TwoFactors > ContextClass::OneFactor);
    }
}
