-- The Merkle tree over the log, as tiles of 256 hashes (C2SP tlog-tiles). A tile grows to the right until it is full and is never
-- changed otherwise. Hashes do not compress: nobody tries.
CREATE TABLE transparency_tile (
    level INTEGER NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);
ALTER TABLE transparency_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- The last signed checkpoint (C2SP tlog-checkpoint), and the tree's size in it.
CREATE TABLE transparency_checkpoint (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size BIGINT NOT NULL,
    note TEXT NOT NULL
);
