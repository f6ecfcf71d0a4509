//! The tree's hashes: growing it by leaves into tiles, and computing roots and paths from tiles.

use std::{cell::RefCell, collections::HashMap};

use tlog_tiles::{Error, Hash, HashReader};

use crate::log::{Log, StoredEvent, TILE_BYTES, Tile, Unavailable};

/// The height of tiles (C2SP tlog-tiles).
const HEIGHT: u8 = 8;
const HASH_BYTES: usize = 32;

/// What a leaf of the tree is: the hash of an event's canonical bytes.
pub(super) fn leaf(event: &StoredEvent) -> Hash {
    tlog_tiles::record_hash(&event.envelope())
}

/// Why hashes of the tree are not there.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("tile {number} of level {level} is missing in the store, or shorter than it was")]
    Tile { level: u8, number: u64 },
    #[error("the tree cannot be computed: {0}")]
    Tree(#[from] Error),
}

/// A tree that grows, of which only the right edge is held: in each level, the tile that is not full.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    size: u64,
    edge: Vec<Vec<u8>>,
    full: Vec<Tile>,
    /// Up to which level the edge has changed since it was told.
    changed: usize,
}

impl Tree {
    /// The edge of the tree of a size, from the store.
    pub(super) async fn load(log: &Log, size: u64) -> Result<Self, TreeError> {
        let mut tree = Self { size, ..Self::default() };
        for level in 0..HEIGHT {
            let hashes = size.checked_shr(u32::from(HEIGHT * level)).unwrap_or_default();
            if hashes == 0 {
                break;
            }
            let (number, bytes) = (hashes >> HEIGHT, usize::from(hashes as u8) * HASH_BYTES);
            let stored = if bytes == 0 { Some(Vec::new()) } else { log.tile(level, number).await? };
            let mut stored = stored.filter(|stored| stored.len() >= bytes).ok_or(TreeError::Tile { level, number })?;
            stored.truncate(bytes);
            tree.edge.push(stored);
        }
        Ok(tree)
    }

    /// How many leaves it has.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The leaf that was added last, as far as it stands in a tile that is not full.
    pub(super) fn last_leaf(&self) -> Option<Hash> {
        let (_, last) = self.edge.first()?.split_last_chunk()?;
        Some(Hash(*last))
    }

    /// Adds a leaf.
    pub(super) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.edge.len() == level {
                self.edge.push(Vec::with_capacity(TILE_BYTES));
            }
            self.changed = self.changed.max(level + 1);
            let tile = &mut self.edge[level];
            tile.extend_from_slice(&hash.0);
            if tile.len() < TILE_BYTES {
                break;
            }
            let hashes = std::mem::replace(tile, Vec::with_capacity(TILE_BYTES));
            hash = tlog_tiles::Tile::subtree_hash(&hashes);
            let number = self.size >> (usize::from(HEIGHT) * (level + 1));
            self.full.push(Tile { level: level_of(level), number, hashes });
        }
        self.size += 1;
    }

    /// Adds a leaf where nobody keeps the tiles.
    pub(super) fn note(&mut self, leaf: Hash) {
        self.push(leaf);
        drop(self.take_full());
    }

    /// The tiles that became full since they were taken last.
    pub(super) fn take_full(&mut self) -> Vec<Tile> {
        std::mem::take(&mut self.full)
    }

    /// The tiles of the edge that have changed since they were told last.
    pub(super) fn take_changed_edge(&mut self) -> Vec<Tile> {
        let changed = std::mem::take(&mut self.changed);
        self.edge_tiles().take(changed).filter(|tile| !tile.hashes.is_empty()).collect()
    }

    /// The tiles of the edge, from the leaves up.
    pub(super) fn edge_tiles(&self) -> impl Iterator<Item = Tile> {
        self.edge.iter().enumerate().map(|(level, hashes)| {
            let number = self.size >> (usize::from(HEIGHT) * (level + 1));
            Tile { level: level_of(level), number, hashes: hashes.clone() }
        })
    }

    /// The root (RFC 9162 section 2.1.1).
    pub(super) fn root(&self) -> Result<Hash, TreeError> {
        let tiles = self.edge_tiles().map(|tile| ((tile.level, tile.number), tile.hashes)).collect();
        Ok(tlog_tiles::tree_hash(self.size, &Hashes::Held(tiles))?)
    }
}

fn level_of(level: usize) -> u8 {
    u8::try_from(level).expect("a tree has eight levels of tiles")
}

