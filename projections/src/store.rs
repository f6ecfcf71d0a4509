//! The two stores as one value: which dialect a pool speaks, and one body of a query for both.

use sqlx::PgPool;

use crate::sqlite::SqliteStore;

/// The connections to the store.
#[derive(Clone, Debug)]
pub enum Db {
    Postgres(PgPool),
    Sqlite(SqliteStore),
}

/// The SQL that a store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    Sqlite,
}

impl Db {
    /// The SQL it speaks.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// `(SELECT ..)` of a list of keys that is bound as one JSON array of strings to the parameter `n`: `digest IN {keys}`.
    #[must_use]
    pub fn keys(&self, n: usize) -> String {
        self.dialect().keys(n)
    }
}

impl Dialect {
    /// As [`Db::keys`].
    #[must_use]
    pub fn keys(self, n: usize) -> String {
        match self {
            Self::Postgres => format!("(SELECT json_array_elements_text(${n}::json))"),
            Self::Sqlite => format!("(SELECT value FROM json_each(${n}))"),
        }
    }
}

/// A list of keys in the form in which [`Db::keys`] takes it.
#[must_use]
pub fn key_list(keys: &[String]) -> String {
    serde_json::Value::from(keys).to_string()
}

/// Runs one body over either pool: `on_db!(db, pool => sqlx::query_as::<_, Row>(SQL).fetch_all(pool).await)`.
#[macro_export]
macro_rules! on_db {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::store::Db::Postgres($pool) => $body,
            $crate::store::Db::Sqlite(store) => {
                let $pool = store.pool();
                $body
            }
        }
    };
}
