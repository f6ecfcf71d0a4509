//! What came of a mail to a user.

use serde::{Deserialize, Serialize};

/// A mail, and how it ended. Neither the address nor what it said is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailNotice {
    pub purpose: MailPurpose,
    pub outcome: MailOutcome,
    /// How often it was tried.
    pub tries: u32,
}

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailPurpose {
    /// It holds a link by which somebody who forgot their password sets another.
    PasswordLink,
    /// It holds a link that shows that they read what is sent to the address.
    EmailCheck,
    /// It says that their password was set.
    PasswordSet,
    /// It says that an authenticator application or a passkey of theirs was removed.
    SecondFactorRemoved,
    /// It says, at the address before, that they have another.
    EmailChanged,
}

impl MailPurpose {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PasswordLink, Self::EmailCheck, Self::PasswordSet, Self::SecondFactorRemoved, Self::EmailChanged];

    /// As it stands in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordLink => "password_link",
            Self::EmailCheck => "email_check",
            Self::PasswordSet => "password_set",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::EmailChanged => "email_changed",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailOutcome {
    /// The mail server took it.
    Sent,
    /// It was refused for good, or not taken for so long that it is no longer tried.
    GivenUp,
}
