-- A release may change a read model's columns or its rule. Each generation says in which form it is: a node that knows another form
-- does not write, and a store is built anew, beside the old one, when it is migrated. And a generation may be ready: built, found equal, and
-- not live yet.
ALTER TABLE projection ADD COLUMN form BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projection DROP CONSTRAINT projection_state_check;
ALTER TABLE projection ADD CONSTRAINT projection_state_check CHECK (state IN ('active', 'building', 'ready', 'retired'));
