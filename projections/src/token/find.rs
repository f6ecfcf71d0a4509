//! Looking codes and tokens up, as introspection needs them: with their client, their user, and whether they were cut off.

use std::sync::LazyLock;

use domain::{ClientId, Confirmation, Timestamp, grant::Act};
use rusqlite::{OptionalExtension, Transaction};

use super::TokenKind;
use crate::{Db, Dialect, cutoff::ISSUER};

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
    /// When the user signed in on whom it stands, in seconds since the Unix epoch; `None` where a client acts for itself.
    pub auth_time: Option<i64>,
    /// How surely that told who they are.
    pub acr: Option<String>,
    /// The key that signed it.
    pub kid: Option<String>,
    /// The key that it is bound to: the claim `cnf`, as JSON.
    pub confirmation: Option<String>,
    /// Of one that came of an exchange: the ids of the clients by whose hands the grant came to its own, as a JSON array.
    pub through: Option<String>,
    /// The claim `act`, as JSON.
    pub act: Option<String>,
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
            auth_time: row.get(11)?,
            acr: row.get(12)?,
            kid: row.get(13)?,
            confirmation: row.get(14)?,
            through: row.get(15)?,
            act: row.get(16)?,
            issued_at: row.get(17)?,
            expires_at: row.get(18)?,
            pos: row.get(19)?,
            position: row.get(20)?,
            client_identifier: row.get(21)?,
            profile: row.get(22)?,
            cut_off: row.get(23)?,
        })
    }

    /// The key that it is bound to; `None` where whoever holds it may use it.
    ///
    /// # Errors
    /// Where it cannot be read: then nobody may.
    pub fn confirmation(&self) -> Result<Option<Confirmation>, serde_json::Error> {
        self.confirmation.as_deref().map(serde_json::from_str).transpose()
    }

    /// The clients by whose hands the grant came to its own, where it came of an exchange.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn through(&self) -> Result<Vec<ClientId>, serde_json::Error> {
        self.through.as_deref().map_or(Ok(Vec::new()), serde_json::from_str)
    }

    /// Who acts for whom it is about.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn act(&self) -> Result<Option<Act>, serde_json::Error> {
        self.act.as_deref().map(serde_json::from_str).transpose()
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

fn find_each(snapshot: &Transaction<'_>, wanted: &[Wanted]) -> rusqlite::Result<Vec<SeenToken>> {
    static FIND: LazyLock<String> = LazyLock::new(|| select_wanted(Dialect::Sqlite));
    let mut find = snapshot.prepare_cached(&FIND)?;
    let mut found = Vec::with_capacity(wanted.len());
    for Wanted { digest, caller } in wanted {
        let seen = find.query_row((digest, caller), |row| {
            Ok(SeenToken { token: TokenRow::read(row)?, caller: row.get(24)?, caller_version: row.get(25)? })
        });
        found.extend(seen.optional()?);
    }
    Ok(found)
}

/// Whether what the row `t` of the table stands on was cut off since: the one rule.
pub(crate) fn cut_off(dialect: Dialect) -> String {
    let through = match dialect {
        Dialect::Postgres => "SELECT jsonb_array_elements_text(t.through::jsonb)",
        Dialect::Sqlite => "SELECT value FROM json_each(t.through)",
    };
    format!(
        "(EXISTS (SELECT 1 FROM cutoff
                WHERE cutoff.subject IN (t.grant_id, t.client_id, t.user_id, t.session_id, t.consent_id, t.kid, '{ISSUER}')
                    AND cutoff.position > t.pos)
            OR (t.through IS NOT NULL
                AND EXISTS (SELECT 1 FROM cutoff WHERE cutoff.subject IN ({through}) AND cutoff.position > t.pos)))"
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
    let cut_off = cut_off(dialect);
    format!(
        "SELECT t.digest, t.kind, t.state, t.id, t.grant_id, t.client_id, t.user_id, t.session_id, t.consent_id, t.scope, t.audience,
            t.auth_time, t.acr, t.kid, t.confirmation, t.through, t.act, t.issued_at, t.expires_at, t.pos, t.position, client.client_id AS client_identifier, account.profile,
            {cut_off} AS cut_off,
            w.caller, caller.version AS caller_version
         FROM {wanted} JOIN token AS t ON t.digest = w.digest
            LEFT JOIN stream_head AS caller ON caller.aggregate_id = w.caller AND caller.aggregate_type = 'client'
            LEFT JOIN client ON client.id = t.client_id LEFT JOIN account ON account.id = t.user_id"
    )
}
