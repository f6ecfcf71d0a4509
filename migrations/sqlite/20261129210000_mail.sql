-- Mails that are still to go out (docs/decisions/0021-mail.md). Neither an address nor a link stands here: what somebody entered is sealed, and the
-- rest is found out when a mail is tried. Never rebuilt from the log.
CREATE TABLE mail (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_id TEXT,
    asked TEXT,
    position INTEGER NOT NULL,
    language TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    problem TEXT
) STRICT;
CREATE INDEX mail_by_due ON mail (due_at, id);
