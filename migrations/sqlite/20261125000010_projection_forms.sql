-- A release may change a read model's columns or its rule. Each generation says in which form it is: a node that knows another form
-- does not write, and a store is built anew, beside the old one, when it is migrated. And a generation may be ready: built, found equal, and
-- not live yet. SQLite cannot change a constraint: the table is made anew.
CREATE TABLE projection_in_forms (
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'building', 'ready', 'retired')),
    position INTEGER NOT NULL,
    form INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (name, generation)
) STRICT, WITHOUT ROWID;
INSERT INTO projection_in_forms (name, generation, state, position) SELECT name, generation, state, position FROM projection;
DROP TABLE projection;
ALTER TABLE projection_in_forms RENAME TO projection;
