-- The segments of the archive: files that hold the log's oldest events. A segment stands here once its file is on the disk, whole and read
-- back; only then its events go from the table.
CREATE TABLE archive_segment (
    first_position BIGINT PRIMARY KEY,
    last_position BIGINT NOT NULL UNIQUE,
    -- The digest of its events.
    digest TEXT NOT NULL
);
