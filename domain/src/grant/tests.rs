//! The rules of a grant: builders, approval and revocation. The code and refreshing have files of their own.

mod code;
mod exchange;
mod refresh;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{Confirmation, DeviceAuthorizationId, TokenId, aggregate::fold};

/// The moment of approval; all others count from here.
const START: Timestamp = Timestamp::from_unix(1_000_000);
const CODE_LIFETIME: u32 = 60;
const IDLE_LIFETIME: u32 = 1_000;
const FAMILY_LIFETIME: u32 = 5_000;
const GRACE: u32 = 60;
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(1));
const OTHER_CLIENT: ClientId = ClientId::new(Uuid::from_u128(2));
const DEVICE: DeviceAuthorizationId = DeviceAuthorizationId::new(Uuid::from_u128(9));
const REDIRECT_URI: &str = "https://app.example/cb";
const BASIC: ClientAuthentication = ClientAuthentication::ClientSecretBasic;

fn grant() -> TestFramework<Grant> {
    TestFramework::with(())
}

fn after(seconds: u32) -> Timestamp {
    START.plus(seconds)
}

fn digest(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

fn scope(names: &str) -> Scope {
    names.parse().expect("a scope")
}

fn approval() -> Approved {
    Approved {
        client_id: CLIENT,
        user_id: UserId::new(Uuid::from_u128(3)),
        session_id: SessionId::new(Uuid::from_u128(4)),
        session_ends_at: None,
        consent_id: ConsentId::new(Uuid::from_u128(5)),
        scope: scope("read write"),
        resources: vec!["https://api.example/".to_owned()],
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        code_challenge: None,
        nonce: Some("n".to_owned()),
        confirmation: None,
        auth_time: START,
        acr: None,
        amr: vec!["pwd".to_owned()],
        claims: AskedClaims::default(),
        device_authorization_id: None,
        code: digest("code"),
        code_expires_at: after(CODE_LIFETIME),
        ends_at: after(FAMILY_LIFETIME),
        policy: "default".to_owned(),
        pos: 7,
        at: START,
    }
}

fn approved() -> GrantEvent {
    GrantEvent::Approved(Box::new(approval()))
}

fn access(seconds: u32) -> AccessToken {
    AccessToken {
        id: TokenId::new(Uuid::from_u128(6)),
        digest: digest("access"),
        scope: scope("read"),
        audience: vec!["https://api.example/".to_owned()],
        expires_at: after(seconds + 600),
        kid: None,
        pos: 8,
        confirmation: None,
        id_token: None,
    }
}

/// A refresh token of this generation that was issued so many seconds after the approval.
fn refresh_token(generation: u32, seconds: u32) -> RefreshToken {
    let expires_at = after(seconds + IDLE_LIFETIME);
    RefreshToken { digest: digest(&format!("refresh {generation}")), generation, expires_at, pos: 9, confirmation: None }
}

fn redeemed(seconds: u32) -> GrantEvent {
    GrantEvent::CodeRedeemed { code: digest("code"), authentication: BASIC, at: after(seconds) }
}

fn tokens_issued(seconds: u32) -> GrantEvent {
    let refresh = Some(refresh_token(1, seconds));
    GrantEvent::TokensIssued { access: access(seconds), refresh, at: after(seconds) }
}

fn revoked(reason: RevocationReason, seconds: u32) -> GrantEvent {
    GrantEvent::Revoked { reason, ends_at: after(FAMILY_LIFETIME), at: after(seconds) }
}

fn issued_to_client() -> GrantEvent {
    GrantEvent::ClientCredentialsIssued { client_id: CLIENT, access: access(0), authentication: BASIC, at: START }
}

fn live() -> Vec<GrantEvent> {
    vec![approved(), redeemed(10), tokens_issued(10)]
}

fn revoke(seconds: u32) -> GrantCommand {
    GrantCommand::Revoke { reason: RevocationReason::RevokedByClient, at: after(seconds) }
}

fn revoke_access_token() -> GrantCommand {
    let AccessToken { id, digest, expires_at, .. } = access(10);
    GrantCommand::RevokeAccessToken { token: id, digest, expires_at, at: after(20) }
}

fn issue_for_client() -> GrantCommand {
    GrantCommand::IssueForClient { client_id: CLIENT, access: access(0), authentication: BASIC, at: START }
}

#[test]
fn an_approval_begins_a_grant() {
    grant().given_no_previous_events().when(GrantCommand::Approve(Box::new(approval()))).then_expect_events(vec![approved()]);
}

#[test]
fn a_grant_is_approved_once() {
    for past in
        [vec![approved()], live(), vec![issued_to_client()], vec![approved(), revoked(RevocationReason::RevokedByClient, 5)]]
    {
        grant().given(past).when(GrantCommand::Approve(Box::new(approval()))).then_expect_error(GrantError::Exists);
    }
}

#[test]
fn the_terms_are_what_was_approved() {
    let grant: Grant = fold([approved()]);
    let terms = grant.terms().expect("terms");
    assert_eq!((terms.client_id, terms.user_id), (CLIENT, Some(approval().user_id)));
    assert_eq!((terms.session_id, terms.consent_id), (Some(approval().session_id), Some(approval().consent_id)));
    assert_eq!((&terms.scope, terms.ends_at), (&approval().scope, after(FAMILY_LIFETIME)));
}

#[test]
fn the_terms_stay_through_the_whole_life() {
    let terms = fold::<Grant>([approved()]).terms().cloned();
    assert_eq!(fold::<Grant>(live()).terms().cloned(), terms);
    assert_eq!(fold::<Grant>(live().into_iter().chain([revoked(RevocationReason::RevokedByClient, 20)])).terms().cloned(), terms);
    assert_eq!(Grant::Absent.terms(), None);
}

#[test]
fn offline_access_outlives_the_session() {
    let offline = Approved { scope: scope("read offline_access"), ..approval() };
    let grant: Grant = fold([GrantEvent::Approved(Box::new(offline))]);
    assert_eq!(grant.terms().expect("terms").session_id, None);
}

#[test]
fn a_client_gets_a_token_for_itself() {
    grant().given_no_previous_events().when(issue_for_client()).then_expect_events(vec![issued_to_client()]);
}

#[test]
fn what_was_approved_for_a_device_is_approved_and_issued_at_once() {
    let device = || Approved { redirect_uri: None, device_authorization_id: Some(DEVICE), ..approval() };
    let issue = |redeem: Redeem| GrantCommand::IssueForDevice(Box::new(device()), Box::new(redeem));
    let events = vec![GrantEvent::Approved(Box::new(device())), redeemed(10), tokens_issued(10)];
    let presented = || Redeem { redirect_uri: None, ..code::request() };
    grant().given_no_previous_events().when(issue(presented())).then_expect_events(events.clone());
    grant().given(events).when(issue(presented())).then_expect_error(GrantError::Exists);
    let other = Redeem { client_id: OTHER_CLIENT, ..presented() };
    grant().given_no_previous_events().when(issue(other)).then_expect_error(GrantError::OtherClient);
    let wide = Redeem { access: AccessToken { scope: scope("read admin"), ..access(10) }, ..presented() };
    grant().given_no_previous_events().when(issue(wide)).then_expect_error(GrantError::ScopeTooWide);
}

#[test]
fn a_token_for_the_client_itself_begins_a_grant_of_its_own() {
    grant().given(live()).when(issue_for_client()).then_expect_error(GrantError::Exists);
}

#[test]
fn a_grant_of_the_client_itself_has_no_user_and_ends_with_its_token() {
    let grant: Grant = fold([issued_to_client()]);
    let terms = grant.terms().expect("terms");
    assert_eq!((terms.user_id, terms.session_id, terms.consent_id), (None, None, None));
    assert_eq!((&terms.scope, &terms.resources), (&access(0).scope, &access(0).audience));
    assert_eq!(terms.ends_at, access(0).expires_at);
}

#[test]
fn a_grant_by_an_assertion_is_the_users_and_ends_with_its_token() {
    let assured = Assured {
        client_id: CLIENT,
        user_id: approval().user_id,
        issuer: "https://idp.example".to_owned(),
        assertion_id: "1".to_owned(),
        access: access(0),
        authentication: BASIC,
        policy: "default".to_owned(),
        at: START,
    };
    let (command, event) =
        (GrantCommand::IssueForAssured(Box::new(assured.clone())), GrantEvent::JwtBearerIssued(Box::new(assured)));
    grant().given_no_previous_events().when(command.clone()).then_expect_events(vec![event.clone()]);
    grant().given(vec![event.clone()]).when(command).then_expect_error(GrantError::Exists);
    let grant: Grant = fold([event.clone()]);
    let terms = grant.terms().expect("terms");
    assert_eq!((terms.user_id, terms.session_id, terms.consent_id), (Some(approval().user_id), None, None));
    assert_eq!((event.terms_set().as_ref(), terms.ends_at), (Some(terms), access(0).expires_at));
}

#[test]
fn a_live_grant_is_revoked() {
    grant().given(live()).when(revoke(20)).then_expect_events(vec![revoked(RevocationReason::RevokedByClient, 20)]);
}

#[test]
fn an_approved_grant_is_revoked_before_its_code_is_used() {
    grant().given(vec![approved()]).when(revoke(5)).then_expect_events(vec![revoked(RevocationReason::RevokedByClient, 5)]);
}

#[test]
fn a_revocation_reaches_to_the_end_of_the_last_access_token() {
    let long = AccessToken { expires_at: after(FAMILY_LIFETIME + 100), ..access(10) };
    let issued = GrantEvent::TokensIssued { access: long, refresh: None, at: after(10) };
    let reason = RevocationReason::RevokedByClient;
    let to_the_end = GrantEvent::Revoked { reason, ends_at: after(FAMILY_LIFETIME + 100), at: after(20) };
    grant().given(vec![approved(), redeemed(10), issued]).when(revoke(20)).then_expect_events(vec![to_the_end]);
}

#[test]
fn a_grant_is_revoked_once() {
    let past = vec![approved(), revoked(RevocationReason::RevokedByOperator, 5)];
    grant().given(past).when(revoke(6)).then_expect_events(vec![]);
}

#[test]
fn what_was_never_granted_is_not_revoked() {
    grant().given_no_previous_events().when(revoke(5)).then_expect_error(GrantError::Unknown);
}

#[test]
fn one_access_token_is_revoked_alone() {
    let AccessToken { id: token, digest, expires_at, .. } = access(10);
    let alone = GrantEvent::AccessTokenRevoked { token, digest, expires_at, at: after(20) };
    grant().given(live()).when(revoke_access_token()).then_expect_events(vec![alone.clone()]);
    let mut others = fold::<Grant>(live());
    if let Grant::Live(live) = &mut others {
        live.access.as_mut().expect("it was issued").revoked = true;
    }
    assert_eq!(fold::<Grant>(live().into_iter().chain([alone])), others);
}

#[test]
fn an_access_token_of_a_revoked_grant_is_dead_already() {
    let past = vec![approved(), revoked(RevocationReason::RevokedByClient, 5)];
    grant().given(past).when(revoke_access_token()).then_expect_events(vec![]);
}

#[test]
fn a_grant_without_tokens_has_no_access_token_to_revoke() {
    grant().given(vec![approved()]).when(revoke_access_token()).then_expect_error(GrantError::NotIssuedHere);
    grant().given_no_previous_events().when(revoke_access_token()).then_expect_error(GrantError::Unknown);
}

#[test]
fn a_grant_is_over_when_the_last_of_its_code_and_tokens_has_ended() {
    let last_ends_at = |events: Vec<GrantEvent>| fold::<Grant>(events).last_ends_at();
    let of_the_family = Some(refresh_token(1, 10).expires_at.max(access(10).expires_at));
    let revoked = revoked(RevocationReason::RevokedByClient, 20);
    assert_eq!(last_ends_at(vec![]), None);
    assert_eq!(last_ends_at(vec![approved()]), Some(approval().code_expires_at));
    assert_eq!(last_ends_at(live()), of_the_family);
    assert_eq!(last_ends_at([live(), vec![revoked]].concat()), of_the_family);
    assert_eq!(last_ends_at(vec![issued_to_client()]), Some(access(0).expires_at));
}

#[test]
fn the_state_is_stored_and_read_alike() {
    let rotated = GrantEvent::Refreshed {
        predecessor: digest("refresh 1"),
        access: access(100),
        refresh: refresh_token(2, 100),
        authentication: BASIC,
        at: after(100),
    };
    for events in [vec![], vec![approved()], live(), [live(), vec![rotated]].concat(), vec![issued_to_client()]] {
        let state: Grant = fold(events);
        let stored = serde_json::to_string(&state).expect("written");
        assert_eq!(serde_json::from_str::<Grant>(&stored).expect("read"), state);
    }
}

#[test]
fn the_last_access_token_is_revoked_once() {
    let mut past = live();
    let AccessToken { id, digest, expires_at, .. } = access(10);
    past.push(GrantEvent::AccessTokenRevoked { token: id, digest: digest.clone(), expires_at, at: after(15) });
    let last = fold::<Grant>(past.clone()).last_access().cloned();
    assert_eq!(last, Some(LastAccess { id, digest, expires_at, revoked: true }));
    grant().given(past).when(revoke_access_token()).then_expect_events(vec![]);
}

#[test]
fn an_access_token_that_was_refreshed_since_is_revoked_and_the_last_one_is_not() {
    let mut past = live();
    let later = AccessToken { digest: digest("later access"), ..access(15) };
    past.push(GrantEvent::AccessTokenRefreshed { access: later.clone(), refresh: None, authentication: BASIC, at: after(15) });
    let AccessToken { id, digest, expires_at, .. } = access(10);
    let revoked = GrantEvent::AccessTokenRevoked { token: id, digest, expires_at, at: after(20) };
    grant().given(past.clone()).when(revoke_access_token()).then_expect_events(vec![revoked.clone()]);
    past.push(revoked);
    let last = fold::<Grant>(past).last_access().cloned().expect("it is kept");
    assert_eq!((&last.digest, last.revoked), (&later.digest, false));
}
