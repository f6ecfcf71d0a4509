//! Redeeming the code (RFC 6749 section 4.1.3, RFC 7636 section 4.6, RFC 9700 section 4.5).

use super::*;
use crate::pkce::CodeVerifier;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OTHER_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(super) fn request() -> Redeem {
    Redeem {
        client_id: CLIENT,
        code: digest("code"),
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        code_verifier: None,
        confirmation: None,
        standing: true,
        authentication: BASIC,
        access: access(10),
        refresh: Some(refresh_token(1, 10)),
        at: after(10),
    }
}

fn redeem(request: Redeem) -> GrantCommand {
    GrantCommand::Redeem(Box::new(request))
}

fn verifier(text: &str) -> Option<CodeVerifier> {
    Some(text.parse().expect("a verifier"))
}

fn approved_with_challenge() -> GrantEvent {
    let code_challenge = Some(CHALLENGE.parse().expect("a challenge"));
    GrantEvent::Approved(Box::new(Approved { code_challenge, ..approval() }))
}

fn replayed(seconds: u32) -> Vec<GrantEvent> {
    vec![GrantEvent::CodeReplayed { at: after(seconds) }, revoked(RevocationReason::CodeReplayed, seconds)]
}

#[test]
fn a_code_is_exchanged_for_tokens() {
    grant().given(vec![approved()]).when(redeem(request())).then_expect_events(vec![redeemed(10), tokens_issued(10)]);
}

