//! The rows of the tree over the log: its tiles, how far it has grown, and its last signed checkpoint.

use projections::{Db, Dialect, on_db};

use super::{Log, Unavailable};

/// How many bytes a full tile has: 256 hashes of 32.
pub const TILE_BYTES: usize = 256 * 32;

/// The name under which the tree's growth is kept among the followers' checkpoints.
const FOLLOWER: &str = "transparency";

/// Consecutive hashes of the tree, from the left; a full tile has [`TILE_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 for leaves.
    pub level: u8,
    /// Its place in the level, counted from 0.
    pub number: u64,
    pub hashes: Vec<u8>,
}

/// How far the tree has grown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The position of its last leaf: how many there are.
    pub position: i64,
    /// The size in the last signed checkpoint, and the checkpoint.
    pub signed: Option<(i64, String)>,
}

const STANDS: &str = "SELECT position FROM checkpoint WHERE follower = $1";
/// One statement sees one moment.
const SEALED: &str = "SELECT c.position, s.size, s.note FROM (SELECT 1 AS one) o LEFT JOIN checkpoint c ON c.follower = $1 \
     LEFT JOIN transparency_checkpoint s ON s.one = o.one";
const TILE: &str = "SELECT hashes FROM transparency_tile WHERE level = $1 AND number = $2";
const BEGIN: &str = "INSERT INTO checkpoint (follower, position) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const PUT_TILE: &str = "INSERT INTO transparency_tile (level, number, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, number) DO UPDATE \
     SET hashes = EXCLUDED.hashes WHERE length(EXCLUDED.hashes) > length(transparency_tile.hashes)";
const MOVE: &str = "UPDATE checkpoint SET position = $2 WHERE follower = $1";
const SIGN: &str = "INSERT INTO transparency_checkpoint (one, size, note) VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE \
     SET size = EXCLUDED.size, note = EXCLUDED.note WHERE transparency_checkpoint.size < EXCLUDED.size";

impl Log {
    /// How far the tree has grown.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn sealed(&self) -> Result<Sealed, Unavailable> {
        let row: (Option<i64>, Option<i64>, Option<String>) =
            on_db!(self.db(), pool => sqlx::query_as(SEALED).bind(FOLLOWER).fetch_one(pool).await)?;
        let (position, size, note) = row;
        Ok(Sealed { position: position.unwrap_or_default(), signed: size.zip(note) })
    }

    /// The hashes of a tile, as far as it has grown.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn tile(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>, Unavailable> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        Ok(on_db!(self.db(), pool => sqlx::query_scalar(TILE).bind(i32::from(level)).bind(number).fetch_optional(pool).await)?)
    }

    /// Grows the tree from a position by tiles that changed, and keeps a checkpoint of it, in one transaction. `false`, and nothing is
    /// written, where the tree is no longer at that position: another node was there. Whoever no longer waits does not cut it off: a
    /// transaction on SQLite whose beginning nobody took note of would keep the file's lock.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn seal(&self, from: i64, tiles: Vec<Tile>, sealed: Sealed) -> Result<bool, Unavailable> {
        let db = self.db().clone();
        tokio::spawn(async move { seal(&db, from, tiles, sealed).await }).await.map_err(|_| Unavailable)?
    }
}

async fn seal(db: &Db, from: i64, tiles: Vec<Tile>, sealed: Sealed) -> Result<bool, Unavailable> {
    let (begin, lock) = match db.dialect() {
        Dialect::Postgres => ("BEGIN", " FOR UPDATE"),
        Dialect::Sqlite => ("BEGIN IMMEDIATE", ""),
    };
    let stands = format!("{STANDS}{lock}");
    on_db!(db, pool => {
        let mut transaction = pool.begin_with(begin).await?;
        sqlx::query(BEGIN).bind(FOLLOWER).execute(&mut *transaction).await?;
        let position: i64 = sqlx::query_scalar(&stands).bind(FOLLOWER).fetch_one(&mut *transaction).await?;
        if position != from {
            transaction.rollback().await?;
            return Ok(false);
        }
        for tile in tiles {
            let number = i64::try_from(tile.number).map_err(|_| Unavailable)?;
            let put = sqlx::query(PUT_TILE).bind(i32::from(tile.level)).bind(number).bind(tile.hashes);
            put.execute(&mut *transaction).await?;
        }
        sqlx::query(MOVE).bind(FOLLOWER).bind(sealed.position).execute(&mut *transaction).await?;
        if let Some((size, note)) = sealed.signed {
            sqlx::query(SIGN).bind(size).bind(note).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    });
    Ok(true)
}
