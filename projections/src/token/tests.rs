//! What events make of codes and tokens.

use domain::{
    Confirmation, Digest, Timestamp,
    grant::{AccessToken, Act, ClientAuthentication, Exchanged, GrantEvent, LivesOn},
};
use serde_json::{Value, json};

use super::{TABLE, TokenKind, TokenRow};
use crate::{
    Changes, Recorded, TermsMissing,
    testing::{access, approved, id, project, project_grant, put_of, puts, refresh, sets, stream},
};

const AT: Timestamp = Timestamp::from_unix(200);
const BY: ClientAuthentication = ClientAuthentication::ClientSecretBasic;

fn digest(secret: &str) -> Value {
    json!(Digest::of(secret.as_bytes()))
}

fn redeemed() -> GrantEvent {
    GrantEvent::CodeRedeemed { code: Digest::of(b"code"), authentication: BY, at: AT }
}

fn issued() -> GrantEvent {
    GrantEvent::TokensIssued { access: access("access", "read"), refresh: Some(refresh("refresh", 1)), at: AT }
}

#[test]
fn an_approval_makes_a_live_code_of_the_grants_terms() {
    let code = json!({
        "digest": digest("code"), "kind": "code", "state": "live", "id": null, "grant_id": id(1), "client_id": id(2),
        "user_id": id(3), "session_id": id(4), "consent_id": id(5), "scope": "read write", "audience": "[\"https://api.example\"]",
        "auth_time": 90, "acr": "urn:grantlog:acr:2fa", "kid": null, "confirmation": null, "through": null, "act": null, "issued_at": 100, "expires_at": 160, "pos": 7, "position": 1,
    });
    assert_eq!(puts(&project_grant(&[approved()]), &TABLE), [code]);
}

#[test]
fn a_token_tells_the_key_that_it_is_bound_to() {
    let key = Confirmation::KeyThumbprint("key".to_owned());
    let access = AccessToken { confirmation: Some(key.clone()), ..access("access", "read") };
    let changes = project_grant(&[GrantEvent::TokensIssued { access, refresh: None, at: AT }]);
    let row = put_of(&changes, &TABLE, &digest("access"));
    assert_eq!(serde_json::from_str::<Confirmation>(row["confirmation"].as_str().unwrap()).unwrap(), key);
}

#[test]
fn a_refresh_token_that_is_kept_lives_on() {
    let refresh = LivesOn { digest: Digest::of(b"refresh"), expires_at: Timestamp::from_unix(800) };
    let access = access("access 2", "read");
    let changes =
        project_grant(&[GrantEvent::AccessTokenRefreshed { access, refresh: Some(refresh), authentication: BY, at: AT }]);
    assert_eq!(sets(&changes, &TABLE), [json!({"digest": digest("refresh"), "expires_at": 800, "position": 1})]);
}

#[test]
fn a_redeemed_code_is_used_and_its_tokens_live() {
    let changes = project_grant(&[redeemed(), issued()]);
    assert_eq!(sets(&changes, &TABLE), [json!({"digest": digest("code"), "state": "used", "position": 1})]);
    let access = put_of(&changes, &TABLE, &digest("access"));
    let refresh = put_of(&changes, &TABLE, &digest("refresh"));
    assert_eq!((&access["kind"], &access["state"], &access["user_id"]), (&json!("access"), &json!("live"), &json!(id(3))));
    assert_eq!((&refresh["kind"], &refresh["state"], &refresh["user_id"]), (&json!("refresh"), &json!("live"), &json!(id(3))));
    assert_eq!((&access["id"], &access["kid"], &access["pos"]), (&json!(id(9)), &json!("key"), &json!(8)));
    assert_eq!((&refresh["id"], &refresh["kid"], &refresh["pos"]), (&Value::Null, &Value::Null, &json!(8)));
}

#[test]
fn an_access_tokens_own_scope_wins_over_the_grants() {
    let changes = project_grant(&[issued()]);
    assert_eq!(put_of(&changes, &TABLE, &digest("access"))["scope"], "read");
    assert_eq!(put_of(&changes, &TABLE, &digest("refresh"))["scope"], "read write");
}

