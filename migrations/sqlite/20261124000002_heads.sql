-- The head of the log: every append reads and moves it inside its transaction, so that positions are gapless and in commit order.
CREATE TABLE log_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- Counts the switches of live projections: a batch made for others is refused.
    generations INTEGER NOT NULL
) STRICT;

-- The epochs that the log has had: a restored log begins another.
CREATE TABLE log_epoch (
    epoch TEXT PRIMARY KEY,
    from_position INTEGER NOT NULL
) STRICT;

-- The head of each stream: how many events it holds, and the aggregate's state after them, so that no command reads the log.
CREATE TABLE stream_head (
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_version INTEGER NOT NULL,
    -- The id comes first: it is what streams are looked up by.
    PRIMARY KEY (aggregate_id, aggregate_type)
) STRICT, WITHOUT ROWID;
