//! What can have happened to a user.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{Digest, PasskeyId, Sealed, Timestamp, sealed::BlindIndex};

use super::NewPasskey;

use super::MailNotice;

/// A fact about a resource owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UserEvent {
    Created {
        sign_in_name: BlindIndex,
        profile: Sealed,
        /// By which they are found by their mail address, where it is known to be theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verified_email: Option<BlindIndex>,
        administrator: bool,
        has_password: bool,
        at: Timestamp,
    },
    ProfileUpdated {
        sign_in_name: BlindIndex,
        profile: Sealed,
        /// As with `Created`: another address is not known to be theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verified_email: Option<BlindIndex>,
        at: Timestamp,
    },
    /// A cutoff: what was issued before is dead.
    PasswordSet {
        by_themselves: bool,
        /// What they proved that they may, where it was not the password before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<PasswordProof>,
        at: Timestamp,
    },
    /// A cutoff.
    Locked {
        at: Timestamp,
    },
    /// Nothing is revived.
    Unlocked {
        at: Timestamp,
    },
    AdministratorSet {
        administrator: bool,
        at: Timestamp,
    },
    SignInsBlocked {
        until: Timestamp,
        at: Timestamp,
    },
    /// From now on a password alone does not sign them in.
    AuthenticatorEnrolled {
        at: Timestamp,
    },
    /// With the last second factor went the recovery codes.
    AuthenticatorRemoved {
        by_themselves: bool,
        at: Timestamp,
    },
    /// From now on a password alone does not sign them in.
    PasskeyEnrolled {
        #[serde(flatten)]
        passkey: NewPasskey,
        at: Timestamp,
    },
    PasskeyRenamed {
        passkey_id: PasskeyId,
        name: Sealed,
        at: Timestamp,
    },
    PasskeyUsed {
        passkey_id: PasskeyId,
        sign_count: u32,
        backed_up: bool,
        at: Timestamp,
    },
    /// It signed, but says that it has not signed oftener than before: there may be a copy of it. It signed nobody in.
    PasskeyCounterWentBack {
        passkey_id: PasskeyId,
        sign_count: u32,
        at: Timestamp,
    },
    /// With the last second factor went the recovery codes.
    PasskeyRemoved {
        passkey_id: PasskeyId,
        by_themselves: bool,
        at: Timestamp,
    },
    /// Those that there were before count no more.
    RecoveryCodesMade {
        codes: Vec<Digest>,
        at: Timestamp,
    },
    RecoveryCodeUsed {
        code: Digest,
        at: Timestamp,
    },
    /// They have shown that they read what is sent to this address.
    EmailVerified {
        address: BlindIndex,
        profile: Sealed,
        at: Timestamp,
    },
    /// A mail went out to them, or it was given up.
    Mailed {
        mail: MailNotice,
        at: Timestamp,
    },
    /// A cutoff; the sign-in name is free again.
    Erased {
        at: Timestamp,
    },
}

/// What somebody proved before they set their password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordProof {
    /// That they read the mails to their verified address: a link in one brought them.
    MailedLink,
}

impl UserEvent {
    /// The person's whole profile as it is from this event on, sealed under their own key; `None` where the event leaves it as it is.
    #[must_use]
    pub const fn profile(&self) -> Option<&Sealed> {
        match self {
            Self::Created { profile, .. } | Self::ProfileUpdated { profile, .. } | Self::EmailVerified { profile, .. } => {
                Some(profile)
            }
            Self::PasswordSet { .. }
            | Self::Locked { .. }
            | Self::Unlocked { .. }
            | Self::AdministratorSet { .. }
            | Self::SignInsBlocked { .. }
            | Self::AuthenticatorEnrolled { .. }
            | Self::AuthenticatorRemoved { .. }
            | Self::PasskeyEnrolled { .. }
            | Self::PasskeyRenamed { .. }
            | Self::PasskeyUsed { .. }
            | Self::PasskeyCounterWentBack { .. }
            | Self::PasskeyRemoved { .. }
            | Self::RecoveryCodesMade { .. }
            | Self::RecoveryCodeUsed { .. }
            | Self::Mailed { .. }
            | Self::Erased { .. } => None,
        }
    }
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Created { .. } => "user.created",
            Self::ProfileUpdated { .. } => "user.profile_updated",
            Self::PasswordSet { .. } => "user.password_set",
            Self::Locked { .. } => "user.locked",
            Self::Unlocked { .. } => "user.unlocked",
            Self::AdministratorSet { .. } => "user.administrator_set",
            Self::SignInsBlocked { .. } => "user.sign_ins_blocked",
            Self::AuthenticatorEnrolled { .. } => "user.authenticator_enrolled",
            Self::AuthenticatorRemoved { .. } => "user.authenticator_removed",
            Self::PasskeyEnrolled { .. } => "user.passkey_enrolled",
            Self::PasskeyRenamed { .. } => "user.passkey_renamed",
            Self::PasskeyUsed { .. } => "user.passkey_used",
            Self::PasskeyCounterWentBack { .. } => "user.passkey_counter_went_back",
            Self::PasskeyRemoved { .. } => "user.passkey_removed",
            Self::RecoveryCodesMade { .. } => "user.recovery_codes_made",
            Self::RecoveryCodeUsed { .. } => "user.recovery_code_used",
            Self::EmailVerified { .. } => "user.email_verified",
            Self::Mailed { .. } => "user.mailed",
            Self::Erased { .. } => "user.erased",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
