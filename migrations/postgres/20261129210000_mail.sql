-- Mails that are still to go out (docs/decisions/0021-mail.md). Neither an address nor a link stands here: what somebody entered is sealed, and the
-- rest is found out when a mail is tried. Never rebuilt from the log.
CREATE TABLE mail (
    id TEXT COLLATE "C" PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    asked TEXT COLLATE "C",
    position BIGINT NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    problem TEXT
);
CREATE INDEX mail_by_due ON mail (due_at, id);
