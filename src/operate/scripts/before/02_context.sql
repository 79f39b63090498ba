-- The tenant context: who signs it, who verifies it.
-- A script: it is applied again whenever it changes, before the migrations (docs/migrations.md).

-- 244 random bits from the server's strong source, widened to the two HMAC pads.
CREATE OR REPLACE PROCEDURE private.make_key(key_id bigint) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
        || decode(repeat('00', 32), 'hex');
    inner_pad bytea := key;
    outer_pad bytea := key;
BEGIN
    FOR i IN 0..63 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    END LOOP;
    INSERT INTO private.signing_keys (id, inner_key, outer_key) VALUES (key_id, inner_pad, outer_pad);
END $$;

CREATE OR REPLACE PROCEDURE private.rotate_signing_key() LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE newest bigint := (SELECT max(k.id) FROM private.signing_keys k);
BEGIN
    CALL private.make_key(newest + 1);
    DELETE FROM private.signing_keys k WHERE k.id <> 0 AND k.id < newest;
END $$;
COMMENT ON PROCEDURE private.rotate_signing_key IS
    'Signs with a new key from now on. Transactions that are open go on under the key before it; called twice, they end with no rows: that is how a key that became known is thrown out.';

-- plpgsql, not SQL: its plan is kept for the session, where a SQL function would be planned with every statement.
-- Functions of this schema run inside definer functions that have fixed search_path already.
CREATE OR REPLACE FUNCTION private.mac(message text, key_id bigint) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE k private.signing_keys;
BEGIN
    SELECT * INTO k FROM private.signing_keys s WHERE s.id = key_id;
    RETURN pg_catalog.encode(pg_catalog.sha256(k.outer_key || pg_catalog.sha256(k.inner_key || pg_catalog.convert_to(message, 'UTF8'))), 'hex');
END $$;
COMMENT ON FUNCTION private.mac IS 'HMAC-SHA-256 (RFC 2104) of a message with a key, hex; NULL when there is no such key.';

