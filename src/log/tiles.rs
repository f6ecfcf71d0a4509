//! The rows of the tree over the log: its tiles, how far it has grown, and its last signed checkpoint.

use projections::on_db;

use super::{
    Log, Unavailable,
    checkpoint::{Row, Value},
};

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

/// One statement sees one moment.
const SEALED: &str = "SELECT c.position, s.size, s.note FROM (SELECT 1 AS one) o LEFT JOIN checkpoint c ON c.follower = $1 \
     LEFT JOIN transparency_checkpoint s ON s.one = o.one";
const TILE: &str = "SELECT hashes FROM transparency_tile WHERE level = $1 AND number = $2";
const PUT_TILE: &str = "INSERT INTO transparency_tile (level, number, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, number) DO UPDATE \
     SET hashes = EXCLUDED.hashes WHERE length(EXCLUDED.hashes) > length(transparency_tile.hashes)";
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
    /// written, where the tree is no longer at that position: another node was there.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn seal(&self, from: i64, tiles: Vec<Tile>, sealed: Sealed) -> Result<bool, Unavailable> {
        let mut rows = Vec::with_capacity(tiles.len() + 1);
        for Tile { level, number, hashes } in tiles {
            let number = i64::try_from(number).map_err(|_| Unavailable)?;
            let values = vec![Value::Integer(level.into()), Value::Integer(number), Value::Bytes(hashes)];
            rows.push(Row { sql: PUT_TILE, values });
        }
        if let Some((size, note)) = sealed.signed {
            rows.push(Row { sql: SIGN, values: vec![Value::Integer(size), Value::Text(note)] });
        }
        self.advance(FOLLOWER, (from, sealed.position), rows).await
    }
}