/// Hashes of the tree by their places: those of tiles that are held, or a list of those asked for.
pub(super) enum Hashes {
    Asked(RefCell<Vec<u64>>),
    Held(HashMap<(u8, u64), Vec<u8>>),
}

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        match self {
            Self::Asked(asked) => {
                asked.borrow_mut().extend_from_slice(indexes);
                Err(Error::IndexesNotInTree)
            }
            Self::Held(tiles) => {
                let hash = |index: &u64| {
                    let tile = tlog_tiles::Tile::from_index(HEIGHT, *index);
                    let hashes = tiles.get(&(tile.level(), tile.level_index())).ok_or(Error::IndexesNotInTree)?;
                    tile.hash_at_index(hashes, *index)
                };
                indexes.iter().map(hash).collect()
            }
        }
    }
}

/// Computes something from the stored tiles: once to learn which hashes it takes, and once with them.
pub(super) async fn from_tiles<T>(log: &Log, compute: impl Fn(&Hashes) -> Result<T, Error>) -> Result<T, TreeError> {
    let asked = {
        let asked = Hashes::Asked(RefCell::default());
        match (compute(&asked), asked) {
            (Ok(needs_none), _) => return Ok(needs_none),
            (Err(_), Hashes::Asked(asked)) => asked.into_inner(),
            (Err(error), Hashes::Held(_)) => return Err(error.into()),
        }
    };
    let mut held = HashMap::new();
    for index in asked {
        let tile = tlog_tiles::Tile::from_index(HEIGHT, index);
        let (level, number) = (tile.level(), tile.level_index());
        let known: &Vec<u8> = match held.entry((level, number)) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(log.tile(level, number).await?.ok_or(TreeError::Tile { level, number })?)
            }
        };
        if known.len() < tile.width() as usize * HASH_BYTES {
            return Err(TreeError::Tile { level, number });
        }
    }
    Ok(compute(&Hashes::Held(held))?)
}

/// The root of the stored tree as it was when it held so many leaves.
pub(super) async fn stored_root(log: &Log, size: u64) -> Result<Hash, TreeError> {
    from_tiles(log, |hashes| tlog_tiles::tree_hash(size, hashes)).await
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    fn sha256(bytes: &[u8]) -> Vec<u8> {
        digest(&SHA256, bytes).as_ref().to_vec()
    }

    /// The tree's root as RFC 9162 section 2.1.1 defines it.
    fn root_of(leaves: &[Vec<u8>]) -> Vec<u8> {
        match leaves {
            [] => sha256(b""),
            [leaf] => sha256(&[&[0], leaf.as_slice()].concat()),
            several => {
                let (left, right) = several.split_at(1 << (several.len() - 1).ilog2());
                sha256(&[&[1], root_of(left).as_slice(), root_of(right).as_slice()].concat())
            }
        }
    }

    #[test]
    fn a_tree_that_grows_has_the_roots_of_the_standard() {
        // The leaves and roots with which Certificate Transparency's first implementations were tested.
        let leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let (mut tree, mut known) = (Tree::default(), Vec::new());
        for (leaf, root) in leaves.iter().zip(roots) {
            let leaf: Vec<u8> =
                (0..leaf.len() / 2).map(|at| u8::from_str_radix(&leaf[2 * at..2 * at + 2], 16).unwrap()).collect();
            tree.push(tlog_tiles::record_hash(&leaf));
            known.push(leaf);
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!(hex(&tree.root().unwrap().0), root);
            assert_eq!(hex(&root_of(&known)), root);
        }
    }

    #[test]
    fn a_tree_of_many_tiles_has_the_root_of_its_definition() {
        let leaves: Vec<Vec<u8>> = (0_u32..66_000).map(|n| n.to_be_bytes().to_vec()).collect();
        let (mut tree, mut full) = (Tree::default(), Vec::new());
        for (leaf, size) in leaves.iter().zip(1..) {
            tree.push(tlog_tiles::record_hash(leaf));
            full.extend(tree.take_full());
            if [1, 255, 256, 257, 511, 512, 1_000, 65_535, 65_536, 65_537, 66_000].contains(&size) {
                assert_eq!(tree.root().unwrap().0.to_vec(), root_of(&leaves[..size]), "{size}");
            }
        }
        let places: Vec<(u8, u64)> = full.iter().map(|tile| (tile.level, tile.number)).collect();
        assert_eq!(places.len(), 257 + 1);
        assert!(places.contains(&(0, 256)) && places.contains(&(1, 0)));
        assert!(full.iter().all(|tile| tile.hashes.len() == TILE_BYTES));
    }
}
