//! The rules of an invitation.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{ClientId, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);
const END: Timestamp = Timestamp::from_unix(2_000);
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(3));

fn invitation() -> TestFramework<Invitation> {
    TestFramework::with(())
}

fn token() -> Digest {
    Digest::of(b"token")
}

fn make(uses: u32) -> InvitationCommand {
    InvitationCommand::Make { digest: token(), uses, expires_at: END, at: NOW }
}

fn made(uses: u32) -> InvitationEvent {
    InvitationEvent::Made { digest: token(), uses, expires_at: END, at: NOW }
}

fn use_at(at: Timestamp) -> InvitationCommand {
    InvitationCommand::Use { presented: token(), client_id: CLIENT, at }
}

fn used(uses_left: u32) -> InvitationEvent {
    InvitationEvent::Used { client_id: CLIENT, uses_left, at: NOW }
}

fn withdrawn() -> InvitationEvent {
    InvitationEvent::Withdrawn { at: NOW }
}

#[test]
fn an_invitation_is_made_once_and_for_something() {
    invitation().given_no_previous_events().when(make(2)).then_expect_events(vec![made(2)]);
    invitation().given_no_previous_events().when(make(0)).then_expect_error(InvitationError::NoUses);
    for past in [vec![made(2)], vec![made(1), used(0)], vec![made(1), withdrawn()]] {
        invitation().given(past).when(make(1)).then_expect_error(InvitationError::Exists);
    }
}

#[test]
fn an_invitation_is_used_so_often_and_no_more() {
    invitation().given(vec![made(2)]).when(use_at(NOW)).then_expect_events(vec![used(1)]);
    invitation().given(vec![made(2), used(1)]).when(use_at(NOW)).then_expect_events(vec![used(0)]);
    invitation().given(vec![made(2), used(1), used(0)]).when(use_at(NOW)).then_expect_error(InvitationError::UsedUp);
    assert_eq!(fold::<Invitation>([made(2), used(1), used(0)]), Invitation::UsedUp);
}

#[test]
fn an_invitation_is_used_until_it_expires() {
    let last = Timestamp::from_unix(1_999);
    let used = InvitationEvent::Used { client_id: CLIENT, uses_left: 0, at: last };
    invitation().given(vec![made(1)]).when(use_at(last)).then_expect_events(vec![used]);
    invitation().given(vec![made(1)]).when(use_at(END)).then_expect_error(InvitationError::Expired);
}

#[test]
fn another_token_is_no_invitation() {
    let command = InvitationCommand::Use { presented: Digest::of(b"other"), client_id: CLIENT, at: NOW };
    invitation().given(vec![made(1)]).when(command).then_expect_error(InvitationError::Unknown);
    invitation().given_no_previous_events().when(use_at(NOW)).then_expect_error(InvitationError::Unknown);
}

#[test]
fn a_withdrawn_invitation_is_good_for_nothing() {
    let withdraw = InvitationCommand::Withdraw { at: NOW };
    invitation().given(vec![made(1)]).when(withdraw.clone()).then_expect_events(vec![withdrawn()]);
    invitation().given(vec![made(1), withdrawn()]).when(use_at(NOW)).then_expect_error(InvitationError::Withdrawn);
    for past in [vec![made(1), withdrawn()], vec![made(1), used(0)]] {
        invitation().given(past).when(withdraw.clone()).then_expect_events(vec![]);
    }
    invitation().given_no_previous_events().when(withdraw).then_expect_error(InvitationError::Unknown);
}
