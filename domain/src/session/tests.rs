//! The rules of a session.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{ClientId, aggregate::fold};

const NOW: Timestamp = Timestamp::from_unix(1_000);
const LATER: Timestamp = Timestamp::from_unix(2_000);

fn session() -> TestFramework<Session> {
    TestFramework::with(())
}

fn sign_in(user: u128, cookie: &str) -> SignIn {
    SignIn {
        user_id: UserId::new(Uuid::from_u128(user)),
        cookie: Digest::of(cookie.as_bytes()),
        auth_time: NOW,
        amr: vec!["pwd".to_owned()],
        acr: None,
        expires_at: LATER,
    }
}

fn started() -> SessionEvent {
    SessionEvent::Started { sign_in: sign_in(1, "a"), browser: None, at: NOW }
}

fn start() -> SessionCommand {
    SessionCommand::Start { sign_in: sign_in(1, "a"), browser: None, at: NOW }
}

fn reauthenticate(user: u128) -> SessionCommand {
    SessionCommand::Reauthenticate { sign_in: sign_in(user, "b"), at: NOW }
}

fn end() -> SessionCommand {
    SessionCommand::End { reason: SessionEnd::SignedOut, at: NOW }
}

fn ended() -> SessionEvent {
    SessionEvent::Ended { reason: SessionEnd::SignedOut, at: NOW }
}

#[test]
fn a_session_starts() {
    session().given_no_previous_events().when(start()).then_expect_events(vec![started()]);
    assert_eq!(fold::<Session>([started()]), Session::Started(sign_in(1, "a")));
}

#[test]
fn a_session_starts_once() {
    session().given(vec![started()]).when(start()).then_expect_error(SessionError::Exists);
    session().given(vec![started(), ended()]).when(start()).then_expect_error(SessionError::Exists);
}

#[test]
fn the_same_user_signs_in_again_with_a_new_cookie() {
    let again = SessionEvent::Reauthenticated { sign_in: sign_in(1, "b"), at: NOW };
    session().given(vec![started()]).when(reauthenticate(1)).then_expect_events(vec![again.clone()]);
    assert_eq!(fold::<Session>([started(), again]), Session::Started(sign_in(1, "b")));
}

#[test]
fn another_user_does_not_take_a_session_over() {
    session().given(vec![started()]).when(reauthenticate(2)).then_expect_error(SessionError::OtherUser);
}

#[test]
fn an_ended_session_is_not_signed_in_to_again() {
    session().given(vec![started(), ended()]).when(reauthenticate(1)).then_expect_error(SessionError::Ended);
}

#[test]
fn a_session_ends() {
    session().given(vec![started()]).when(end()).then_expect_events(vec![ended()]);
}

#[test]
fn a_session_ends_once() {
    session().given(vec![started(), ended()]).when(end()).then_expect_events(vec![]);
}

#[test]
fn what_came_of_telling_a_client_is_recorded_of_an_ended_session_and_of_one_whose_user_was_locked() {
    let notice = LogoutNotice {
        client_id: ClientId::new(Uuid::from_u128(5)),
        outcome: NoticeOutcome::Acknowledged,
        tries: 2,
        status: Some(200),
    };
    let record = || SessionCommand::RecordNotice { notice: notice.clone(), at: NOW };
    let recorded = SessionEvent::ClientNotified { notice: notice.clone(), at: NOW };
    session().given(vec![started(), ended()]).when(record()).then_expect_events(vec![recorded.clone()]);
    session().given(vec![started()]).when(record()).then_expect_events(vec![recorded.clone()]);
    session().given_no_previous_events().when(record()).then_expect_error(SessionError::Unknown);
    assert_eq!(fold::<Session>([started(), recorded]), Session::Started(sign_in(1, "a")));
}

#[test]
fn an_unknown_session_neither_goes_on_nor_ends() {
    session().given_no_previous_events().when(reauthenticate(1)).then_expect_error(SessionError::Unknown);
    session().given_no_previous_events().when(end()).then_expect_error(SessionError::Unknown);
}
