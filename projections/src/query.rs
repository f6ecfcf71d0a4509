//! What all queries share: rows by a list of keys, and bounded pages.

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    on_db,
    store::{Db, key_list},
};

/// The most rows a page has, whatever is asked for.
pub const PAGE_MAX: u32 = 1_000;

/// A page of rows in the order of their ids, which is the order in which they were made.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The id of the last row of the page before; `None` for the first page.
    pub after: Option<&'a str>,
    pub limit: u32,
}

impl Page<'_> {
    fn limit(self) -> i64 {
        i64::from(self.limit.min(PAGE_MAX))
    }
}

/// The rows that a query finds for a list of keys, its parameter 1.
pub(crate) async fn by_keys<T>(db: &Db, sql: &str, keys: &[String]) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    on_db!(db, pool => sqlx::query_as(sql).bind(key_list(keys)).fetch_all(pool).await)
}

/// A page of all rows. The query's parameters: 1 the id to go on after, 2 how many.
pub(crate) async fn page<T>(db: &Db, sql: &str, page: Page<'_>) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let after = page.after.unwrap_or_default();
    on_db!(db, pool => sqlx::query_as(sql).bind(after).bind(page.limit()).fetch_all(pool).await)
}

/// A page of somebody's rows. The query's parameters: 1 the id to go on after, 2 how many, 3 whose.
pub(crate) async fn page_of<T>(db: &Db, sql: &str, whose: &str, page: Page<'_>) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let after = page.after.unwrap_or_default();
    on_db!(db, pool => sqlx::query_as(sql).bind(after).bind(page.limit()).bind(whose).fetch_all(pool).await)
}
