//! The rows of checkpoints that witnesses cosigned.

use projections::on_db;

use super::{Log, Unavailable};

const ALL: &str = "SELECT size, note FROM transparency_cosigned ORDER BY size";
const PUT: &str =
    "INSERT INTO transparency_cosigned (size, note) VALUES ($1, $2) ON CONFLICT (size) DO UPDATE SET note = EXCLUDED.note";
const FORGET: &str = "DELETE FROM transparency_cosigned WHERE size = $1";

impl Log {
    /// All cosigned checkpoints that are kept, with the tree's size in them, the smallest first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn cosigned(&self) -> Result<Vec<(u64, String)>, Unavailable> {
        let rows: Vec<(i64, String)> = on_db!(self.db(), pool => sqlx::query_as(ALL).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(|(size, note)| (size.unsigned_abs(), note)).collect())
    }

    /// Keeps a cosigned checkpoint, in place of one of that size.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn keep_cosigned(&self, size: u64, note: &str) -> Result<(), Unavailable> {
        let size = i64::try_from(size).map_err(|_| Unavailable)?;
        on_db!(self.db(), pool => { sqlx::query(PUT).bind(size).bind(note).execute(pool).await?; });
        Ok(())
    }

    /// Forgets a cosigned checkpoint.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn forget_cosigned(&self, size: u64) -> Result<(), Unavailable> {
        let size = i64::try_from(size).map_err(|_| Unavailable)?;
        on_db!(self.db(), pool => { sqlx::query(FORGET).bind(size).execute(pool).await?; });
        Ok(())
    }
}