-- Makes public functions the gate's own, closed to PUBLIC and open to `callers` (a list of roles, or nobody).
CREATE OR REPLACE PROCEDURE private.give_to_gate(names text[], callers text) LANGUAGE plpgsql AS $$
DECLARE f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = ANY (names) LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO eis_gate', f);
        -- eis_owner inherits nothing from eis_gate (or the gate's policies would be its own): it acts as it.
        SET LOCAL ROLE eis_gate;
        EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        IF callers <> '' THEN EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s', f, callers); END IF;
        SET LOCAL ROLE eis_owner;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION private.mac FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_gate;
GRANT EXECUTE ON FUNCTION private.mac TO eis_gate;
REVOKE ALL ON PROCEDURE private.make_key, private.rotate_signing_key, private.give_to_gate FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_gate;

SET LOCAL ROLE eis_gate;

-- A transaction of another level sees the database as it was when it began: sessions that have ended since, old passwords,
-- step-ups that were taken back. Every door asks this first.
CREATE OR REPLACE FUNCTION private.fresh_snapshot() RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'this transaction may see sessions as they were; begin one that is READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state', CONSTRAINT = 'old_snapshot';
    END IF;
END $$;
COMMENT ON FUNCTION private.fresh_snapshot IS 'Refuses any isolation level but READ COMMITTED.';

CREATE OR REPLACE FUNCTION private.put_context(
    level text, organization uuid, client uuid, customer uuid, person uuid, role text, writable boolean, limits text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key_id bigint := (SELECT s.id FROM private.signing_keys s ORDER BY s.id DESC LIMIT 1);
    message text := pg_catalog.concat_ws('|', level, coalesce(organization::text, ''), coalesce(client::text, ''),
        coalesce(customer::text, ''), coalesce(person::text, ''), role, CASE WHEN writable THEN 'w' ELSE 'r' END,
        coalesce(limits, ''), pg_catalog.pg_backend_pid(), (extract(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint, key_id);
BEGIN
    PERFORM private.fresh_snapshot();
    PERFORM pg_catalog.set_config('eis.context', message || '|' || private.mac(message, key_id), true);
END $$;
COMMENT ON FUNCTION private.put_context IS 'Signs a context and puts it in place for this transaction. Only the gate calls it.';

-- The context as an array when its signature holds, else NULL. Fields:
-- 1 level, 2 organization, 3 client, 4 customer, 5 user, 6 role, 7 writable, 8 limits, 9 pid, 10 transaction start, 11 key, 12 mac.
CREATE OR REPLACE FUNCTION private.context() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    setting text := pg_catalog.current_setting('eis.context', true);
    fields text[];
BEGIN
    IF setting IS NULL OR setting = '' THEN
        -- The portal says with every transaction that a context must be there: without one it gets an error, never
        -- an empty page. Anyone else gets no rows.
        IF pg_catalog.current_setting('eis.required', true) = 'yes' THEN
            RAISE EXCEPTION 'there is no tenant context in this transaction' USING ERRCODE = 'invalid_authorization_specification';
        END IF;
        RETURN NULL;
    END IF;
    fields := pg_catalog.string_to_array(setting, '|');
    IF pg_catalog.array_length(fields, 1) IS DISTINCT FROM 12
        OR fields[9] IS DISTINCT FROM pg_catalog.pg_backend_pid()::text
        OR fields[10] IS DISTINCT FROM ((extract(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint)::text
        OR fields[11] !~ '^[1-9][0-9]{0,17}$'
        OR fields[12] IS DISTINCT FROM private.mac(pg_catalog.left(setting, -65), fields[11]::bigint)
    THEN RETURN NULL; END IF;
    RETURN fields;
END $$;
COMMENT ON FUNCTION private.context IS 'The verified context as an array of its twelve fields, else NULL.';

-- Definer functions write with the gate's rights, which no policy of the caller's narrows: each that writes on the strength
-- of a context asks for it here.
CREATE OR REPLACE FUNCTION private.writing_context() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE fields text[] := private.context();
BEGIN
    IF fields[7] IS DISTINCT FROM 'w' THEN
        RAISE EXCEPTION 'this context reads and changes nothing' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'reading_only';
    END IF;
    RETURN fields;
END $$;
COMMENT ON FUNCTION private.writing_context IS 'The verified context, when it may write; otherwise it is an error.';

-- The log takes a record's person from the open context. A function that acts for the person of a secret or a password asks
-- here first, so that nothing stands there under another's name.
CREATE OR REPLACE FUNCTION private.nobody_else(person uuid) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE fields text[];
BEGIN
    IF nullif(pg_catalog.current_setting('eis.context', true), '') IS NULL THEN RETURN; END IF;
    fields := private.context();
    IF nullif(fields[5], '') <> person::text THEN
        RAISE EXCEPTION 'another person''s context is open in this transaction' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
END $$;
COMMENT ON FUNCTION private.nobody_else IS 'Refuses what a person does while the context of another is open.';

-- The owner's door (migration, demo data, `portal user create`): a context of one organization without a person.
CREATE OR REPLACE FUNCTION public.open_system_context(organization uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.put_context('organization', organization, NULL, NULL, NULL, 'system', true);
END $$;
COMMENT ON FUNCTION public.open_system_context IS 'For the owner alone: the context of one organization, as the system.';

-- Ids that sort by their time (RFC 9562, version 7), for rows that a statement makes many of.
CREATE OR REPLACE FUNCTION private.fresh_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.encode(pg_catalog.set_bit(pg_catalog.set_bit(pg_catalog.overlay(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()),
        pg_catalog.substring(pg_catalog.int8send((extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint), 3), 1, 6),
        52, 1), 53, 1), 'hex')::uuid
$$;
COMMENT ON FUNCTION private.fresh_id IS 'A UUIDv7 of this moment.';

REVOKE ALL ON FUNCTION private.fresh_snapshot, private.put_context, private.context, private.writing_context, private.nobody_else,
    public.open_system_context, private.fresh_id FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_owner;
GRANT EXECUTE ON FUNCTION public.open_system_context TO eis_owner;
SET LOCAL ROLE eis_owner;
