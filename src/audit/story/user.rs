//! What happened to people, told.

use domain::{
    UserId,
    user::{MailNotice, MailOutcome, MailPurpose, PasswordProof, UserEvent},
};
use serde_json::json;

use super::{Names, Telling, telling};
use crate::clock::rfc3339;

pub(super) fn user(id: UserId, event: &UserEvent, names: &Names) -> Telling {
    let (mut details, name) = (json!({"user_id": id}), names.user(id));
    details["user"] = name.into();
    let key = match event {
        UserEvent::Created { administrator: false, .. } => "user.created",
        UserEvent::Created { administrator: true, .. } => "user.created_administrator",
        UserEvent::ProfileUpdated { .. } => "user.profile_updated",
        UserEvent::PasswordSet { by_themselves, proof, .. } => {
            details["by_themselves"] = json!(by_themselves);
            match proof {
                None => "user.password_set",
                Some(PasswordProof::MailedLink) => {
                    details["proof"] = json!(proof);
                    "user.password_set_by_link"
                }
            }
        }
        UserEvent::Locked { .. } => "user.locked",
        UserEvent::Unlocked { .. } => "user.unlocked",
        UserEvent::AdministratorSet { administrator: true, .. } => "user.administrator_made",
        UserEvent::AdministratorSet { administrator: false, .. } => "user.administrator_no_more",
        UserEvent::SignInsBlocked { until, .. } => {
            details["until"] = rfc3339(*until).into();
            "user.sign_ins_blocked"
        }
        UserEvent::AuthenticatorEnrolled { .. } => "user.authenticator_enrolled",
        UserEvent::AuthenticatorRemoved { by_themselves, .. } => {
            details["by_themselves"] = json!(by_themselves);
            "user.authenticator_removed"
        }
        UserEvent::PasskeyEnrolled { passkey, .. } => {
            details["passkey_id"] = json!(passkey.passkey_id);
            details["backed_up"] = json!(passkey.backed_up);
            "user.passkey_enrolled"
        }
        UserEvent::PasskeyRenamed { passkey_id, .. } => {
            details["passkey_id"] = json!(passkey_id);
            "user.passkey_renamed"
        }
        UserEvent::PasskeyUsed { passkey_id, sign_count, backed_up, .. } => {
            details["passkey_id"] = json!(passkey_id);
            details["sign_count"] = json!(sign_count);
            details["backed_up"] = json!(backed_up);
            "user.passkey_used"
        }
        UserEvent::PasskeyCounterWentBack { passkey_id, sign_count, .. } => {
            details["passkey_id"] = json!(passkey_id);
            details["sign_count"] = json!(sign_count);
            "user.passkey_counter_went_back"
        }
        UserEvent::PasskeyRemoved { passkey_id, by_themselves, .. } => {
            details["passkey_id"] = json!(passkey_id);
            details["by_themselves"] = json!(by_themselves);
            "user.passkey_removed"
        }
        UserEvent::RecoveryCodesMade { codes, .. } => {
            details["count"] = codes.len().to_string().into();
            "user.recovery_codes_made"
        }
        UserEvent::RecoveryCodeUsed { .. } => "user.recovery_code_used",
        UserEvent::EmailVerified { .. } => "user.email_verified",
        UserEvent::Mailed { mail: MailNotice { purpose, outcome, tries }, .. } => {
            details["purpose"] = json!(purpose);
            details["outcome"] = json!(outcome);
            details["tries"] = json!(tries);
            mailed(*purpose, *outcome)
        }
        UserEvent::Erased { .. } => "user.erased",
    };
    telling(key, details)
}

const fn mailed(purpose: MailPurpose, outcome: MailOutcome) -> &'static str {
    match (outcome, purpose) {
        (MailOutcome::GivenUp, _) => "user.not_mailed",
        (MailOutcome::Sent, MailPurpose::PasswordLink) => "user.mailed_password_link",
        (MailOutcome::Sent, MailPurpose::EmailCheck) => "user.mailed_email_check",
        (MailOutcome::Sent, MailPurpose::PasswordSet) => "user.mailed_password_set",
        (MailOutcome::Sent, MailPurpose::SecondFactorRemoved) => "user.mailed_second_factor_removed",
        (MailOutcome::Sent, MailPurpose::EmailChanged) => "user.mailed_email_changed",
    }
}
