//! Live: is this code or token good, and what may its holder do (RFC 7662 section 2.2)? The rule that decides it stands here alone.

use std::sync::LazyLock;

use domain::{
    ClientId, Digest, Event, Scope, Timestamp,
    grant::{AccessToken, GrantEvent, RefreshToken, Terms},
};
use rusqlite::{OptionalExtension, Transaction};
use serde_json::json;

use crate::{
    Changes, Db, Dialect, Recorded, Table, TermsMissing,
    changes::{Row, row},
    cutoff::ISSUER,
    on_db,
    table::{EXPIRES_AT, integer, nullable_text, position, text},
};

/// One row a code, access token or refresh token.
pub static TABLE: Table = Table {
    name: "token",
    form: 1,
    question: "is this code or token good, and what may its holder do?",
    key: &["digest"],
    columns: &[
        text("digest"),
        text("kind"),
        text("state"),
        nullable_text("id"),
        text("grant_id"),
        text("client_id"),
        nullable_text("user_id"),
        nullable_text("session_id"),
        nullable_text("consent_id"),
        text("scope"),
        text("audience"),
        nullable_text("kid"),
        integer("issued_at"),
        integer("expires_at"),
        integer("pos"),
        position(),
    ],
    indexes: &[&[EXPIRES_AT]],
};

/// What a row of the table stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An authorization code.
    Code,
    Access,
    Refresh,
}

impl TokenKind {
    /// As it stands in the column `kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

pub(crate) fn project(recorded: &Recorded<'_>, changes: &mut Changes) -> Result<(), TermsMissing> {
    let Event::Grant(event) = recorded.event else { return Ok(()) };
    match event {
        GrantEvent::Approved(approved) => {
            let code = Issued {
                kind: TokenKind::Code,
                digest: &approved.code,
                scope: &approved.scope,
                audience: &approved.resources,
                expires_at: approved.code_expires_at,
                pos: approved.pos,
                at: approved.at,
            };
            changes.put(&TABLE, code.row(recorded, &Holder::of(recorded.terms.ok_or(TermsMissing)?)));
        }
        GrantEvent::CodeRedeemed { code, .. } => changes.set(&TABLE, state(recorded, code, "used")),
        GrantEvent::TokensIssued { access, refresh, at } => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), access, *at));
            if let Some(refresh) = refresh {
                changes.put(&TABLE, refresh_row(recorded, terms, refresh, *at));
            }
        }
        GrantEvent::ClientCredentialsIssued { client_id, access, at, .. } => {
            changes.put(&TABLE, access_row(recorded, &Holder::client(*client_id), access, *at));
        }
        GrantEvent::Refreshed { predecessor, access, refresh, at, .. } => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            changes.set(&TABLE, state(recorded, predecessor, "used"));
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), access, *at));
            changes.put(&TABLE, refresh_row(recorded, terms, refresh, *at));
        }
        GrantEvent::AccessTokenRefreshed { access, at, .. } => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), access, *at));
        }
        GrantEvent::AccessTokenRevoked { digest, .. } => changes.set(&TABLE, state(recorded, digest, "revoked")),
        // A replay is followed by `Revoked`, which is a cutoff: no row of the family changes.
        GrantEvent::RefreshRetried { .. }
        | GrantEvent::CodeReplayed { .. }
        | GrantEvent::RefreshReplayed { .. }
        | GrantEvent::Revoked { .. } => {}
    }
    Ok(())
}

fn state(recorded: &Recorded<'_>, digest: &Digest, state: &str) -> Row {
    row! { digest: digest, state: state, position: recorded.position }
}

fn access_row(recorded: &Recorded<'_>, holder: &Holder<'_>, access: &AccessToken, at: Timestamp) -> Row {
    let issued = Issued {
        kind: TokenKind::Access,
        digest: &access.digest,
        scope: &access.scope,
        audience: &access.audience,
        expires_at: access.expires_at,
        pos: access.pos,
        at,
    };
    let mut row = issued.row(recorded, holder);
    row.extend(row! { id: access.id, kid: access.kid });
    row
}

fn refresh_row(recorded: &Recorded<'_>, terms: &Terms, refresh: &RefreshToken, at: Timestamp) -> Row {
    let issued = Issued {
        kind: TokenKind::Refresh,
        digest: &refresh.digest,
        scope: &terms.scope,
        audience: &terms.resources,
        expires_at: refresh.expires_at,
        pos: refresh.pos,
        at,
    };
    issued.row(recorded, &Holder::of(terms))
}

/// For whom a token was issued, and what it stands on.
struct Holder<'a> {
    client_id: ClientId,
    terms: Option<&'a Terms>,
}

impl<'a> Holder<'a> {
    const fn of(terms: &'a Terms) -> Self {
        Self { client_id: terms.client_id, terms: Some(terms) }
    }

    const fn client(client_id: ClientId) -> Self {
        Self { client_id, terms: None }
    }
}

/// What codes and both kinds of tokens have in common.
struct Issued<'a> {
    kind: TokenKind,
    digest: &'a Digest,
    scope: &'a Scope,
    audience: &'a [String],
    expires_at: Timestamp,
    pos: i64,
    at: Timestamp,
}

