-- The tenant context: who is asking, signed for one transaction.
--
-- Runs as eis_owner. Roles (created by `portal migrate up` before the first migration):
--   eis_owner   NOLOGIN, owns tables; subject to RLS like everyone (FORCE)
--   eis_gate    NOLOGIN, owns the functions that check session secrets and sign contexts
--   eis_app     the portal's login        eis_worker  background work
--   eis_monitor reads catalogues and health, no tenant rows
--
-- A context is the setting eis.context: 'level|organization|client|customer|user|role|writable|limits|pid|transaction start|key|mac'.
-- Limits: what narrows the role ('read_only', 'billing', …), or the one command of a service identity; empty: all that the role may.
-- Anyone may write a setting; only eis_gate can compute the mac, and it binds the context to this
-- backend and this transaction, so that a copied one is worth nothing (docs: ARCHITECTURE.md, "Isolation").

-- btree_gist: operators that exclusion constraints compare ids and texts with. pgcrypto: HMAC-SHA-1 and random bytes for
-- the second factor. Trusted extensions, so that the owner may make them; their functions then belong to the server's
-- superuser and are PUBLIC's, which only the right to the schema takes away: it is the gate's alone.
CREATE SCHEMA extensions;
COMMENT ON SCHEMA extensions IS 'Extensions of PostgreSQL, nothing of ours.';
REVOKE ALL ON SCHEMA extensions FROM PUBLIC;
GRANT USAGE ON SCHEMA extensions TO eis_gate;
CREATE EXTENSION btree_gist WITH SCHEMA extensions;
CREATE EXTENSION pgcrypto WITH SCHEMA extensions;

CREATE SCHEMA private;
COMMENT ON SCHEMA private IS 'What no login may read: signing keys and the machinery of the tenant context.';
REVOKE ALL ON SCHEMA private FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA private TO eis_gate;
GRANT USAGE ON SCHEMA public TO eis_app, eis_worker, eis_monitor;
GRANT USAGE, CREATE ON SCHEMA public TO eis_gate;

