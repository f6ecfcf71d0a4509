-- A batch's answer also says when its events were recorded: with that, the process that wrote them knows them as they are stored, and what
-- follows the log there need not read them back.
DROP FUNCTION append_batch(
    TEXT, BIGINT, TEXT[], TEXT[], BIGINT[], BIGINT[], TEXT[], INTEGER[], TEXT[], TEXT[], BIGINT[], TEXT[], TEXT[],
    TEXT[], TEXT[], TEXT[], BIGINT[], TEXT[], TEXT[], BIGINT[], TEXT[], TEXT[], TEXT[], TEXT[], TEXT[], TEXT, TEXT,
    TEXT[], TEXT[]);

-- Appends a batch: one call, autocommit. The first statement takes the head lock; each that follows sees all that was committed
-- before. (One statement of common table expressions would see the snapshot from before the lock.) If any row does not hold, nothing
-- is written and the places of those rows are told, counted from 1.
CREATE FUNCTION append_batch(
    p_epoch TEXT, p_generations BIGINT,
    s_type TEXT[], s_id TEXT[], s_expected BIGINT[], s_version BIGINT[], s_state TEXT[], s_state_version INTEGER[],
    g_type TEXT[], g_id TEXT[], g_version BIGINT[],
    c_name TEXT[], c_stream TEXT[], c_released TEXT[],
    x_kind TEXT[], x_key TEXT[], x_expires_at BIGINT[],
    e_type TEXT[], e_id TEXT[], e_sequence BIGINT[], e_event_type TEXT[], e_event_version TEXT[], e_payload TEXT[],
    e_metadata TEXT[], e_command_id TEXT[],
    p_vault TEXT, p_ephemeral TEXT,
    l_puts TEXT[], l_sets TEXT[]
) RETURNS TABLE (outcome TEXT, base BIGINT, at BIGINT, failed TEXT) LANGUAGE plpgsql AS $$
DECLARE
    head log_head%ROWTYPE;
    now_us BIGINT;
    bad_streams BIGINT[];
    bad_guards BIGINT[] := '{}';
    bad_claims BIGINT[] := '{}';
    bad_ephemeral BIGINT[] := '{}';
