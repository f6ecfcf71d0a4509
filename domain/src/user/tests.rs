//! The rules of a user.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{Digest, Sealed, Timestamp, aggregate::fold};

mod passkeys;

const NOW: Timestamp = Timestamp::from_unix(1_000);

fn user() -> TestFramework<User> {
    TestFramework::with(())
}

fn name(text: &str) -> BlindIndex {
    BlindIndex::new(text.to_owned())
}

fn profile() -> Sealed {
    Sealed::new("sealed".to_owned())
}

fn created() -> UserEvent {
    UserEvent::Created {
        sign_in_name: name("a"),
        profile: profile(),
        verified_email: None,
        administrator: false,
        has_password: false,
        at: NOW,
    }
}

fn create() -> UserCommand {
    UserCommand::Create {
        sign_in_name: name("a"),
        profile: profile(),
        verified_email: None,
        administrator: false,
        has_password: false,
        at: NOW,
    }
}

fn erased() -> UserEvent {
    UserEvent::Erased { at: NOW }
}

fn code(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn codes() -> Vec<Digest> {
    vec![code("a"), code("b")]
}

fn enrol() -> UserCommand {
    UserCommand::EnrolAuthenticator { recovery_codes: codes(), at: NOW }
}

fn enrolled() -> Vec<UserEvent> {
    vec![UserEvent::AuthenticatorEnrolled { at: NOW }, UserEvent::RecoveryCodesMade { codes: codes(), at: NOW }]
}

/// A user with an authenticator application.
fn careful() -> Vec<UserEvent> {
    [vec![created()], enrolled()].concat()
}

/// Everything that can be asked of a user who is there, but for their erasure.
fn changes() -> Vec<UserCommand> {
    vec![
        update(None),
        UserCommand::SetPassword { by_themselves: true, proof: None, at: NOW },
        UserCommand::Lock { at: NOW },
        UserCommand::Unlock { at: NOW },
        UserCommand::SetAdministrator { administrator: true, at: NOW },
        UserCommand::BlockSignIns { until: NOW.plus(60), at: NOW },
        enrol(),
        UserCommand::RemoveAuthenticator { by_themselves: true, at: NOW },
        passkeys::enrol(1),
        UserCommand::RenamePasskey { passkey_id: passkeys::id(1), name: profile(), at: NOW },
        passkeys::used_for(1),
        UserCommand::RemovePasskey { passkey_id: passkeys::id(1), by_themselves: true, at: NOW },
        UserCommand::RemoveSecondFactors { by_themselves: true, at: NOW },
        UserCommand::MakeRecoveryCodes { recovery_codes: codes(), at: NOW },
        UserCommand::UseRecoveryCode { code: code("a"), at: NOW },
        verify("mail"),
        UserCommand::RecordMail { mail: SENT, at: NOW },
    ]
}

fn update(verified_email: Option<BlindIndex>) -> UserCommand {
    UserCommand::UpdateProfile { sign_in_name: name("b"), profile: profile(), verified_email, at: NOW }
}

fn updated(verified_email: Option<BlindIndex>) -> UserEvent {
    UserEvent::ProfileUpdated { sign_in_name: name("b"), profile: profile(), verified_email, at: NOW }
}

fn verify(address: &str) -> UserCommand {
    UserCommand::VerifyEmail { address: name(address), profile: profile(), at: NOW }
}

fn verified(address: &str) -> UserEvent {
    UserEvent::EmailVerified { address: name(address), profile: profile(), at: NOW }
}

const SENT: MailNotice = MailNotice { purpose: MailPurpose::PasswordLink, outcome: MailOutcome::Sent, tries: 1 };

#[test]
fn a_user_is_created() {
    user().given_no_previous_events().when(create()).then_expect_events(vec![created()]);
}

#[test]
fn a_user_is_created_once() {
    user().given(vec![created()]).when(create()).then_expect_error(UserError::Exists);
}

#[test]
fn an_erased_user_is_not_created_again() {
    user().given(vec![created(), erased()]).when(create()).then_expect_error(UserError::Erased);
}

#[test]
fn a_profile_is_updated() {
    user().given(vec![created()]).when(update(None)).then_expect_events(vec![updated(None)]);
    assert!(matches!(fold([created(), updated(None)]), User::Present { sign_in_name, .. } if sign_in_name == name("b")));
}

#[test]
fn an_address_is_verified_once() {
    user().given(vec![created()]).when(verify("mail")).then_expect_events(vec![verified("mail")]);
    user().given(vec![created(), verified("mail")]).when(verify("mail")).then_expect_events(vec![]);
    user().given(vec![created(), verified("mail")]).when(verify("other")).then_expect_events(vec![verified("other")]);
}

#[test]
fn a_changed_address_is_to_be_verified_again() {
    let past = vec![created(), verified("mail"), updated(None)];
    assert!(matches!(fold(past.clone()), User::Present { verified_email: None, .. }));
    user().given(past).when(verify("mail")).then_expect_events(vec![verified("mail")]);
    user().given(vec![created(), updated(Some(name("mail")))]).when(verify("mail")).then_expect_events(vec![]);
}

#[test]
fn what_came_of_each_mail_is_remembered_and_changes_nothing_else() {
    let mailed = UserEvent::Mailed { mail: SENT, at: NOW };
    let record = UserCommand::RecordMail { mail: SENT, at: NOW };
    user().given(vec![created(), mailed.clone()]).when(record).then_expect_events(vec![mailed.clone()]);
    assert_eq!(fold::<User>([created(), mailed]), fold::<User>([created()]));
}

#[test]
fn a_password_is_set() {
    let proof = Some(PasswordProof::MailedLink);
    let set = UserEvent::PasswordSet { by_themselves: true, proof, at: NOW };
    let command = UserCommand::SetPassword { by_themselves: true, proof, at: NOW };
    user().given(vec![created()]).when(command).then_expect_events(vec![set.clone()]);
    assert!(matches!(fold([created(), set]), User::Present { has_password: true, .. }));
}

#[test]
fn a_user_is_locked_and_unlocked() {
    let (locked, unlocked) = (UserEvent::Locked { at: NOW }, UserEvent::Unlocked { at: NOW });
    user().given(vec![created()]).when(UserCommand::Lock { at: NOW }).then_expect_events(vec![locked.clone()]);
    user().given(vec![created(), locked]).when(UserCommand::Unlock { at: NOW }).then_expect_events(vec![unlocked]);
}

#[test]
fn a_locked_user_is_not_locked_again_nor_an_unlocked_one_unlocked() {
    let locked = UserEvent::Locked { at: NOW };
    user().given(vec![created(), locked.clone()]).when(UserCommand::Lock { at: NOW }).then_expect_events(vec![]);
    user().given(vec![created()]).when(UserCommand::Unlock { at: NOW }).then_expect_events(vec![]);
    let past = vec![created(), locked, UserEvent::Unlocked { at: NOW }];
    user().given(past).when(UserCommand::Unlock { at: NOW }).then_expect_events(vec![]);
}

#[test]
fn an_administrator_is_made_and_unmade() {
    let set = |administrator| UserEvent::AdministratorSet { administrator, at: NOW };
    let command = |administrator| UserCommand::SetAdministrator { administrator, at: NOW };
    user().given(vec![created()]).when(command(true)).then_expect_events(vec![set(true)]);
    user().given(vec![created(), set(true)]).when(command(false)).then_expect_events(vec![set(false)]);
}

#[test]
fn an_administrator_is_not_made_one_again() {
    let set = UserEvent::AdministratorSet { administrator: true, at: NOW };
    let command = UserCommand::SetAdministrator { administrator: true, at: NOW };
    user().given(vec![created(), set]).when(command).then_expect_events(vec![]);
}

#[test]
fn too_many_failed_sign_ins_are_remembered() {
    let blocked = UserEvent::SignInsBlocked { until: NOW.plus(60), at: NOW };
    let block = UserCommand::BlockSignIns { until: NOW.plus(60), at: NOW };
    user().given(vec![created()]).when(block).then_expect_events(vec![blocked.clone()]);
    assert_eq!(fold::<User>([created(), blocked]), fold([created()]));
}

#[test]
fn a_user_is_erased() {
    user().given(vec![created()]).when(UserCommand::Erase { at: NOW }).then_expect_events(vec![erased()]);
    assert_eq!(fold::<User>([created(), erased()]), User::Erased);
}

#[test]
fn an_erased_user_is_not_erased_again() {
    user().given(vec![created(), erased()]).when(UserCommand::Erase { at: NOW }).then_expect_events(vec![]);
}

#[test]
fn an_erased_user_does_not_change() {
    for command in changes() {
        user().given(vec![created(), erased()]).when(command).then_expect_error(UserError::Erased);
    }
}

#[test]
fn an_unknown_user_cannot_change() {
    for command in changes().into_iter().chain([UserCommand::Erase { at: NOW }]) {
        user().given_no_previous_events().when(command).then_expect_error(UserError::Unknown);
    }
}

#[test]
fn an_authenticator_comes_with_recovery_codes() {
    user().given(vec![created()]).when(enrol()).then_expect_events(enrolled());
    let second_factors = fold::<User>(careful()).second_factors();
    assert_eq!(second_factors, SecondFactors { authenticator: true, passkeys: vec![], recovery_codes: codes() });
    user().given(careful()).when(enrol()).then_expect_error(UserError::HasAuthenticator);
}

#[test]
fn a_recovery_code_is_used_once() {
    let used = UserEvent::RecoveryCodeUsed { code: code("a"), at: NOW };
    let use_it = UserCommand::UseRecoveryCode { code: code("a"), at: NOW };
    user().given(careful()).when(use_it.clone()).then_expect_events(vec![used.clone()]);
    user().given([careful(), vec![used]].concat()).when(use_it.clone()).then_expect_error(UserError::UnknownRecoveryCode);
    user().given(vec![created()]).when(use_it).then_expect_error(UserError::UnknownRecoveryCode);
}

#[test]
fn new_recovery_codes_take_the_place_of_the_old_ones() {
    let new = UserEvent::RecoveryCodesMade { codes: vec![code("c")], at: NOW };
    let make = UserCommand::MakeRecoveryCodes { recovery_codes: vec![code("c")], at: NOW };
    user().given(careful()).when(make.clone()).then_expect_events(vec![new.clone()]);
    let then = || user().given([careful(), vec![new.clone()]].concat());
    then().when(UserCommand::UseRecoveryCode { code: code("a"), at: NOW }).then_expect_error(UserError::UnknownRecoveryCode);
    user().given(vec![created()]).when(make).then_expect_error(UserError::NoSecondFactor);
}

#[test]
fn with_the_authenticator_go_the_recovery_codes() {
    let remove = UserCommand::RemoveAuthenticator { by_themselves: true, at: NOW };
    let removed = UserEvent::AuthenticatorRemoved { by_themselves: true, at: NOW };
    user().given(careful()).when(remove.clone()).then_expect_events(vec![removed.clone()]);
    assert!(fold::<User>([careful(), vec![removed]].concat()).second_factors().are_none());
    user().given(vec![created()]).when(remove).then_expect_events(vec![]);
}

#[test]
fn a_state_of_before_there_were_second_factors_is_read() {
    let stored = serde_json::json!({"state": "present", "sign_in_name": "a", "administrator": false, "locked": false, "has_password": true});
    let user: User = serde_json::from_value(stored.clone()).expect("a state");
    assert!(user.second_factors().are_none());
    assert_eq!(serde_json::to_value(&user).expect("written"), stored);
}