CREATE TABLE private.signing_keys (
    id          bigint PRIMARY KEY CHECK (id >= 0),
    inner_key   bytea NOT NULL CHECK (octet_length(inner_key) = 64),
    outer_key   bytea NOT NULL CHECK (octet_length(outer_key) = 64),
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE private.signing_keys IS
    'HMAC-SHA-256 keys, kept as their two padded halves (RFC 2104). The highest id signs tenant contexts, the one before it is still believed; 0 makes the sign-in page''s salts for unknown accounts and never changes.';
ALTER TABLE private.signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY gate_read ON private.signing_keys FOR SELECT TO eis_gate USING (true);
CREATE POLICY owner_rotate ON private.signing_keys FOR ALL TO eis_owner USING (true) WITH CHECK (true);
GRANT SELECT ON private.signing_keys TO eis_gate;

-- 244 random bits from the server's strong source, widened to the two HMAC pads.
CREATE PROCEDURE private.make_key(key_id bigint) LANGUAGE plpgsql
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
REVOKE ALL ON PROCEDURE private.make_key FROM PUBLIC;

CREATE PROCEDURE private.rotate_signing_key() LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE newest bigint := (SELECT max(k.id) FROM private.signing_keys k);
BEGIN
    CALL private.make_key(newest + 1);
    DELETE FROM private.signing_keys k WHERE k.id <> 0 AND k.id < newest;
END $$;
COMMENT ON PROCEDURE private.rotate_signing_key IS
    'Signs with a new key from now on. Transactions that are open go on under the key before it; called twice, they end with no rows: that is how a key that became known is thrown out.';
CALL private.make_key(0);
CALL private.make_key(1);
REVOKE ALL ON PROCEDURE private.rotate_signing_key FROM PUBLIC;

-- plpgsql, not SQL: its plan is kept for the session, where a SQL function would be planned with every statement.
-- Functions of this schema run inside definer functions that have fixed search_path already.
CREATE FUNCTION private.mac(message text, key_id bigint) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE k private.signing_keys;
BEGIN
    SELECT * INTO k FROM private.signing_keys s WHERE s.id = key_id;
    RETURN pg_catalog.encode(pg_catalog.sha256(k.outer_key || pg_catalog.sha256(k.inner_key || pg_catalog.convert_to(message, 'UTF8'))), 'hex');
END $$;
COMMENT ON FUNCTION private.mac IS 'HMAC-SHA-256 (RFC 2104) of a message with a key, hex; NULL when there is no such key.';
REVOKE ALL ON FUNCTION private.mac FROM PUBLIC;
GRANT EXECUTE ON FUNCTION private.mac TO eis_gate;

-- A transaction of another level sees the database as it was when it began: sessions that have ended since, old passwords,
-- step-ups that were taken back. Every door asks this first.
CREATE FUNCTION private.fresh_snapshot() RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'this transaction may see sessions as they were; begin one that is READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state', CONSTRAINT = 'old_snapshot';
    END IF;
END $$;
COMMENT ON FUNCTION private.fresh_snapshot IS 'Refuses any isolation level but READ COMMITTED.';
REVOKE ALL ON FUNCTION private.fresh_snapshot FROM PUBLIC;
ALTER FUNCTION private.fresh_snapshot OWNER TO eis_gate;

CREATE FUNCTION private.put_context(
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
REVOKE ALL ON FUNCTION private.put_context FROM PUBLIC;
ALTER FUNCTION private.put_context OWNER TO eis_gate;

-- The context as an array when its signature holds, else NULL. Fields:
-- 1 level, 2 organization, 3 client, 4 customer, 5 user, 6 role, 7 writable, 8 limits, 9 pid, 10 transaction start, 11 key, 12 mac.
CREATE FUNCTION private.context() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
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
REVOKE ALL ON FUNCTION private.context FROM PUBLIC;
ALTER FUNCTION private.context OWNER TO eis_gate;

-- Definer functions write with the gate's rights, which no policy of the caller's narrows: each that writes on the strength
-- of a context asks for it here.
CREATE FUNCTION private.writing_context() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE fields text[] := private.context();
BEGIN
    IF fields[7] IS DISTINCT FROM 'w' THEN
        RAISE EXCEPTION 'this context reads and changes nothing' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'reading_only';
    END IF;
    RETURN fields;
END $$;
COMMENT ON FUNCTION private.writing_context IS 'The verified context, when it may write; otherwise it is an error.';
REVOKE ALL ON FUNCTION private.writing_context FROM PUBLIC;
ALTER FUNCTION private.writing_context OWNER TO eis_gate;

-- The log takes a record's person from the open context. A function that acts for the person of a secret or a password asks
-- here first, so that nothing stands there under another's name.
CREATE FUNCTION private.nobody_else(person uuid) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE fields text[];
BEGIN
    IF nullif(pg_catalog.current_setting('eis.context', true), '') IS NULL THEN RETURN; END IF;
    fields := private.context();
    IF nullif(fields[5], '') <> person::text THEN
        RAISE EXCEPTION 'another person''s context is open in this transaction' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
END $$;
COMMENT ON FUNCTION private.nobody_else IS 'Refuses what a person does while the context of another is open.';
REVOKE ALL ON FUNCTION private.nobody_else FROM PUBLIC;
ALTER FUNCTION private.nobody_else OWNER TO eis_gate;

-- Scopes: what a policy compares a row's tenant columns with. Each is NULL unless the context stands
-- at exactly that level, so that one policy per level is exact and uses the index.
-- Called as a row-valued subselect, so that it runs once a statement.

CREATE FUNCTION public.organization_scope(needs_write boolean DEFAULT false) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'organization|%' THEN RETURN NULL; END IF;
    fields := private.context();
    IF needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN NULL; END IF;
    RETURN nullif(fields[2], '')::uuid;
END $$;
COMMENT ON FUNCTION public.organization_scope IS 'The organization, when the context sees all of it; else NULL.';

CREATE FUNCTION public.client_scope(needs_write boolean DEFAULT false, OUT organization_id uuid, OUT client_id uuid)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'client|%' THEN RETURN; END IF;
    fields := private.context();
    IF needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN; END IF;
    organization_id := nullif(fields[2], '')::uuid;
    client_id := nullif(fields[3], '')::uuid;
END $$;
COMMENT ON FUNCTION public.client_scope IS 'Organization and client, when the context sees exactly one client; else NULLs.';

CREATE FUNCTION public.customer_scope(OUT organization_id uuid, OUT client_id uuid, OUT customer_id uuid)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'customer|%' THEN RETURN; END IF;
    fields := private.context();
    organization_id := nullif(fields[2], '')::uuid;
    client_id := nullif(fields[3], '')::uuid;
    customer_id := nullif(fields[4], '')::uuid;
END $$;
COMMENT ON FUNCTION public.customer_scope IS 'Organization, client and customer, when the context sees exactly one customer; else NULLs.';

CREATE FUNCTION public.get_current_organization_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[2], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_organization_id IS 'The organization of the verified context, at any level; NULL without one.';

CREATE FUNCTION public.get_current_client_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[3], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_client_id IS 'The client of the verified context; NULL at the level of the organization.';

CREATE FUNCTION public.get_current_customer_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[4], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_customer_id IS 'The customer of the verified context; NULL above the level of the customer.';

CREATE FUNCTION public.get_current_user_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[5], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_user_id IS 'The user of the verified context; NULL for the system and without a context.';

CREATE FUNCTION public.get_current_role() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (private.context())[6]; END $$;
COMMENT ON FUNCTION public.get_current_role IS 'The role of the verified context: eis_staff, energy_admin, client_admin, customer_user, service, system, none.';

CREATE FUNCTION public.is_organization_admin() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN coalesce((private.context())[6] = 'energy_admin', false); END $$;
COMMENT ON FUNCTION public.is_organization_admin IS 'Whether the verified context belongs to an energy admin of the organization.';

-- Makes public functions the gate's own, closed to PUBLIC and open to `callers` (a list of roles, or nobody).
CREATE PROCEDURE private.give_to_gate(names text[], callers text) LANGUAGE plpgsql AS $$
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
REVOKE ALL ON PROCEDURE private.give_to_gate FROM PUBLIC;
CALL private.give_to_gate('{
    organization_scope, client_scope, customer_scope, get_current_organization_id, get_current_client_id, get_current_customer_id,
    get_current_user_id, get_current_role, is_organization_admin}', 'eis_app, eis_worker, eis_owner');

-- The one place that knows the form of a policy. `level` is the deepest tenant column of the table:
-- 'organization', 'client' or 'customer'. For each level above and at it: a read policy, and for
-- organization and client a write policy per command in `writes`. `customer_sees` narrows what the
-- customer level reads. Names: level<depth>_<level>_<command>; the deepest is asked first (PostgreSQL asks permissive
-- policies in the reverse of their names' order and stops at the first that holds), and its readers are the most.
CREATE PROCEDURE private.protect(target regclass, level text, writes text[] DEFAULT '{INSERT,UPDATE}',
    customer_sees text DEFAULT NULL, client_column text DEFAULT 'client_id') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    logins CONSTANT text := 'eis_app, eis_worker, eis_owner';
    scope record;
    command text;
    predicate text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', target);
    EXECUTE format('GRANT SELECT ON TABLE %s TO eis_app, eis_worker', target);
    FOR scope IN SELECT * FROM (VALUES
        ('organization', 1, 'organization_id = (SELECT public.organization_scope(%s))'),
        ('client', 2, '(organization_id, ' || client_column || ') = (SELECT s.organization_id, s.client_id FROM public.client_scope(%s) s)')
    ) AS v (name, depth, form) WHERE depth <= CASE protect.level WHEN 'organization' THEN 1 ELSE 2 END
    LOOP
        EXECUTE format('CREATE POLICY %I ON %s FOR SELECT TO %s USING (%s)',
            'level' || scope.depth || '_' || scope.name || '_select', target, logins, format(scope.form, ''));
        predicate := format(scope.form, 'true');
        FOREACH command IN ARRAY writes LOOP
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO %s %s %s', 'level' || scope.depth || '_' || scope.name || '_' || lower(command), target,
                command, logins,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command = 'DELETE' THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    FOREACH command IN ARRAY writes LOOP
        EXECUTE format('GRANT %s ON TABLE %s TO eis_app, eis_worker', command, target);
    END LOOP;
    IF protect.level = 'customer' THEN
        EXECUTE format('CREATE POLICY level3_customer_select ON %s FOR SELECT TO %s USING '
            '((organization_id, client_id, customer_id) = (SELECT s.organization_id, s.client_id, s.customer_id FROM public.customer_scope() s)%s)',
            target, logins, coalesce(' AND (' || customer_sees || ')', ''));
    END IF;
END $$;
COMMENT ON PROCEDURE private.protect IS 'Enables and forces RLS on a table and makes its policies and grants; the form is in isolation.md''s sense exact.';
REVOKE ALL ON PROCEDURE private.protect FROM PUBLIC;

CREATE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
COMMENT ON FUNCTION public.touch_updated_at IS 'Keeps updated_at true whoever writes.';
REVOKE ALL ON FUNCTION public.touch_updated_at FROM PUBLIC;

CREATE PROCEDURE private.track_updates(target regclass) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()', target);
END $$;
REVOKE ALL ON PROCEDURE private.track_updates FROM PUBLIC;

-- Nothing new is open to everyone by default.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The migrations' own table: no tenant data; the portal reads it to know whether it is current.
ALTER TABLE public.__diesel_schema_migrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.__diesel_schema_migrations FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.__diesel_schema_migrations FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY login_select ON public.__diesel_schema_migrations FOR SELECT TO eis_app, eis_worker, eis_monitor USING (true);
GRANT SELECT ON public.__diesel_schema_migrations TO eis_app, eis_worker, eis_monitor;