#[test]
fn a_rotated_refresh_token_is_used_and_its_successor_lives() {
    let refreshed = GrantEvent::Refreshed {
        predecessor: Digest::of(b"refresh"),
        access: access("access 2", "read"),
        refresh: refresh("refresh 2", 2),
        authentication: BY,
        at: AT,
    };
    let changes = project_grant(&[refreshed]);
    assert_eq!(sets(&changes, &TABLE), [json!({"digest": digest("refresh"), "state": "used", "position": 1})]);
    assert_eq!(put_of(&changes, &TABLE, &digest("refresh 2"))["state"], "live");
    assert_eq!(put_of(&changes, &TABLE, &digest("access 2"))["state"], "live");
}

#[test]
fn a_refresh_without_rotation_makes_an_access_token_alone() {
    let changes = project_grant(&[GrantEvent::AccessTokenRefreshed {
        access: access("access 2", "read"),
        refresh: None,
        authentication: BY,
        at: AT,
    }]);
    assert_eq!(puts(&changes, &TABLE).len(), 1);
    assert!(sets(&changes, &TABLE).is_empty());
}

#[test]
fn a_client_that_acts_for_itself_needs_no_terms() {
    let client_id = id(2).parse().unwrap();
    let event = GrantEvent::ClientCredentialsIssued { client_id, access: access("access", "read"), authentication: BY, at: AT };
    let row = put_of(&project(&stream("grant", 1), &[event]), &TABLE, &digest("access"));
    assert_eq!((&row["client_id"], &row["user_id"], &row["consent_id"]), (&json!(id(2)), &Value::Null, &Value::Null));
}

#[test]
fn a_revoked_access_token_is_revoked_alone() {
    let token = id(9).parse().unwrap();
    let event = GrantEvent::AccessTokenRevoked { token, digest: Digest::of(b"access"), expires_at: AT, at: AT };
    let changes = project(&stream("grant", 1), &[event]);
    assert_eq!(sets(&changes, &TABLE), [json!({"digest": digest("access"), "state": "revoked", "position": 1})]);
}

#[test]
fn a_token_that_came_of_an_exchange_is_its_clients_and_stands_on_all_by_whose_hands_it_came() {
    let exchanged = Exchanged {
        client_id: id(8).parse().unwrap(),
        subject: id(6).parse().unwrap(),
        through: vec![id(2).parse().unwrap()],
        act: Some(Act::after("gateway".to_owned(), None)),
        access: access("exchanged", "read"),
        authentication: BY,
        policy: "default".to_owned(),
        at: AT,
    };
    let changes = project_grant(&[GrantEvent::TokenExchanged(Box::new(exchanged))]);
    let rows = puts(&changes, &TABLE);
    let row = &rows[0];
    assert_eq!((&row["client_id"], &row["user_id"], &row["grant_id"]), (&json!(id(8)), &json!(id(3)), &json!(id(1))));
    assert_eq!(row["through"], json!(json!([id(2)]).to_string()));
    assert_eq!(row["act"], json!(r#"{"sub":"gateway"}"#));
    assert_eq!((&row["kind"], &row["state"]), (&json!("access"), &json!("live")));
}

#[test]
fn an_issuance_without_the_grants_terms_is_refused() {
    let (stream, event) = (stream("grant", 1), issued().into());
    let recorded = Recorded { position: 1, stream: &stream, event: &event, terms: None };
    assert_eq!(crate::project(&recorded, &mut Changes::default()), Err(TermsMissing));
}

#[test]
fn a_token_is_active_while_it_lives_in_its_time_for_its_purpose_and_nothing_cut_it_off() {
    let row = TokenRow {
        digest: "d".to_owned(),
        kind: "access".to_owned(),
        state: "live".to_owned(),
        id: None,
        grant_id: id(1),
        client_id: id(2),
        user_id: None,
        session_id: None,
        consent_id: None,
        scope: String::new(),
        audience: "[]".to_owned(),
        auth_time: None,
        acr: None,
        kid: None,
        confirmation: None,
        through: None,
        act: None,
        issued_at: 100,
        expires_at: 200,
        pos: 1,
        position: 2,
        client_identifier: None,
        profile: None,
        cut_off: false,
    };
    let now = Timestamp::from_unix(199);
    assert!(row.is_active(TokenKind::Access, now));
    assert!(!row.is_active(TokenKind::Refresh, now));
    assert!(!row.is_active(TokenKind::Access, AT));
    assert!(!TokenRow { state: "used".to_owned(), ..row.clone() }.is_active(TokenKind::Access, now));
    assert!(!TokenRow { cut_off: true, ..row }.is_active(TokenKind::Access, now));
}
