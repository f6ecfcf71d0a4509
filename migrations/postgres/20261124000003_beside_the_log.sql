-- Names that must be unique, by whom they are held.
CREATE TABLE claim (
    name TEXT COLLATE "C" PRIMARY KEY,
    stream TEXT NOT NULL
);

-- Secrets and keys, sealed under the master key; changeable, and never rebuilt from the log.
CREATE TABLE vault (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- What must expire: counters, what may be used once, sealed answers for a retry. Never rebuilt from the log.
CREATE TABLE ephemeral (
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX ephemeral_by_end ON ephemeral (expires_at);

-- The generations of the projections' tables. One of each is active; another may be building beside it.
CREATE TABLE projection (
    name TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'building', 'retired')),
    position BIGINT NOT NULL,
    PRIMARY KEY (name, generation)
);

-- How far each follower of the log has come.
CREATE TABLE checkpoint (
    follower TEXT COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL
);