impl Issued<'_> {
    fn row(&self, recorded: &Recorded<'_>, holder: &Holder<'_>) -> Row {
        let terms = holder.terms;
        row! {
            digest: self.digest, kind: self.kind.as_str(), state: "live", id: None::<&str>, grant_id: recorded.stream.aggregate_id,
            client_id: holder.client_id, user_id: terms.and_then(|terms| terms.user_id),
            session_id: terms.and_then(|terms| terms.session_id), consent_id: terms.and_then(|terms| terms.consent_id),
            scope: self.scope, audience: json!(self.audience).to_string(), kid: None::<&str>, issued_at: self.at,
            expires_at: self.expires_at, pos: self.pos, position: recorded.position,
        }
    }
}

/// A code or token, with what introspection says of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenRow {
    pub digest: String,
    /// `code`, `access` or `refresh`.
    pub kind: String,
    /// `live`, `used` (a code, a rotated refresh token) or `revoked`.
    pub state: String,
    /// An access token's `jti`.
    pub id: Option<String>,
    pub grant_id: String,
    pub client_id: String,
    pub user_id: Option<String>,
    /// The sign-in whose end ends it; `None` where offline access was granted.
    pub session_id: Option<String>,
    pub consent_id: Option<String>,
    /// Names separated by spaces.
    pub scope: String,
    /// A JSON array.
    pub audience: String,
    /// The key that signed it.
    pub kid: Option<String>,
    /// In seconds since the Unix epoch.
    pub issued_at: i64,
    pub expires_at: i64,
    /// The head of the log that its issuance saw.
    pub pos: i64,
    pub position: i64,
    /// The client's `client_id` on the wire.
    pub client_identifier: Option<String>,
    /// The user's OpenID claims, sealed under their own key.
    pub profile: Option<String>,
    /// Whether its grant, client, user, session, consent, key or issuer was cut off since.
    pub cut_off: bool,
}

impl TokenRow {
    /// A row of SQLite, its columns in the order of [`select_wanted`].
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            digest: row.get(0)?,
            kind: row.get(1)?,
            state: row.get(2)?,
            id: row.get(3)?,
            grant_id: row.get(4)?,
            client_id: row.get(5)?,
            user_id: row.get(6)?,
            session_id: row.get(7)?,
            consent_id: row.get(8)?,
            scope: row.get(9)?,
            audience: row.get(10)?,
            kid: row.get(11)?,
            issued_at: row.get(12)?,
            expires_at: row.get(13)?,
            pos: row.get(14)?,
            position: row.get(15)?,
            client_identifier: row.get(16)?,
            profile: row.get(17)?,
            cut_off: row.get(18)?,
        })
    }

    /// Whether it is good for what only this kind is good for.
    #[must_use]
    pub fn is_active(&self, kind: TokenKind, now: Timestamp) -> bool {
        self.state == "live" && self.kind == kind.as_str() && self.expires_at > now.unix() && !self.cut_off
    }
}

/// Which code or token is looked up, and which client asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    pub digest: String,
    /// The id of its stream.
    pub caller: Option<String>,
}

/// A code or token as it is now, and in the same snapshot the version of the client that asks for it: what is remembered of a client
/// holds if it is of that version.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SeenToken {
    #[sqlx(flatten)]
    pub token: TokenRow,
    pub caller: Option<String>,
    /// How many events its stream holds; `None` where nobody asks, or somebody unknown.
    pub caller_version: Option<i64>,
}

/// The codes and tokens that are there of those that are wanted, in no order.
///
/// # Errors
/// What the store says.
pub async fn find(db: &Db, wanted: &[Wanted]) -> Result<Vec<SeenToken>, sqlx::Error> {
    match db {
        Db::Postgres(pool) => {
            let (digests, callers): (Vec<_>, Vec<_>) = wanted.iter().map(|wanted| (&wanted.digest, &wanted.caller)).unzip();
            sqlx::query_as(&select_wanted(Dialect::Postgres)).bind(digests).bind(callers).fetch_all(pool).await
        }
        Db::Sqlite(sqlite) => {
            let wanted = wanted.to_vec();
            sqlite.look_up(move |snapshot| find_each(snapshot, &wanted)).await
        }
    }
}

/// Where the access tokens were revoked that were revoked one by one and would be alive else.
///
/// # Errors
/// What the store says.
pub async fn revoked(db: &Db, now: Timestamp) -> Result<Vec<i64>, sqlx::Error> {
    let sql = "SELECT position FROM token WHERE state = 'revoked' AND kind = $1 AND expires_at > $2";
    on_db!(db, pool => sqlx::query_scalar(sql).bind(TokenKind::Access.as_str()).bind(now.unix()).fetch_all(pool).await)
}

