//! The rules of a device authorization.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{ConsentId, GrantId, SessionId, aggregate::fold};

const START: Timestamp = Timestamp::from_unix(1_000);
const END: Timestamp = Timestamp::from_unix(1_600);
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(1));
const OTHER_CLIENT: ClientId = ClientId::new(Uuid::from_u128(2));
const USER: UserId = UserId::new(Uuid::from_u128(3));
const SESSION: SessionId = SessionId::new(Uuid::from_u128(4));
const GRANT: GrantId = GrantId::new(Uuid::from_u128(5));

fn device() -> TestFramework<DeviceAuthorization> {
    TestFramework::with(())
}

fn after(seconds: u32) -> Timestamp {
    START.plus(seconds)
}

fn request() -> DeviceRequest {
    DeviceRequest {
        client_id: CLIENT,
        scope: "read".parse().expect("a scope"),
        resources: vec!["https://api.example/".to_owned()],
        device_code: Digest::of(b"device code"),
        expires_at: END,
        at: START,
    }
}

fn approval(seconds: u32) -> DeviceApproval {
    DeviceApproval {
        client_id: CLIENT,
        user_id: USER,
        session_id: SESSION,
        session_ends_at: after(100_000),
        consent_id: ConsentId::new(Uuid::from_u128(6)),
        auth_time: START,
        acr: Some("urn:grantlog:acr:1fa".to_owned()),
        amr: vec!["pwd".to_owned()],
        pos: 7,
        at: after(seconds),
    }
}

fn ask() -> DeviceAuthorizationCommand {
    DeviceAuthorizationCommand::Request(Box::new(request()))
}

fn approve(seconds: u32) -> DeviceAuthorizationCommand {
    DeviceAuthorizationCommand::Approve(Box::new(approval(seconds)))
}

fn deny(seconds: u32) -> DeviceAuthorizationCommand {
    DeviceAuthorizationCommand::Deny { user_id: USER, session_id: SESSION, at: after(seconds) }
}

fn presented(seconds: u32) -> RedeemDeviceCode {
    RedeemDeviceCode {
        client_id: CLIENT,
        device_code: Digest::of(b"device code"),
        standing: true,
        grant_id: GRANT,
        at: after(seconds),
    }
}

fn redeem(presented: RedeemDeviceCode) -> DeviceAuthorizationCommand {
    DeviceAuthorizationCommand::Redeem(presented)
}

fn requested() -> DeviceAuthorizationEvent {
    DeviceAuthorizationEvent::Requested(Box::new(request()))
}

fn approved() -> DeviceAuthorizationEvent {
    DeviceAuthorizationEvent::Approved(Box::new(approval(30)))
}

fn denied() -> DeviceAuthorizationEvent {
    DeviceAuthorizationEvent::Denied { user_id: USER, session_id: SESSION, at: after(30) }
}

fn redeemed(seconds: u32) -> DeviceAuthorizationEvent {
    DeviceAuthorizationEvent::Redeemed { grant_id: GRANT, at: after(seconds) }
}

/// Every way in which it can have been decided.
fn decided() -> [Vec<DeviceAuthorizationEvent>; 3] {
    [vec![requested(), approved()], vec![requested(), denied()], vec![requested(), approved(), redeemed(40)]]
}

#[test]
fn a_device_asks_once() {
    device().given_no_previous_events().when(ask()).then_expect_events(vec![requested()]);
    device().given(vec![requested()]).when(ask()).then_expect_error(DeviceAuthorizationError::Exists);
    for past in decided() {
        device().given(past).when(ask()).then_expect_error(DeviceAuthorizationError::Exists);
    }
}

#[test]
fn a_user_lets_it_in_or_does_not_and_decides_once() {
    device().given(vec![requested()]).when(approve(30)).then_expect_events(vec![approved()]);
    device().given(vec![requested()]).when(deny(30)).then_expect_events(vec![denied()]);
    for past in decided() {
        for command in [approve(50), deny(50)] {
            device().given(past.clone()).when(command).then_expect_error(DeviceAuthorizationError::Decided);
        }
    }
    for command in [approve(30), deny(30)] {
        device().given_no_previous_events().when(command).then_expect_error(DeviceAuthorizationError::Unknown);
    }
}

