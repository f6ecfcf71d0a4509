-- The log. Its columns are sqlite-es's, and ours beside them: the position, the command that made the event, and when it was
-- recorded. stream_head decides what may follow in a stream.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    event_type TEXT NOT NULL,
    event_version TEXT NOT NULL,
    payload TEXT NOT NULL,
    metadata TEXT NOT NULL,
    command_id TEXT NOT NULL,
    -- Microseconds since the Unix epoch; never earlier than the event's before it.
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_stream ON events (aggregate_type, aggregate_id, sequence);
