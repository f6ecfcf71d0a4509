//! Exchanging an access token for another (RFC 8693).

use super::*;

/// The client that exchanges, and one more.
const GATEWAY: ClientId = ClientId::new(Uuid::from_u128(20));
const BEHIND: ClientId = ClientId::new(Uuid::from_u128(21));
const LEDGER: &str = "https://ledger.example/";

/// The grant's own access token, as it stands among the live ones.
fn subject() -> Subject {
    let AccessToken { id, expires_at, .. } = access(10);
    Subject { id, client_id: CLIENT, scope: scope("read"), expires_at, through: Vec::new() }
}

fn for_ledger() -> AccessToken {
    let (id, digest) = (TokenId::new(Uuid::from_u128(60)), digest("exchanged"));
    AccessToken { id, digest, audience: vec![LEDGER.to_owned()], ..access(10) }
}

fn request() -> Exchange {
    Exchange {
        client_id: GATEWAY,
        subject: subject(),
        act: None,
        standing: true,
        access: for_ledger(),
        authentication: BASIC,
        policy: "default".to_owned(),
        at: after(20),
    }
}

fn exchange(request: Exchange) -> GrantCommand {
    GrantCommand::Exchange(Box::new(request))
}

fn exchanged() -> GrantEvent {
    GrantEvent::TokenExchanged(Box::new(Exchanged {
        client_id: GATEWAY,
        subject: subject().id,
        through: vec![CLIENT],
        act: None,
        access: for_ledger(),
        authentication: BASIC,
        policy: "default".to_owned(),
        at: after(20),
    }))
}

fn refused(change: impl FnOnce(&mut Exchange), error: GrantError) {
    let mut request = request();
    change(&mut request);
    grant().given(live()).when(exchange(request)).then_expect_error(error);
}

#[test]
fn a_token_is_exchanged_and_its_grant_knows_where_it_reaches() {
    grant().given(live()).when(exchange(request())).then_expect_events(vec![exchanged()]);
    let state = fold::<Grant>([live(), vec![exchanged(), exchanged()]].concat());
    assert_eq!(state.reached(), [LEDGER]);
    let before = fold::<Grant>(live());
    assert_eq!((state.last_access(), state.last_ends_at()), (before.last_access(), before.last_ends_at()));
    let ended = fold::<Grant>([live(), vec![exchanged(), revoked(RevocationReason::RevokedByClient, 30)]].concat());
    assert_eq!(ended.reached(), [LEDGER]);
}

#[test]
fn a_clients_own_token_is_exchanged_too() {
    grant().given(vec![issued_to_client()]).when(exchange(request())).then_expect_events(vec![exchanged()]);
}

#[test]
fn a_client_narrows_its_own_token() {
    let request = Exchange { client_id: CLIENT, ..request() };
    let GrantEvent::TokenExchanged(event) = exchanged() else { unreachable!("it is an exchange") };
    let narrowed = Exchanged { client_id: CLIENT, through: Vec::new(), ..*event };
    let events = vec![GrantEvent::TokenExchanged(Box::new(narrowed))];
    grant().given(live()).when(exchange(request)).then_expect_events(events);
}

#[test]
fn all_hands_are_remembered_in_their_order() {
    let subject = Subject { client_id: GATEWAY, through: vec![CLIENT], ..subject() };
    assert_eq!(subject.through_to(BEHIND), [CLIENT, GATEWAY]);
    assert_eq!(subject.through_to(GATEWAY), [CLIENT]);
    assert_eq!(subject.through_to(CLIENT), [GATEWAY]);
}

#[test]
fn what_comes_of_a_token_is_never_more_than_it_was() {
    refused(|request| request.access.scope = scope("read write"), GrantError::ScopeTooWide);
    refused(|request| request.access.expires_at = request.subject.expires_at.plus(1), GrantError::CutOff);
    refused(|request| request.standing = false, GrantError::CutOff);
    refused(|request| request.at = request.subject.expires_at, GrantError::CutOff);
}

#[test]
fn a_token_goes_by_so_many_hands_and_no_more() {
    let hands = |count: u128| (0..count).map(|number| ClientId::new(Uuid::from_u128(100 + number))).collect::<Vec<_>>();
    let through = |count| move |request: &mut Exchange| request.subject.through = hands(count);
    refused(through(8), GrantError::TooManyHands);
    let acting = |count: u32| (0..count).fold(None, |before, number| Some(Act::after(number.to_string(), before)));
    refused(|request| request.act = acting(9), GrantError::TooManyHands);
    let mut most = request();
    through(7)(&mut most);
    most.act = acting(8);
    let state = fold::<Grant>(live());
    assert_eq!(crate::Decide::decide(&state, exchange(most)).map(|events| events.len()), Ok(1));
}

#[test]
fn only_a_grant_with_tokens_exchanges_them() {
    grant().given_no_previous_events().when(exchange(request())).then_expect_error(GrantError::Unknown);
    grant().given(vec![approved()]).when(exchange(request())).then_expect_error(GrantError::NotIssuedHere);
    let ended = [live(), vec![revoked(RevocationReason::RevokedByClient, 15)]].concat();
    grant().given(ended).when(exchange(request())).then_expect_error(GrantError::Revoked);
}

#[test]
fn with_the_only_token_of_a_grant_ends_what_others_got_for_it() {
    let ends_at = access(0).expires_at;
    let AccessToken { id: token, digest, expires_at, .. } = access(0);
    let one = GrantEvent::AccessTokenRevoked { token, digest: digest.clone(), expires_at, at: after(20) };
    let all = GrantEvent::Revoked { reason: RevocationReason::RevokedByClient, ends_at, at: after(20) };
    let revoke = || GrantCommand::RevokeAccessToken { token, digest: digest.clone(), expires_at, at: after(20) };
    grant().given(vec![issued_to_client()]).when(revoke()).then_expect_events(vec![one.clone()]);
    grant().given(vec![issued_to_client(), exchanged()]).when(revoke()).then_expect_events(vec![one.clone(), all]);
    grant().given([live(), vec![exchanged()]].concat()).when(revoke()).then_expect_events(vec![one]);
}

#[test]
fn an_exchanged_token_is_revoked_alone() {
    let AccessToken { id: token, digest, expires_at, .. } = for_ledger();
    let revoke = GrantCommand::RevokeAccessToken { token, digest: digest.clone(), expires_at, at: after(30) };
    let events = vec![GrantEvent::AccessTokenRevoked { token, digest, expires_at, at: after(30) }];
    grant().given(vec![issued_to_client(), exchanged()]).when(revoke).then_expect_events(events);
}
