//! The leaves that were taken into the tree, from its tiles, read once in their order; and whether the tiles above go with them.

use std::collections::VecDeque;

use tlog_tiles::Hash;

use super::super::{TreeError, tree::Tree};
use crate::log::{Log, Tile, Unavailable};

/// Tiles of leaves that are held: as far as is looked ahead, and the one behind.
const HELD: usize = 3;
const HASH_BYTES: usize = 32;
const LEAVES: u64 = 256;

pub(super) struct Leaves<'a> {
    log: &'a Log,
    size: u64,
    /// The tree of the leaves that were read.
    tree: Tree,
    /// The number of the first tile that is held.
    first: u64,
    held: VecDeque<Vec<u8>>,
    /// Tiles that are not what the leaves below them give, or are not there.
    damaged: Vec<(u8, u64)>,
}

impl<'a> Leaves<'a> {
    /// Takes the size of the tree that was signed.
    pub(super) fn new(log: &'a Log, size: i64) -> Self {
        let size = size.unsigned_abs();
        Self { log, size, tree: Tree::default(), first: 0, held: VecDeque::new(), damaged: Vec::new() }
    }

    /// The leaf of a position; `None` beyond what was signed, before what is held, and where a tile is missing.
    pub(super) async fn at(&mut self, position: i64) -> Result<Option<Hash>, Unavailable> {
        let Some(place) = u64::try_from(position).ok().and_then(|position| position.checked_sub(1)) else { return Ok(None) };
        let number = place / LEAVES;
        if place >= self.size || number < self.first {
            return Ok(None);
        }
        while self.first + self.held.len() as u64 <= number {
            self.read_next().await?;
        }
        let tile = usize::try_from(number - self.first).ok().and_then(|at| self.held.get(at));
        let at = usize::try_from(place % LEAVES).expect("a tile is small") * HASH_BYTES;
        let hash = tile.and_then(|hashes| hashes.get(at..at + HASH_BYTES)).and_then(|hash| hash.try_into().ok());
        Ok(hash.map(Hash))
    }

    async fn read_next(&mut self) -> Result<(), Unavailable> {
        let number = self.first + self.held.len() as u64;
        let width = LEAVES.min(self.size - number * LEAVES);
        let bytes = usize::try_from(width).expect("a tile is small") * HASH_BYTES;
        let mut hashes = self.log.tile(0, number).await?.unwrap_or_default();
        if hashes.len() < bytes {
            self.damaged.push((0, number));
        }
        // What is missing counts as leaves of no event, so that all others keep their places.
        hashes.resize(bytes, 0);
        for hash in hashes.as_chunks::<HASH_BYTES>().0 {
            self.tree.push(Hash(*hash));
        }
        let full = self.tree.take_full();
        self.check(full.into_iter().filter(|tile| tile.level > 0)).await?;
        self.held.push_back(hashes);
        if self.held.len() > HELD {
            self.held.pop_front();
            self.first += 1;
        }
        Ok(())
    }

    /// Checks that tiles are kept as they should be.
    async fn check(&mut self, tiles: impl Iterator<Item = Tile>) -> Result<(), Unavailable> {
        for Tile { level, number, hashes } in tiles {
            if !self.log.tile(level, number).await?.is_some_and(|kept| kept.starts_with(&hashes)) {
                self.damaged.push((level, number));
            }
        }
        Ok(())
    }

    /// Reads on to the end: the root of all leaves, and the damaged tiles by level and number.
    pub(super) async fn finish(mut self) -> Result<(Hash, Vec<(u8, u64)>), TreeError> {
        while (self.first + self.held.len() as u64) * LEAVES < self.size {
            self.read_next().await?;
        }
        let edge: Vec<Tile> = self.tree.edge_tiles().filter(|tile| tile.level > 0 && !tile.hashes.is_empty()).collect();
        self.check(edge.into_iter()).await?;
        Ok((self.tree.root()?, self.damaged))
    }
}
