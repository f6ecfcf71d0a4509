//! Live: is this code or token good, and what may its holder do (RFC 7662 section 2.2)? The rule that decides it stands here alone.

mod find;
#[cfg(test)]
mod tests;

use domain::{
    ClientId, Confirmation, Digest, Event, Scope, Timestamp,
    grant::{AccessToken, GrantEvent, RefreshToken, Terms},
};
pub(crate) use find::cut_off;
pub use find::{SeenToken, TokenRow, Wanted, find, select_wanted};
use serde_json::json;

use crate::{
    Changes, Db, Recorded, Table, TermsMissing,
    changes::{Row, row},
    on_db,
    table::{EXPIRES_AT, integer, nullable_integer, nullable_text, position, text},
};

/// One row a code, access token or refresh token.
pub static TABLE: Table = Table {
    name: "token",
    form: 4,
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
        nullable_integer("auth_time"),
        nullable_text("acr"),
        nullable_text("kid"),
        nullable_text("confirmation"),
        nullable_text("through"),
        nullable_text("act"),
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
        GrantEvent::JwtBearerIssued(assured) => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), &assured.access, assured.at));
        }
        GrantEvent::Refreshed { predecessor, access, refresh, at, .. } => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            changes.set(&TABLE, state(recorded, predecessor, "used"));
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), access, *at));
            changes.put(&TABLE, refresh_row(recorded, terms, refresh, *at));
        }
        GrantEvent::AccessTokenRefreshed { access, refresh, at, .. } => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            if let Some(refresh) = refresh {
                let (digest, expires_at, position) = (&refresh.digest, refresh.expires_at, recorded.position);
                changes.set(&TABLE, row! { digest: digest, expires_at: expires_at, position: position });
            }
            changes.put(&TABLE, access_row(recorded, &Holder::of(terms), access, *at));
        }
        GrantEvent::TokenExchanged(exchanged) => {
            let terms = recorded.terms.ok_or(TermsMissing)?;
            let holder = Holder { client_id: exchanged.client_id, ..Holder::of(terms) };
            let mut row = access_row(recorded, &holder, &exchanged.access, exchanged.at);
            let through = (!exchanged.through.is_empty()).then(|| json!(exchanged.through).to_string());
            row.extend(row! { through: through, act: exchanged.act.as_ref().map(|act| json!(act).to_string()) });
            changes.put(&TABLE, row);
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
    row.extend(row! { id: access.id, kid: access.kid, confirmation: access.confirmation.as_ref().map(cnf) });
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

/// The claim `cnf`, as JSON.
fn cnf(confirmation: &Confirmation) -> String {
    json!(confirmation).to_string()
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
            scope: self.scope, audience: json!(self.audience).to_string(), auth_time: terms.and_then(|terms| terms.auth_time),
            acr: terms.and_then(|terms| terms.acr.as_deref()), kid: None::<&str>, confirmation: None::<&str>, through: None::<&str>, act: None::<&str>, issued_at: self.at, expires_at: self.expires_at,
            pos: self.pos, position: recorded.position,
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
