//! Refreshing (RFC 6749 section 6, RFC 9700 section 4.14).

use super::*;

const RETRIES: u32 = 3;

fn token(generation: u32) -> RotatedRefresh {
    RotatedRefresh { digest: digest(&format!("refresh {generation}")), generation, retry_grace: GRACE }
}

/// The client presents the token of this generation, so many seconds after the approval.
fn request(generation: u32, seconds: u32) -> Refresh {
    Refresh {
        client_id: CLIENT,
        presented: token(generation),
        confirmation: None,
        standing: true,
        authentication: BASIC,
        scope: scope("read"),
        access: access(seconds),
        successor: Some(refresh_token(generation + 1, seconds)),
        idle_until: after(seconds + IDLE_LIFETIME),
        retries: RETRIES,
        at: after(seconds),
    }
}

fn refresh(request: Refresh) -> GrantCommand {
    GrantCommand::Refresh(Box::new(request))
}

/// The token of this generation gave way to the next.
fn refreshed(generation: u32, seconds: u32) -> GrantEvent {
    GrantEvent::Refreshed {
        predecessor: digest(&format!("refresh {generation}")),
        access: access(seconds),
        refresh: refresh_token(generation + 1, seconds),
        authentication: BASIC,
        at: after(seconds),
    }
}

fn retried(generation: u32, seconds: u32) -> GrantEvent {
    GrantEvent::RefreshRetried { generation, at: after(seconds) }
}

fn replayed(generation: u32, seconds: u32) -> Vec<GrantEvent> {
    let replayed = GrantEvent::RefreshReplayed { generation, at: after(seconds) };
    vec![replayed, revoked(RevocationReason::RefreshReplayed, seconds)]
}

/// Rotated at 100 seconds, and once more at 200.
fn rotated_twice() -> Vec<GrantEvent> {
    [live(), vec![refreshed(1, 100), refreshed(2, 200)]].concat()
}

fn access_token_refreshed(seconds: u32) -> GrantEvent {
    let refresh = Some(LivesOn { digest: digest("refresh 1"), expires_at: after(seconds + IDLE_LIFETIME) });
    GrantEvent::AccessTokenRefreshed { access: access(seconds), refresh, authentication: BASIC, at: after(seconds) }
}

#[test]
fn a_refresh_token_is_rotated() {
    grant().given(live()).when(refresh(request(1, 100))).then_expect_events(vec![refreshed(1, 100)]);
}

#[test]
fn the_successor_is_rotated_in_its_turn() {
    grant().given(rotated_twice()).when(refresh(request(3, 300))).then_expect_events(vec![refreshed(3, 300)]);
}

#[test]
fn a_policy_without_rotation_keeps_the_refresh_token() {
    let request = Refresh { successor: None, ..request(1, 100) };
    grant().given(live()).when(refresh(request)).then_expect_events(vec![access_token_refreshed(100)]);
}

#[test]
fn a_kept_refresh_token_works_again() {
    let past = [live(), vec![access_token_refreshed(100)]].concat();
    grant().given(past).when(refresh(request(1, 200))).then_expect_events(vec![refreshed(1, 200)]);
}

#[test]
fn a_kept_refresh_token_begins_its_idle_lifetime_anew() {
    let past = [live(), vec![access_token_refreshed(100)]].concat();
    let late = IDLE_LIFETIME + 50;
    let request = Refresh { successor: None, ..request(1, late) };
    grant().given(past).when(refresh(request.clone())).then_expect_events(vec![access_token_refreshed(late)]);
    grant().given(live()).when(refresh(request)).then_expect_error(GrantError::RefreshExpired);
}

#[test]
fn a_refresh_token_that_is_bound_to_a_key_is_for_its_holder_alone() {
    let key = |name: &str| Some(Confirmation::KeyThumbprint(name.to_owned()));
    let bound = RefreshToken { confirmation: key("a"), ..refresh_token(1, 10) };
    let past =
        vec![approved(), redeemed(10), GrantEvent::TokensIssued { access: access(10), refresh: Some(bound), at: after(10) }];
    for other in [key("b"), None] {
        let request = Refresh { confirmation: other, ..request(1, 100) };
        grant().given(past.clone()).when(refresh(request)).then_expect_error(GrantError::OtherKey);
    }
    let request = Refresh { confirmation: key("a"), ..request(1, 100) };
    grant().given(past).when(refresh(request)).then_expect_events(vec![refreshed(1, 100)]);
}

#[test]
fn a_lost_answer_can_be_asked_for_again() {
    let past = [live(), vec![refreshed(1, 100)]].concat();
    grant().given(past).when(refresh(request(1, 100 + GRACE - 1))).then_expect_events(vec![retried(1, 100 + GRACE - 1)]);
}