#[test]
fn a_code_gives_no_refresh_token_to_a_client_that_is_not_registered_for_it() {
    let without = GrantEvent::TokensIssued { access: access(10), refresh: None, at: after(10) };
    let request = Redeem { refresh: None, ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_events(vec![redeemed(10), without]);
}

#[test]
fn a_code_that_is_bound_to_a_key_is_for_its_holder_alone() {
    let key = |name: &str| Some(Confirmation::KeyThumbprint(name.to_owned()));
    let bound = GrantEvent::Approved(Box::new(Approved { confirmation: key("a"), ..approval() }));
    for other in [key("b"), None] {
        let request = Redeem { confirmation: other, ..request() };
        grant().given(vec![bound.clone()]).when(redeem(request)).then_expect_error(GrantError::OtherKey);
    }
    let request = Redeem { confirmation: key("a"), ..request() };
    grant().given(vec![bound]).when(redeem(request)).then_expect_events(vec![redeemed(10), tokens_issued(10)]);
}

#[test]
fn a_replayed_code_revokes_the_whole_grant() {
    grant().given(live()).when(redeem(Redeem { at: after(20), ..request() })).then_expect_events(replayed(20));
}

#[test]
fn a_code_replayed_after_its_time_revokes_all_the_same() {
    let request = Redeem { at: after(CODE_LIFETIME + 100), standing: false, redirect_uri: None, ..request() };
    grant().given(live()).when(redeem(request)).then_expect_events(replayed(CODE_LIFETIME + 100));
}

#[test]
fn a_replay_ends_the_family_though_nothing_else_of_the_request_is_right() {
    let end_if_replayed =
        |client_id, code| GrantCommand::EndIfReplayed { client_id, presented: GoodOnce::Code(digest(code)), at: after(20) };
    grant().given(live()).when(end_if_replayed(CLIENT, "code")).then_expect_events(replayed(20));
    grant().given(live()).when(end_if_replayed(CLIENT, "another")).then_expect_events(vec![]);
    grant().given(vec![approved()]).when(end_if_replayed(CLIENT, "code")).then_expect_events(vec![]);
    grant().given(live()).when(end_if_replayed(OTHER_CLIENT, "code")).then_expect_error(GrantError::OtherClient);
}

#[test]
fn a_replayed_code_gives_nothing_after_the_revocation() {
    grant().given([live(), replayed(20)].concat()).when(redeem(request())).then_expect_error(GrantError::Revoked);
}

#[test]
fn a_code_of_a_revoked_grant_gives_nothing() {
    let past = vec![approved(), revoked(RevocationReason::RevokedByOperator, 5)];
    grant().given(past).when(redeem(request())).then_expect_error(GrantError::Revoked);
}

#[test]
fn another_clients_attempt_changes_nothing() {
    let revoked = [live(), replayed(20)].concat();
    for past in [vec![approved()], live(), revoked, vec![issued_to_client()]] {
        let request = Redeem { client_id: OTHER_CLIENT, ..request() };
        grant().given(past).when(redeem(request)).then_expect_error(GrantError::OtherClient);
    }
}

#[test]
fn another_client_is_told_nothing_else() {
    let wrong_in_all =
        Redeem { client_id: OTHER_CLIENT, standing: false, redirect_uri: None, at: after(CODE_LIFETIME), ..request() };
    grant().given(vec![approved_with_challenge()]).when(redeem(wrong_in_all)).then_expect_error(GrantError::OtherClient);
}

#[test]
fn a_code_that_was_not_issued_here_gives_nothing() {
    for past in [vec![approved()], live(), vec![issued_to_client()]] {
        let request = Redeem { code: digest("invented"), ..request() };
        grant().given(past).when(redeem(request)).then_expect_error(GrantError::NotIssuedHere);
    }
}

#[test]
fn a_code_of_no_grant_gives_nothing() {
    grant().given_no_previous_events().when(redeem(request())).then_expect_error(GrantError::Unknown);
}

#[test]
fn a_code_is_dead_when_its_client_user_session_or_consent_was_cut_off() {
    let request = Redeem { standing: false, ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_error(GrantError::CutOff);
}

#[test]
fn a_code_lives_up_to_its_last_second() {
    let last = Redeem { at: after(CODE_LIFETIME - 1), ..request() };
    let late = Redeem { at: after(CODE_LIFETIME), ..request() };
    assert!(grant().given(vec![approved()]).when(redeem(last)).inspect_result().is_ok());
    grant().given(vec![approved()]).when(redeem(late)).then_expect_error(GrantError::CodeExpired);
}

#[test]
fn redirect_uri_must_be_the_authorization_requests() {
    for other in [None, Some("https://app.example/CB"), Some("https://app.example/cb/"), Some("https://app.example/cb?")] {
        let request = Redeem { redirect_uri: other.map(str::to_owned), ..request() };
        grant().given(vec![approved()]).when(redeem(request)).then_expect_error(GrantError::RedirectUriDiffers);
    }
}

#[test]
fn redirect_uri_is_left_out_where_the_authorization_request_left_it_out() {
    let approved = GrantEvent::Approved(Box::new(Approved { redirect_uri: None, ..approval() }));
    let without = Redeem { redirect_uri: None, ..request() };
    assert!(grant().given(vec![approved.clone()]).when(redeem(without)).inspect_result().is_ok());
    grant().given(vec![approved]).when(redeem(request())).then_expect_error(GrantError::RedirectUriDiffers);
}

#[test]
fn the_right_verifier_meets_the_challenge() {
    let request = Redeem { code_verifier: verifier(VERIFIER), ..request() };
    assert!(grant().given(vec![approved_with_challenge()]).when(redeem(request)).inspect_result().is_ok());
}

#[test]
fn a_challenge_without_a_verifier_is_refused() {
    grant().given(vec![approved_with_challenge()]).when(redeem(request())).then_expect_error(GrantError::VerifierMissing);
}

#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let request = Redeem { code_verifier: verifier(VERIFIER), ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_error(GrantError::VerifierUnexpected);
}

#[test]
fn another_verifier_is_refused() {
    let request = Redeem { code_verifier: verifier(OTHER_VERIFIER), ..request() };
    grant().given(vec![approved_with_challenge()]).when(redeem(request)).then_expect_error(GrantError::VerifierDiffers);
}

#[test]
fn a_refused_attempt_leaves_the_code_to_the_next() {
    let wrong = Redeem { redirect_uri: None, ..request() };
    grant().given(vec![approved()]).when(redeem(wrong)).then_expect_error(GrantError::RedirectUriDiffers);
    assert!(grant().given(vec![approved()]).when(redeem(request())).inspect_result().is_ok());
}

#[test]
fn the_access_token_is_not_wider_than_the_approval() {
    let wide = AccessToken { scope: scope("read admin"), ..access(10) };
    let request = Redeem { access: wide, ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_error(GrantError::ScopeTooWide);
}

#[test]
fn the_first_refresh_token_is_of_generation_one() {
    let request = Redeem { refresh: Some(refresh_token(2, 10)), ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_error(GrantError::NotTheNext);
}

#[test]
fn a_refresh_token_never_outlives_the_family() {
    let endless = RefreshToken { expires_at: after(FAMILY_LIFETIME + 1), ..refresh_token(1, 10) };
    let bounded = RefreshToken { expires_at: after(FAMILY_LIFETIME), ..refresh_token(1, 10) };
    let issued = GrantEvent::TokensIssued { access: access(10), refresh: Some(bounded), at: after(10) };
    let request = Redeem { refresh: Some(endless), ..request() };
    grant().given(vec![approved()]).when(redeem(request)).then_expect_events(vec![redeemed(10), issued]);
}
