-- The clients that are still to be told that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0): written with the follower's
-- checkpoint, taken away once what came of it is in the log. Never rebuilt from the log.
CREATE TABLE logout_notice (
    session_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    ended_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    problem TEXT,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logout_notice_by_client ON logout_notice (client_id, due_at);
CREATE INDEX logout_notice_by_due ON logout_notice (due_at);
