//! What came of comparing the log with what was signed.

/// Differences that are told one by one; beyond, they are only counted.
pub(super) const TOLD: usize = 100;

/// Where the log is not what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The event at this position holds something else.
    Altered(i64),
    /// The event that stood at this position is gone.
    Removed(i64),
    /// The event at this position was not written by the program.
    Inserted(i64),
    /// The events are as they were signed, but this tile is not.
    Tile { level: u8, number: u64 },
    /// Neither the events nor the tiles are what was signed in the checkpoint of so many events: both were changed, and which events
    /// were cannot be told.
    Checkpoint { size: u64 },
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many events the last checkpoint holds.
    pub signed: i64,
    /// Events after them: they are in no checkpoint yet.
    pub unsigned: i64,
    /// The first of them, in their order.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub count: u64,
}

impl Report {
    pub(super) fn add(&mut self, difference: Difference) {
        self.count += 1;
        if self.differences.len() < TOLD {
            self.differences.push(difference);
        }
    }

    /// The events have the signed root: what differed was in the tiles of leaves.
    pub(super) fn blame_tiles(&mut self) {
        let mut tiles: Vec<u64> = self.differences.iter().filter_map(|difference| difference.tile_of_leaf()).collect();
        tiles.dedup();
        (self.count, self.differences) = (0, Vec::new());
        for number in tiles {
            self.add(Difference::Tile { level: 0, number });
        }
    }
}

impl Difference {
    fn tile_of_leaf(self) -> Option<u64> {
        match self {
            Self::Altered(position) | Self::Removed(position) | Self::Inserted(position) => {
                Some((position - 1).unsigned_abs() / 256)
            }
            Self::Tile { .. } | Self::Checkpoint { .. } => None,
        }
    }
}