/// The lowest `pos` of the access tokens that have not expired: a cutoff that is not above it kills none of them.
///
/// # Errors
/// What the store says.
pub async fn lowest_pos(db: &Db, now: Timestamp) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT MIN(pos) FROM token WHERE kind = $1 AND expires_at > $2";
    on_db!(db, pool => sqlx::query_scalar(sql).bind(TokenKind::Access.as_str()).bind(now.unix()).fetch_one(pool).await)
}

/// The longest that an access token was issued for of those that are still kept, in seconds.
///
/// # Errors
/// What the store says.
pub async fn longest_life(db: &Db) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT MAX(expires_at - issued_at) FROM token WHERE kind = $1";
    on_db!(db, pool => sqlx::query_scalar(sql).bind(TokenKind::Access.as_str()).fetch_one(pool).await)
}

/// When the last access token ends that is still kept, in seconds since the Unix epoch.
///
/// # Errors
/// What the store says.
pub async fn last_end(db: &Db) -> Result<Option<i64>, sqlx::Error> {
    let (sql, kind) = ("SELECT MAX(expires_at) FROM token WHERE kind = $1", TokenKind::Access.as_str());
    on_db!(db, pool => sqlx::query_scalar(sql).bind(kind).fetch_one(pool).await)
}

fn find_each(snapshot: &Transaction<'_>, wanted: &[Wanted]) -> rusqlite::Result<Vec<SeenToken>> {
    static FIND: LazyLock<String> = LazyLock::new(|| select_wanted(Dialect::Sqlite));
    let mut find = snapshot.prepare_cached(&FIND)?;
    let mut found = Vec::with_capacity(wanted.len());
    for Wanted { digest, caller } in wanted {
        let seen = find.query_row((digest, caller), |row| {
            Ok(SeenToken { token: TokenRow::read(row)?, caller: row.get(19)?, caller_version: row.get(20)? })
        });
        found.extend(seen.optional()?);
    }
    Ok(found)
}

/// Whether what the row `t` of the table stands on was cut off since: the one rule.
pub(crate) fn cut_off() -> String {
    format!(
        "EXISTS (SELECT 1 FROM cutoff
                WHERE cutoff.subject IN (t.grant_id, t.client_id, t.user_id, t.session_id, t.consent_id, t.kid, '{ISSUER}')
                    AND cutoff.position > t.pos)"
    )
}

/// Selects what is wanted, the columns in the order of the members of [`TokenRow`] and [`SeenToken`]. The query's parameters: in PostgreSQL
/// a list of digests and one of callers, in SQLite one of each.
#[must_use]
pub fn select_wanted(dialect: Dialect) -> String {
    let wanted = match dialect {
        Dialect::Postgres => "unnest($1::text[], $2::text[]) AS w (digest, caller)",
        Dialect::Sqlite => "(SELECT ?1 AS digest, ?2 AS caller) AS w",
    };
    let cut_off = cut_off();
    format!(
        "SELECT t.digest, t.kind, t.state, t.id, t.grant_id, t.client_id, t.user_id, t.session_id, t.consent_id, t.scope, t.audience,
            t.kid, t.issued_at, t.expires_at, t.pos, t.position, client.client_id AS client_identifier, account.profile,
            {cut_off} AS cut_off,
            w.caller, caller.version AS caller_version
         FROM {wanted} JOIN token AS t ON t.digest = w.digest
            LEFT JOIN stream_head AS caller ON caller.aggregate_id = w.caller AND caller.aggregate_type = 'client'
            LEFT JOIN client ON client.id = t.client_id LEFT JOIN account ON account.id = t.user_id"
    )
}

#[cfg(test)]
mod tests {
    use domain::{
        Digest, Timestamp,
        grant::{ClientAuthentication, GrantEvent},
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
            "kid": null, "issued_at": 100, "expires_at": 160, "pos": 7, "position": 1,
        });
        assert_eq!(puts(&project_grant(&[approved()]), &TABLE), [code]);
    }

    #[test]
    fn a_redeemed_code_is_used_and_its_tokens_live() {
        let changes = project_grant(&[redeemed(), issued()]);
        assert_eq!(sets(&changes, &TABLE), [json!({"digest": digest("code"), "state": "used", "position": 1})]);
        let access = put_of(&changes, &TABLE, &digest("access"));
        let refresh = put_of(&changes, &TABLE, &digest("refresh"));
        assert_eq!((&access["kind"], &access["state"], &access["user_id"]), (&json!("access"), &json!("live"), &json!(id(3))));
        assert_eq!(
            (&refresh["kind"], &refresh["state"], &refresh["user_id"]),
            (&json!("refresh"), &json!("live"), &json!(id(3)))
        );
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
        let changes =
            project_grant(&[GrantEvent::AccessTokenRefreshed { access: access("access 2", "read"), authentication: BY, at: AT }]);
        assert_eq!(puts(&changes, &TABLE).len(), 1);
        assert!(sets(&changes, &TABLE).is_empty());
    }

    #[test]
    fn a_client_that_acts_for_itself_needs_no_terms() {
        let client_id = id(2).parse().unwrap();
        let event =
            GrantEvent::ClientCredentialsIssued { client_id, access: access("access", "read"), authentication: BY, at: AT };
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
            kid: None,
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
}
