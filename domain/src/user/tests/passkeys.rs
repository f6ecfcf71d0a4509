//! The rules of a user's passkeys.

use uuid::Uuid;

use super::{NOW, careful, code, codes, created, enrol as enrol_authenticator, enrolled as authenticator_enrolled, user};
use crate::{
    PasskeyId, Sealed,
    aggregate::fold,
    session::ContextClass,
    user::{NewPasskey, User, UserCommand, UserError, UserEvent},
};

pub(super) fn id(number: u128) -> PasskeyId {
    PasskeyId::new(Uuid::from_u128(number))
}

fn sealed(text: &str) -> Sealed {
    Sealed::new(text.to_owned())
}

fn passkey(number: u128, sign_count: u32) -> NewPasskey {
    NewPasskey { passkey_id: id(number), credential: sealed("key"), name: sealed("name"), sign_count, backed_up: false }
}

pub(super) fn enrol(number: u128) -> UserCommand {
    UserCommand::EnrolPasskey { passkey: passkey(number, 0), recovery_codes: codes(), at: NOW }
}

/// A use of a passkey that does not count.
pub(super) fn used_for(number: u128) -> UserCommand {
    use_it(number, 0)
}

fn use_it(number: u128, sign_count: u32) -> UserCommand {
    UserCommand::UsePasskey { passkey_id: id(number), sign_count, backed_up: true, at: NOW }
}

fn enrolled(number: u128) -> UserEvent {
    UserEvent::PasskeyEnrolled { passkey: passkey(number, 0), at: NOW }
}

fn used(number: u128, sign_count: u32) -> UserEvent {
    UserEvent::PasskeyUsed { passkey_id: id(number), sign_count, backed_up: true, at: NOW }
}

fn removed(number: u128) -> UserEvent {
    UserEvent::PasskeyRemoved { passkey_id: id(number), by_themselves: true, at: NOW }
}

fn remove(number: u128) -> UserCommand {
    UserCommand::RemovePasskey { passkey_id: id(number), by_themselves: true, at: NOW }
}

fn codes_made() -> UserEvent {
    UserEvent::RecoveryCodesMade { codes: codes(), at: NOW }
}

/// A user with one passkey and nothing else.
fn holder() -> Vec<UserEvent> {
    vec![created(), enrolled(1), codes_made()]
}

#[test]
fn the_first_second_factor_comes_with_recovery_codes_whichever_it_is() {
    user().given(vec![created()]).when(enrol(1)).then_expect_events(vec![enrolled(1), codes_made()]);
    user().given(holder()).when(enrol(2)).then_expect_events(vec![enrolled(2)]);
    user().given(careful()).when(enrol(1)).then_expect_events(vec![enrolled(1)]);
    user().given(holder()).when(enrol_authenticator()).then_expect_events(vec![UserEvent::AuthenticatorEnrolled { at: NOW }]);
}

#[test]
fn with_a_passkey_a_password_alone_is_not_enough() {
    let factors = fold::<User>(holder()).second_factors();
    assert!(!factors.are_none() && !factors.authenticator);
    assert_eq!(factors.context(), ContextClass::TwoFactors);
    let new_codes = UserCommand::MakeRecoveryCodes { recovery_codes: codes(), at: NOW };
    user().given(holder()).when(new_codes).then_expect_events(vec![codes_made()]);
    let use_code = UserCommand::UseRecoveryCode { code: code("a"), at: NOW };
    user().given(holder()).when(use_code).then_expect_events(vec![UserEvent::RecoveryCodeUsed { code: code("a"), at: NOW }]);
}

#[test]
fn a_passkey_is_used_as_often_as_it_counts_on() {
    user().given(holder()).when(use_it(1, 5)).then_expect_events(vec![used(1, 5)]);
    let then = [holder(), vec![used(1, 5)]].concat();
    user().given(then.clone()).when(use_it(1, 6)).then_expect_events(vec![used(1, 6)]);
    let passkey = fold::<User>(then).second_factors().passkey(id(1)).expect("it is there").clone();
    assert_eq!((passkey.sign_count, passkey.backed_up, passkey.last_used_at, passkey.went_back_at), (5, true, Some(NOW), None));
}