BEGIN
    SELECT * INTO STRICT head FROM log_head FOR UPDATE;
    IF head.epoch <> p_epoch THEN
        RETURN QUERY SELECT 'epoch', NULL::BIGINT, NULL::BIGINT, NULL::TEXT;
        RETURN;
    END IF;
    IF head.generations <> p_generations THEN
        RETURN QUERY SELECT 'generations', NULL::BIGINT, NULL::BIGINT, NULL::TEXT;
        RETURN;
    END IF;
    now_us := GREATEST(head.recorded_at, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT);

    bad_streams := ARRAY(
        SELECT s.place FROM unnest(s_type, s_id, s_expected) WITH ORDINALITY AS s (type, id, expected, place)
        LEFT JOIN stream_head h ON h.aggregate_id = s.id AND h.aggregate_type = s.type
        WHERE COALESCE(h.version, 0) <> s.expected);
    IF cardinality(g_id) > 0 THEN
        bad_guards := ARRAY(
            SELECT g.place FROM unnest(g_type, g_id, g_version) WITH ORDINALITY AS g (type, id, version, place)
            LEFT JOIN stream_head h ON h.aggregate_id = g.id AND h.aggregate_type = g.type
            WHERE COALESCE(h.version, 0) <> g.version);
    END IF;
    IF cardinality(c_name) > 0 THEN
        bad_claims := ARRAY(
            SELECT c.place FROM unnest(c_name) WITH ORDINALITY AS c (name, place) JOIN claim t ON t.name = c.name);
    END IF;
    IF cardinality(x_key) > 0 THEN
        bad_ephemeral := ARRAY(
            SELECT x.place FROM unnest(x_kind, x_key) WITH ORDINALITY AS x (kind, key, place)
            JOIN ephemeral t ON t.kind = x.kind AND t.key = x.key WHERE t.expires_at > now_us / 1000000);
    END IF;
    IF cardinality(bad_streams) + cardinality(bad_guards) + cardinality(bad_claims) + cardinality(bad_ephemeral) > 0 THEN
        RETURN QUERY SELECT 'failed', NULL::BIGINT, NULL::BIGINT, json_build_object(
            'streams', bad_streams, 'guards', bad_guards, 'claims', bad_claims, 'ephemeral', bad_ephemeral)::TEXT;
        RETURN;
    END IF;

    INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, command_id,
        recorded_at)
    SELECT head.position + e.place, e.type, e.id, e.sequence, e.event_type, e.event_version, e.payload::JSON, e.metadata::JSON,
        e.command_id, now_us
    FROM unnest(e_type, e_id, e_sequence, e_event_type, e_event_version, e_payload, e_metadata, e_command_id)
        WITH ORDINALITY AS e (type, id, sequence, event_type, event_version, payload, metadata, command_id, place);

    -- Under the lock, what was expected above holds: a new stream has no row, and any other has one.
    IF 0 = ANY (s_expected) THEN
        INSERT INTO stream_head (aggregate_type, aggregate_id, version, state, state_version)
        SELECT s.type, s.id, s.version, s.state, s.state_version
        FROM unnest(s_type, s_id, s_expected, s_version, s_state, s_state_version)
            AS s (type, id, expected, version, state, state_version)
        WHERE s.expected = 0;
    END IF;
    IF 0 < ANY (s_expected) THEN
        UPDATE stream_head AS h SET version = s.version, state = s.state, state_version = s.state_version
        FROM unnest(s_type, s_id, s_expected, s_version, s_state, s_state_version)
            AS s (type, id, expected, version, state, state_version)
        WHERE s.expected > 0 AND h.aggregate_id = s.id AND h.aggregate_type = s.type;
    END IF;

    IF cardinality(c_released) > 0 THEN
        DELETE FROM claim WHERE name = ANY (c_released);
    END IF;
    IF cardinality(c_name) > 0 THEN
        INSERT INTO claim (name, stream) SELECT c.name, c.stream FROM unnest(c_name, c_stream) AS c (name, stream);
    END IF;
    IF p_vault IS NOT NULL THEN
        INSERT INTO vault (kind, id, sealed)
        SELECT v.kind, v.id, v.sealed FROM json_to_recordset((p_vault::JSON) -> 'puts') AS v (kind TEXT, id TEXT, sealed TEXT)
        ON CONFLICT (kind, id) DO UPDATE SET sealed = EXCLUDED.sealed;
        DELETE FROM vault t USING json_to_recordset((p_vault::JSON) -> 'deletes') AS v (kind TEXT, id TEXT)
        WHERE t.kind = v.kind AND t.id = v.id;
    END IF;
    IF p_ephemeral IS NOT NULL THEN
        INSERT INTO ephemeral (kind, key, value, expires_at)
        SELECT v.kind, v.key, v.value, v.expires_at
        FROM json_to_recordset((p_ephemeral::JSON) -> 'puts') AS v (kind TEXT, key TEXT, value TEXT, expires_at BIGINT)
        ON CONFLICT (kind, key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at;
        DELETE FROM ephemeral t USING json_to_recordset((p_ephemeral::JSON) -> 'deletes') AS v (kind TEXT, key TEXT)
        WHERE t.kind = v.kind AND t.key = v.key;
    END IF;
    IF cardinality(x_key) > 0 THEN
        INSERT INTO ephemeral (kind, key, value, expires_at)
        SELECT x.kind, x.key, '', x.expires_at FROM unnest(x_kind, x_key, x_expires_at) AS x (kind, key, expires_at)
        ON CONFLICT (kind, key) DO UPDATE SET expires_at = EXCLUDED.expires_at;
    END IF;

    PERFORM apply_live(head.position, l_puts, l_sets);

    UPDATE log_head SET position = head.position + cardinality(e_id), recorded_at = now_us;
    PERFORM pg_notify('grantlog', (head.position + cardinality(e_id))::TEXT);
    RETURN QUERY SELECT 'written', head.position, now_us, NULL::TEXT;
END $$;
