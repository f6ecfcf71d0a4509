-- The head of the log: the one row that every batch locks first, so that positions are gapless and in commit order. It is updated at
-- every batch: room in its page keeps those updates in place.
CREATE TABLE log_head (
    one SMALLINT PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL,
    epoch TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    -- Counts the switches of live projections: a batch made for others is refused.
    generations BIGINT NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The epochs that the log has had: a restored log begins another.
CREATE TABLE log_epoch (
    epoch TEXT PRIMARY KEY,
    from_position BIGINT NOT NULL
);

-- The head of each stream: how many events it holds, and the aggregate's state after them, so that no command reads the log.
CREATE TABLE stream_head (
    aggregate_type TEXT COLLATE "C" NOT NULL,
    aggregate_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_version INTEGER NOT NULL,
    -- The id comes first: it is what streams are looked up by.
    PRIMARY KEY (aggregate_id, aggregate_type)
) WITH (fillfactor = 80);