#[test]
fn a_passkey_that_never_counted_need_not_begin() {
    user().given([holder(), vec![used(1, 0)]].concat()).when(use_it(1, 0)).then_expect_events(vec![used(1, 0)]);
}

#[test]
fn a_passkey_that_does_not_count_on_is_refused_and_that_is_remembered() {
    let given = [holder(), vec![used(1, 5)]].concat();
    for sign_count in [5, 4, 0] {
        let went_back = UserEvent::PasskeyCounterWentBack { passkey_id: id(1), sign_count, at: NOW };
        user().given(given.clone()).when(use_it(1, sign_count)).then_expect_events(vec![went_back.clone()]);
        let passkey =
            fold::<User>([given.clone(), vec![went_back]].concat()).second_factors().passkey(id(1)).expect("it is there").clone();
        assert_eq!((passkey.sign_count, passkey.went_back_at), (5, Some(NOW)));
    }
}

#[test]
fn what_is_no_passkey_of_the_user_is_refused() {
    let rename = UserCommand::RenamePasskey { passkey_id: id(2), name: sealed("other"), at: NOW };
    for command in [use_it(2, 1), remove(2), rename] {
        user().given(holder()).when(command).then_expect_error(UserError::UnknownPasskey);
    }
    user()
        .given([holder(), vec![enrolled(2), removed(1)]].concat())
        .when(use_it(1, 9))
        .then_expect_error(UserError::UnknownPasskey);
}

#[test]
fn a_passkey_is_renamed() {
    let rename = UserCommand::RenamePasskey { passkey_id: id(1), name: sealed("other"), at: NOW };
    let renamed = UserEvent::PasskeyRenamed { passkey_id: id(1), name: sealed("other"), at: NOW };
    user().given(holder()).when(rename).then_expect_events(vec![renamed.clone()]);
    let factors = fold::<User>([holder(), vec![renamed]].concat()).second_factors();
    assert_eq!(factors.passkey(id(1)).map(|passkey| passkey.name.clone()), Ok(sealed("other")));
}

#[test]
fn with_the_last_second_factor_go_the_recovery_codes() {
    user().given(holder()).when(remove(1)).then_expect_events(vec![removed(1)]);
    assert!(fold::<User>([holder(), vec![removed(1)]].concat()).second_factors().recovery_codes.is_empty());
    let both = || [holder(), vec![enrolled(2)]].concat();
    assert_eq!(fold::<User>([both(), vec![removed(1)]].concat()).second_factors().recovery_codes, codes());
    let authenticator_removed = UserEvent::AuthenticatorRemoved { by_themselves: true, at: NOW };
    let mixed = [vec![created()], authenticator_enrolled(), vec![enrolled(1), authenticator_removed]].concat();
    let factors = fold::<User>(mixed).second_factors();
    assert!(!factors.authenticator && factors.recovery_codes == codes());
}

#[test]
fn all_second_factors_are_removed_at_once() {
    let remove = UserCommand::RemoveSecondFactors { by_themselves: false, at: NOW };
    let events = vec![
        UserEvent::AuthenticatorRemoved { by_themselves: false, at: NOW },
        UserEvent::PasskeyRemoved { passkey_id: id(1), by_themselves: false, at: NOW },
        UserEvent::PasskeyRemoved { passkey_id: id(2), by_themselves: false, at: NOW },
    ];
    let given = [careful(), vec![enrolled(1), enrolled(2)]].concat();
    user().given(given.clone()).when(remove.clone()).then_expect_events(events.clone());
    assert!(fold::<User>([given, events].concat()).second_factors().are_none());
    user().given(vec![created()]).when(remove).then_expect_events(vec![]);
}

#[test]
fn nobody_has_more_than_twenty_passkeys() {
    let many = (1..=20).map(enrolled);
    user().given([created()].into_iter().chain(many).collect()).when(enrol(21)).then_expect_error(UserError::TooManyPasskeys);
}
