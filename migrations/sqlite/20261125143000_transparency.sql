-- The Merkle tree over the log, as tiles of 256 hashes (C2SP tlog-tiles). A tile grows to the right until it is full and is never
-- changed otherwise.
CREATE TABLE transparency_tile (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

-- The last signed checkpoint (C2SP tlog-checkpoint), and the tree's size in it.
CREATE TABLE transparency_checkpoint (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