#[test]
fn nobody_decides_after_its_end() {
    let last = DeviceAuthorizationEvent::Approved(Box::new(approval(599)));
    device().given(vec![requested()]).when(approve(599)).then_expect_events(vec![last]);
    for command in [approve(600), deny(600)] {
        device().given(vec![requested()]).when(command).then_expect_error(DeviceAuthorizationError::Expired);
    }
}

#[test]
fn it_is_approved_for_the_client_that_asked() {
    let other = DeviceApproval { client_id: OTHER_CLIENT, ..approval(30) };
    let approve = DeviceAuthorizationCommand::Approve(Box::new(other));
    device().given(vec![requested()]).when(approve).then_expect_error(DeviceAuthorizationError::OtherClient);
}

#[test]
fn a_device_code_is_redeemed_once_and_after_somebody_approved() {
    device().given(vec![requested()]).when(redeem(presented(5))).then_expect_error(DeviceAuthorizationError::Pending);
    device().given(vec![requested(), approved()]).when(redeem(presented(40))).then_expect_events(vec![redeemed(40)]);
    let used = vec![requested(), approved(), redeemed(40)];
    device().given(used).when(redeem(presented(45))).then_expect_error(DeviceAuthorizationError::Redeemed);
}

#[test]
fn what_was_denied_stays_denied() {
    for seconds in [40, 700] {
        let past = vec![requested(), denied()];
        device().given(past).when(redeem(presented(seconds))).then_expect_error(DeviceAuthorizationError::Denied);
    }
}

#[test]
fn a_device_code_lives_up_to_its_last_second() {
    let past = || vec![requested(), approved()];
    device().given(past()).when(redeem(presented(599))).then_expect_events(vec![redeemed(599)]);
    for past in [past(), vec![requested()]] {
        device().given(past).when(redeem(presented(600))).then_expect_error(DeviceAuthorizationError::Expired);
    }
}

#[test]
fn another_client_and_another_code_get_nothing_and_learn_nothing() {
    let by_another = || redeem(RedeemDeviceCode { client_id: OTHER_CLIENT, ..presented(40) });
    let another = || redeem(RedeemDeviceCode { device_code: Digest::of(b"invented"), ..presented(40) });
    for past in decided().into_iter().chain([vec![requested()]]) {
        device().given(past.clone()).when(by_another()).then_expect_error(DeviceAuthorizationError::OtherClient);
        device().given(past).when(another()).then_expect_error(DeviceAuthorizationError::NotIssuedHere);
    }
    device().given_no_previous_events().when(another()).then_expect_error(DeviceAuthorizationError::Unknown);
}

#[test]
fn an_approval_is_nothing_once_what_it_stands_on_has_ended() {
    let presented = RedeemDeviceCode { standing: false, ..presented(40) };
    device().given(vec![requested(), approved()]).when(redeem(presented)).then_expect_error(DeviceAuthorizationError::CutOff);
}

#[test]
fn the_state_is_stored_and_read_alike_and_tells_its_end() {
    for events in decided().into_iter().chain([vec![], vec![requested()]]) {
        let ends_at = (!events.is_empty()).then_some(END);
        let state: DeviceAuthorization = fold(events);
        assert_eq!(state.last_ends_at(), ends_at);
        let stored = serde_json::to_string(&state).expect("written");
        assert_eq!(serde_json::from_str::<DeviceAuthorization>(&stored).expect("read"), state);
    }
}

#[test]
fn it_is_known_who_decided() {
    assert_eq!(fold::<DeviceAuthorization>([requested()]).decided_by(), None);
    for past in decided() {
        assert_eq!(fold::<DeviceAuthorization>(past).decided_by(), Some(USER));
    }
}
