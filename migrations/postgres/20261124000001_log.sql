-- The log. Its columns are postgres-es's, and ours beside them: the position, the command that made the event, and when it was
-- recorded. It is partitioned by position from the beginning, because volume is what outgrows a log first: an old partition can be
-- archived and dropped as one. A unique (stream, sequence) cannot stand on such a table: stream_head decides that. Keys are compared by
-- bytes ("C"): an index in a locale's order breaks when the system's locales change.
CREATE TABLE events (
    position BIGINT PRIMARY KEY,
    aggregate_type TEXT COLLATE "C" NOT NULL,
    aggregate_id TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    event_type TEXT NOT NULL,
    event_version TEXT NOT NULL,
    payload JSON NOT NULL,
    metadata JSON NOT NULL,
    command_id TEXT NOT NULL,
    -- Microseconds since the Unix epoch; never earlier than the event's before it.
    recorded_at BIGINT NOT NULL
) PARTITION BY RANGE (position);

CREATE INDEX events_by_stream ON events (aggregate_type, aggregate_id, sequence);

-- Makes the partition that holds this position and the one after; gives the position at which to ask again. Ten million events are
-- about six gigabytes: few enough to archive in one go, many enough to keep the number of partitions low.
CREATE FUNCTION make_event_partitions(head BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    size CONSTANT BIGINT := 10000000;
    first BIGINT := head / size;
BEGIN
    FOR number IN first .. first + 1 LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)',
            number, number * size, (number + 1) * size);
    END LOOP;
    RETURN (first + 1) * size;
END $$;

SELECT make_event_partitions(0);
