-- The checkpoints that witnesses cosigned (C2SP tlog-cosignature): of each witness the last one, with the cosignatures of all who
-- cosigned it. One is chosen for a proof by who cosigned it and how far it reaches.
CREATE TABLE transparency_cosigned (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL
);