#[test]
fn retries_are_bounded() {
    let past = [live(), vec![refreshed(1, 100), retried(1, 101), retried(1, 102)]].concat();
    grant().given(past.clone()).when(refresh(request(1, 103))).then_expect_events(vec![retried(1, 103)]);
    let past = [past, vec![retried(1, 103)]].concat();
    grant().given(past).when(refresh(request(1, 104))).then_expect_error(GrantError::TooManyRetries);
}

#[test]
fn retries_are_counted_for_each_rotation_anew() {
    let past = [live(), vec![refreshed(1, 100), retried(1, 101), retried(1, 102), retried(1, 103), refreshed(2, 110)]].concat();
    grant().given(past).when(refresh(request(2, 111))).then_expect_events(vec![retried(2, 111)]);
}

#[test]
fn a_retry_is_bound_by_what_a_refresh_is_bound_by() {
    let past = [live(), vec![refreshed(1, 100)]].concat();
    let cut_off = Refresh { standing: false, ..request(1, 101) };
    grant().given(past.clone()).when(refresh(cut_off)).then_expect_error(GrantError::CutOff);
    let wide = Refresh { access: AccessToken { scope: scope("admin"), ..access(101) }, ..request(1, 101) };
    grant().given(past).when(refresh(wide)).then_expect_error(GrantError::ScopeTooWide);
}

#[test]
fn a_predecessor_after_the_grace_time_revokes_the_whole_grant() {
    let past = [live(), vec![refreshed(1, 100)]].concat();
    grant().given(past).when(refresh(request(1, 100 + GRACE))).then_expect_events(replayed(1, 100 + GRACE));
}

#[test]
fn a_predecessor_without_a_grace_time_revokes_the_whole_grant() {
    let past = [live(), vec![refreshed(1, 100)]].concat();
    let request = Refresh { presented: RotatedRefresh { retry_grace: 0, ..token(1) }, ..request(1, 100) };
    grant().given(past).when(refresh(request)).then_expect_events(replayed(1, 100));
}

#[test]
fn a_predecessor_whose_successor_was_used_revokes_the_whole_grant() {
    let past = [live(), vec![refreshed(1, 100), refreshed(2, 101)]].concat();
    grant().given(past).when(refresh(request(1, 102))).then_expect_events(replayed(1, 102));
}

#[test]
fn a_predecessor_whose_successor_was_used_without_rotation_revokes_the_whole_grant() {
    let past = [live(), vec![refreshed(1, 100), access_token_refreshed(101)]].concat();
    grant().given(past).when(refresh(request(1, 102))).then_expect_events(replayed(1, 102));
}

#[test]
fn any_older_token_of_the_family_revokes_the_whole_grant() {
    let past: Vec<_> = live().into_iter().chain((1..20).map(|generation| refreshed(generation, 100))).collect();
    for generation in 1..19 {
        grant().given(past.clone()).when(refresh(request(generation, 101))).then_expect_events(replayed(generation, 101));
    }
}

#[test]
fn theft_is_remembered_whatever_else_is_wrong() {
    let request = Refresh { standing: false, successor: None, ..request(1, 300) };
    grant().given(rotated_twice()).when(refresh(request)).then_expect_events(replayed(1, 300));
}

#[test]
fn nothing_is_refreshed_after_a_replay() {
    let past = [rotated_twice(), replayed(1, 300)].concat();
    for generation in 1..=3 {
        grant().given(past.clone()).when(refresh(request(generation, 301))).then_expect_error(GrantError::Revoked);
    }
}

#[test]
fn another_clients_attempt_changes_nothing() {
    for generation in 1..=4 {
        let request = Refresh { client_id: OTHER_CLIENT, standing: false, ..request(generation, 300) };
        grant().given(rotated_twice()).when(refresh(request)).then_expect_error(GrantError::OtherClient);
    }
}

#[test]
fn another_client_is_told_nothing_about_a_revoked_grant() {
    let past = [live(), vec![revoked(RevocationReason::RevokedByClient, 20)]].concat();
    let request = Refresh { client_id: OTHER_CLIENT, ..request(1, 30) };
    grant().given(past).when(refresh(request)).then_expect_error(GrantError::OtherClient);
}

#[test]
fn a_token_that_was_not_issued_here_changes_nothing() {
    let later = request(4, 300);
    let invented = Refresh { presented: RotatedRefresh { digest: digest("invented"), ..token(3) }, ..request(3, 300) };
    for request in [later, invented] {
        grant().given(rotated_twice()).when(refresh(request)).then_expect_error(GrantError::NotIssuedHere);
    }
}

