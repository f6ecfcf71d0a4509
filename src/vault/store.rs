//! The vault's rows. They are written in the append's transaction; only a re-sealing writes them here, and what belongs to no event.

use projections::{Db, key_list, on_db};
use sqlx::FromRow;

use crate::log::{Unavailable, coalesce::Coalescer};

use super::kind;

/// A sealed value.
#[derive(Clone, Debug, FromRow)]
pub struct VaultRow {
    pub kind: String,
    pub id: String,
    pub sealed: String,
}

/// Reads the vault. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VaultStore(Db);

impl VaultStore {
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self(db)
    }

    /// A sealed value; `None` where there is none.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn get(&self, kind: &str, id: &str) -> Result<Option<String>, Unavailable> {
        let sql = "SELECT sealed FROM vault WHERE kind = $1 AND id = $2";
        Ok(on_db!(&self.0, pool => sqlx::query_scalar(sql).bind(kind).bind(id).fetch_optional(pool).await)?)
    }

    /// The sealed values of users' own keys, by user id: concurrent look-ups share a query.
    #[must_use]
    pub fn subject_keys(&self) -> Coalescer<String, String> {
        let db = self.0.clone();
        Coalescer::new("subject_key", move |ids: Vec<String>| {
            let db = db.clone();
            async move {
                let sql = format!("SELECT id, sealed FROM vault WHERE kind = $1 AND id IN {}", db.keys(2));
                let ids = key_list(&ids);
                let rows = on_db!(&db, pool => {
                    sqlx::query_as::<_, (String, String)>(&sql).bind(kind::SUBJECT_KEY).bind(ids).fetch_all(pool).await
                });
                Ok(rows?.into_iter().collect())
            }
        })
    }

    /// Every row.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn all(&self) -> Result<Vec<VaultRow>, Unavailable> {
        let sql = "SELECT kind, id, sealed FROM vault ORDER BY kind, id";
        Ok(on_db!(&self.0, pool => sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// Puts a value where there is none; whoever comes second changes nothing.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn put_new(&self, row: &VaultRow) -> Result<(), Unavailable> {
        let sql = "INSERT INTO vault (kind, id, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        on_db!(&self.0, pool => {
            sqlx::query(sql).bind(&row.kind).bind(&row.id).bind(&row.sealed).execute(pool).await.map(drop)
        })?;
        Ok(())
    }

    /// Replaces a value, unless it has changed since it was read.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn replace(&self, row: &VaultRow, sealed: &str) -> Result<(), Unavailable> {
        let sql = "UPDATE vault SET sealed = $1 WHERE kind = $2 AND id = $3 AND sealed = $4";
        on_db!(&self.0, pool => {
            sqlx::query(sql).bind(sealed).bind(&row.kind).bind(&row.id).bind(&row.sealed).execute(pool).await.map(drop)
        })?;
        Ok(())
    }
}
