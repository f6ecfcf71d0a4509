//! What can be asked of a user.

use crate::{Digest, PasskeyId, Sealed, Timestamp, sealed::BlindIndex};

use super::NewPasskey;

use super::{MailNotice, PasswordProof};

/// A request to change a resource owner.
#[derive(Clone, Debug)]
pub enum UserCommand {
    /// `profile` is the sealed JSON of their OpenID standard claims, `preferred_username` the sign-in name; `verified_email` is their mail
    /// address, where it is known to be theirs.
    Create {
        sign_in_name: BlindIndex,
        profile: Sealed,
        verified_email: Option<BlindIndex>,
        administrator: bool,
        has_password: bool,
        at: Timestamp,
    },
    UpdateProfile {
        sign_in_name: BlindIndex,
        profile: Sealed,
        verified_email: Option<BlindIndex>,
        at: Timestamp,
    },
    /// The slow hash goes to the vault in the same append.
    SetPassword {
        by_themselves: bool,
        proof: Option<PasswordProof>,
        at: Timestamp,
    },
    Lock {
        at: Timestamp,
    },
    Unlock {
        at: Timestamp,
    },
    SetAdministrator {
        administrator: bool,
        at: Timestamp,
    },
    /// So many failed sign-ins that further ones are refused for a while: the threshold alone is remembered.
    BlockSignIns {
        until: Timestamp,
        at: Timestamp,
    },
    /// They have shown a code of the application. Its secret goes to the vault in the same append. The recovery codes are for whoever has
    /// none yet.
    EnrolAuthenticator {
        recovery_codes: Vec<Digest>,
        at: Timestamp,
    },
    /// The secret is destroyed in the same append. With the last second factor go the recovery codes.
    RemoveAuthenticator {
        by_themselves: bool,
        at: Timestamp,
    },
    /// Its private key has signed the challenge of its enrolment. The recovery codes are for whoever has none yet.
    EnrolPasskey {
        passkey: NewPasskey,
        recovery_codes: Vec<Digest>,
        at: Timestamp,
    },
    RenamePasskey {
        passkey_id: PasskeyId,
        name: Sealed,
        at: Timestamp,
    },
    /// Its private key has signed the challenge of a sign-in, and says so often it has signed.
    UsePasskey {
        passkey_id: PasskeyId,
        sign_count: u32,
        backed_up: bool,
        at: Timestamp,
    },
    /// With the last second factor go the recovery codes.
    RemovePasskey {
        passkey_id: PasskeyId,
        by_themselves: bool,
        at: Timestamp,
    },
    /// All of them. The authenticator application's secret is destroyed in the same append.
    RemoveSecondFactors {
        by_themselves: bool,
        at: Timestamp,
    },
    /// In place of those that there are.
    MakeRecoveryCodes {
        recovery_codes: Vec<Digest>,
        at: Timestamp,
    },
    UseRecoveryCode {
        code: Digest,
        at: Timestamp,
    },
    /// They have shown that they read what is sent to the address. `profile` says so.
    VerifyEmail {
        address: BlindIndex,
        profile: Sealed,
        at: Timestamp,
    },
    /// A mail went out to them, or will not.
    RecordMail {
        mail: MailNotice,
        at: Timestamp,
    },
    /// The key is destroyed in the same append.
    Erase {
        at: Timestamp,
    },
}