#[test]
fn a_grant_without_a_refresh_token_is_not_refreshed() {
    let issued = GrantEvent::TokensIssued { access: access(10), refresh: None, at: after(10) };
    for past in [vec![approved()], vec![approved(), redeemed(10), issued], vec![issued_to_client()]] {
        grant().given(past).when(refresh(request(1, 100))).then_expect_error(GrantError::NotIssuedHere);
    }
    grant().given_no_previous_events().when(refresh(request(1, 100))).then_expect_error(GrantError::Unknown);
}

#[test]
fn a_refresh_token_is_dead_when_its_client_user_session_or_consent_was_cut_off() {
    let request = Refresh { standing: false, ..request(1, 100) };
    grant().given(live()).when(refresh(request)).then_expect_error(GrantError::CutOff);
}

#[test]
fn an_unused_refresh_token_expires() {
    assert!(grant().given(live()).when(refresh(request(1, 10 + IDLE_LIFETIME - 1))).inspect_result().is_ok());
    grant().given(live()).when(refresh(request(1, 10 + IDLE_LIFETIME))).then_expect_error(GrantError::RefreshExpired);
}

#[test]
fn the_family_ends_whatever_was_refreshed() {
    let used_all_along = (1..10).map(|generation| refreshed(generation, generation * 540));
    let past: Vec<_> = live().into_iter().chain(used_all_along).collect();
    for generation in [1, 9, 10] {
        let late = request(generation, FAMILY_LIFETIME);
        grant().given(past.clone()).when(refresh(late)).then_expect_error(GrantError::RefreshExpired);
    }
}

#[test]
fn a_successor_never_outlives_the_family() {
    let past = [live(), vec![refreshed(1, 1_000), refreshed(2, 2_000), refreshed(3, 3_000), refreshed(4, 3_900)]].concat();
    let events = grant().given(past).when(refresh(request(5, 4_500))).inspect_result().expect("events");
    let expires_at = match events.as_slice() {
        [GrantEvent::Refreshed { refresh, .. }] => refresh.expires_at,
        other => panic!("{other:?}"),
    };
    assert_eq!(expires_at, after(FAMILY_LIFETIME));
}

#[test]
fn the_scope_never_widens() {
    let wide = Refresh { access: AccessToken { scope: scope("read admin"), ..access(100) }, ..request(1, 100) };
    grant().given(live()).when(refresh(wide)).then_expect_error(GrantError::ScopeTooWide);
}

#[test]
fn no_more_is_asked_for_than_was_granted_whatever_of_it_the_token_has() {
    let wide = Refresh { scope: scope("read admin"), ..request(1, 100) };
    grant().given(live()).when(refresh(wide)).then_expect_error(GrantError::ScopeTooWide);
}

#[test]
fn a_narrowed_scope_is_the_access_tokens_alone() {
    let all = Refresh { access: AccessToken { scope: scope("write read"), ..access(200) }, ..request(2, 200) };
    let past = [live(), vec![refreshed(1, 100)]].concat();
    assert!(grant().given(past).when(refresh(all)).inspect_result().is_ok());
}

#[test]
fn the_successor_is_of_the_next_generation() {
    let request = Refresh { successor: Some(refresh_token(3, 100)), ..request(1, 100) };
    grant().given(live()).when(refresh(request)).then_expect_error(GrantError::NotTheNext);
}

#[test]
fn the_state_does_not_grow_with_rotations() {
    let length = |rotations: u32| {
        let rotated = (1..=rotations).map(|generation| refreshed(generation + 10_000, 100));
        let state: Grant = fold(live().into_iter().chain(rotated));
        serde_json::to_string(&state).expect("written").len()
    };
    assert_eq!(length(2), length(2_000));
}

fn end_if_replayed(client_id: ClientId, generation: u32, seconds: u32) -> GrantCommand {
    GrantCommand::EndIfReplayed { client_id, presented: GoodOnce::RefreshToken(token(generation)), at: after(seconds) }
}

#[test]
fn a_replay_ends_the_family_though_nothing_else_of_the_request_is_right() {
    grant().given(rotated_twice()).when(end_if_replayed(CLIENT, 1, 300)).then_expect_events(replayed(1, 300));
    // The current one, and one whose answer may have been lost, are as good as before.
    for (generation, seconds) in [(3, 300), (2, 200 + GRACE - 1)] {
        grant().given(rotated_twice()).when(end_if_replayed(CLIENT, generation, seconds)).then_expect_events(vec![]);
    }
    grant().given(rotated_twice()).when(end_if_replayed(OTHER_CLIENT, 1, 300)).then_expect_error(GrantError::OtherClient);
}
