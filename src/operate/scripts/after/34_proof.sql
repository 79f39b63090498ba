-- The proof in the database: what an auditor can ask of it while it runs.
--
--   test_rls_isolation()   tries every table as every role, on tenants that it makes and takes back itself
--   prove_isolation()      the same, put on record in isolation_runs
--   isolation_*            views of what decides who may see and do what, and how it differs from what it should be
--
-- The test acts as eis_probe, a NOLOGIN role that is a member of eis_app and nothing else: policies and rights hold for
-- it exactly as for the portal's login, and that login cannot reach its functions. Contexts are opened by the same
-- open_context() as the portal's, with the secrets of sessions that the test makes.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

-- The rows of a place by the columns that the table has, as deep as `level` goes.
CREATE OR REPLACE FUNCTION private.rows_at(rule private.sample_rule, place private.sample_place, level text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format('%I = %L', column_name, value), ' AND ' ORDER BY depth), 'false')
    FROM (VALUES (1, rule.columns[1], place.o), (2, rule.columns[2], place.c), (3, rule.columns[3], place.k)) v (depth, column_name, value)
    WHERE column_name IS NOT NULL
      AND depth <= CASE level WHEN 'organization' THEN 1 WHEN 'client' THEN 2 ELSE 3 END
$$;

-- The rows that a stand may see of a table.
CREATE OR REPLACE FUNCTION private.rows_of(rule private.sample_rule, stand private.sample_stand) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    depth CONSTANT text[] := '{none,organization,client,customer}';
    mine text := 'false';
BEGIN
    IF stand.level <> 'none' AND array_position(depth, stand.level) <= array_position(depth, rule.readers) THEN
        mine := private.rows_at(rule, stand.at, stand.level);
        IF stand.level = 'customer' THEN mine := format('%s AND (%s)', mine, rule.customer_sees); END IF;
        IF rule.person <> 'true' THEN
            mine := format('%s AND (%s)', mine, replace(replace(rule.person, '{person}', stand.person::text), '{role}', stand.role));
        END IF;
    END IF;
    IF rule.table_name IN ('public.role_assignments', 'public.sign_ins') AND stand.level <> 'none' THEN
        mine := format('(%s) OR user_id = %L', mine, stand.person);
    END IF;
    RETURN mine;
END $$;

-- The columns of a table that are written with a row.
CREATE OR REPLACE FUNCTION private.columns_of(target regclass) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
$$;

-- The owner's view of one organization of the test: how many rows each stand should see there, and one row for each place
-- to try copies of.
CREATE OR REPLACE FUNCTION private.sample_rows(rules private.sample_rule[], places private.sample_place[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule private.sample_rule;
    place private.sample_place;
    copy jsonb;
    copies jsonb := '{}';
BEGIN
    FOREACH place IN ARRAY places LOOP
        PERFORM public.open_system_context(place.o);
        FOREACH rule IN ARRAY rules LOOP
            CONTINUE WHEN rule.readers IN ('program', 'person');
            EXECUTE format('SELECT to_jsonb(t) FROM %s t WHERE (%s) AND (%s) LIMIT 1', rule.table_name,
                private.rows_at(rule, place, rule.readers), rule.open) INTO copy;
            copies := jsonb_set(copies, ARRAY[rule.table_name || ' ' || place.name], coalesce(copy, 'null'));
        END LOOP;
    END LOOP;
    RETURN copies;
END $$;

CREATE OR REPLACE FUNCTION private.verdict(table_name text, role text, attempt text, expected text, found text) RETURNS private.isolation_verdict
LANGUAGE sql IMMUTABLE AS $$ SELECT ROW(table_name, role, attempt, expected, found, expected = found)::private.isolation_verdict $$;

-- What a role sees of a table: all of its own rows and no other.
CREATE OR REPLACE FUNCTION private.try_reading(rule private.sample_rule, stand private.sample_stand, truth bigint) RETURNS private.isolation_verdict
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mine text := private.rows_of(rule, stand);
    own record;
    other record;
    known boolean := rule.readers <> 'person';
BEGIN
    SELECT * INTO own FROM private.probe(format('SELECT 1 FROM %s WHERE %s', rule.table_name, mine));
    SELECT * INTO other FROM private.probe(format('SELECT 1 FROM %s WHERE NOT coalesce(%s, false) LIMIT 1', rule.table_name, mine));
    RETURN private.verdict(rule.table_name, stand.role, 'read',
        format('own rows: %s, others: none', CASE WHEN known OR mine = 'false' THEN truth::text ELSE 'some' END),
        CASE WHEN coalesce(own.state, other.state) IS NOT NULL THEN 'refused: ' || coalesce(own.state, other.state)
            ELSE format('own rows: %s, others: %s', CASE WHEN known OR own.touched = 0 THEN own.touched::text ELSE 'some' END,
                CASE WHEN other.touched > 0 THEN 'some' ELSE 'none' END) END);
END $$;

-- Writing at a place. `may`: what is allowed there; everything else must be refused or touch no row.
CREATE OR REPLACE FUNCTION private.try_writing(rule private.sample_rule, stand private.sample_stand, place private.sample_place, copy jsonb, may text[])
RETURNS SETOF private.isolation_verdict LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    theirs text := format('(%s) AND (%s)', private.rows_at(rule, place, rule.readers), rule.open);
    org text := quote_ident(rule.columns[1]);
    columns text := private.columns_of(rule.table_name::regclass);
    command text;
    result record;
BEGIN
    FOREACH command IN ARRAY '{INSERT,UPDATE,DELETE}'::text[] LOOP
        SELECT * INTO result FROM private.probe(CASE command
            WHEN 'INSERT' THEN format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, %3$L)', rule.table_name, columns, copy)
            WHEN 'UPDATE' THEN format('UPDATE %s SET %3$s = %3$s WHERE %2$s', rule.table_name, theirs, org)
            ELSE format('DELETE FROM %s WHERE %s', rule.table_name, theirs) END);
        -- A copy fails on its key, and a row may have others hanging on it: after the policies let it pass.
        RETURN NEXT private.verdict(rule.table_name, stand.role, lower(command) || ' ' || place.name,
            CASE WHEN command = ANY (may) THEN 'done' ELSE 'refused' END,
            CASE WHEN result.touched > 0 OR result.state IN ('23505', '23503', '23P01') THEN 'done'
                 WHEN result.state = '42501' OR (result.state IS NULL AND command <> 'INSERT') THEN 'refused'
                 ELSE 'failed: ' || coalesce(result.state, 'no row') END);
    END LOOP;
END $$;

-- Moving one's own rows to another place, blindly where no trigger holds rows fast: a condition that reads a column would
-- bring the policies for reading in.
CREATE OR REPLACE FUNCTION private.try_moving(rule private.sample_rule, stand private.sample_stand, place private.sample_place)
RETURNS private.isolation_verdict LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text := (SELECT string_agg(format('%I = %L', v.name, v.value), ', ' ORDER BY v.depth)
        FROM (VALUES (1, rule.columns[1], place.o), (2, rule.columns[2], place.c), (3, rule.columns[3], place.k)) v (depth, name, value)
        WHERE v.name IS NOT NULL);
    result record;
BEGIN
    SELECT * INTO result FROM private.probe(format('UPDATE %s SET %s WHERE %s', rule.table_name, target,
        CASE rule.open WHEN 'true' THEN 'private.at_most_twenty()'
            ELSE format('(%s) AND (%s)', private.rows_at(rule, stand.at, rule.readers), rule.open) END));
    RETURN private.verdict(rule.table_name, stand.role, 'move own to ' || place.name, 'refused',
        CASE WHEN result.touched > 0 OR result.state IN ('23505', '23503', '23P01', 'EIS99') THEN 'done'
             WHEN result.state = '42501' OR result.state IS NULL THEN 'refused' ELSE 'failed: ' || result.state END);
END $$;

-- Writing without a condition: it must reach the rows that may be written, and no more. A trigger that refuses tells
-- that the policies had let a row pass.
CREATE OR REPLACE FUNCTION private.try_blindly(rule private.sample_rule, stand private.sample_stand, own bigint, may text[])
RETURNS SETOF private.isolation_verdict LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text := (SELECT max(a.attname) FROM pg_attribute a WHERE a.attrelid = rule.table_name::regclass AND a.attname IN ('created_at', 'updated_at'));
    command text;
    allowed bigint;
    result record;
BEGIN
    FOREACH command IN ARRAY '{UPDATE,DELETE}'::text[] LOOP
        CONTINUE WHEN command = 'UPDATE' AND target IS NULL;
        allowed := CASE WHEN command = ANY (may) THEN own ELSE 0 END;
        SELECT * INTO result FROM private.probe(CASE command
            WHEN 'UPDATE' THEN format('UPDATE %s SET %I = now() WHERE private.at_most_twenty()', rule.table_name, target)
            ELSE format('DELETE FROM %s WHERE private.at_most_twenty()', rule.table_name) END);
        RETURN NEXT private.verdict(rule.table_name, stand.role, lower(command) || ' blindly', 'no row of others',
            CASE WHEN result.state = 'EIS99' OR result.touched > allowed OR (result.state = '23514' AND allowed = 0) THEN 'rows of others'
                 ELSE 'no row of others' END);
    END LOOP;
END $$;

-- A table that no login may even ask for: of a part of a table, of what only the gate or the monitor reads.
CREATE OR REPLACE FUNCTION private.try_hidden(target regclass) RETURNS SETOF private.isolation_verdict
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := (SELECT format('%I.%I', c.relnamespace::regnamespace, c.relname) FROM pg_class c WHERE c.oid = target);
    first text := (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum LIMIT 1);
    command record;
    result record;
BEGIN
    FOR command IN SELECT * FROM (VALUES ('read', 'SELECT 1 FROM %s LIMIT 1'), ('insert', 'INSERT INTO %s (%s) SELECT NULL WHERE false'),
        ('update', 'UPDATE %1$s SET %2$s = NULL WHERE false'), ('delete', 'DELETE FROM %s WHERE false')) v (attempt, statement)
        WHERE v.attempt = 'read' OR (SELECT c.relkind FROM pg_class c WHERE c.oid = target) IN ('r', 'p') LOOP
        SELECT * INTO result FROM private.probe(format(command.statement, name, first));
        RETURN NEXT private.verdict(name, 'any', command.attempt, 'refused',
            CASE WHEN result.state = '42501' THEN 'refused'
                 ELSE 'allowed, and the test knows no rows of this table: its migration needs a private.sample_… function' END);
    END LOOP;
END $$;

-- Everything about one table, with a context open.
CREATE OR REPLACE FUNCTION private.try_table(rule private.sample_rule, stand private.sample_stand, places private.sample_place[], truth bigint, copies jsonb)
RETURNS SETOF private.isolation_verdict LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place private.sample_place;
    copy jsonb;
    may text[];
BEGIN
    RETURN NEXT private.try_reading(rule, stand, truth);
    IF rule.readers = 'person' THEN RETURN; END IF;
    may := ARRAY(SELECT split_part(w.w, ':', -1) FROM unnest(rule.writes) w (w) WHERE CASE split_part(w.w, ':', 1)
        WHEN 'organization' THEN stand.role = 'energy admin'
        ELSE stand.role LIKE '%admin%' END);
    RETURN QUERY SELECT * FROM private.try_blindly(rule, stand, truth, may);
    FOREACH place IN ARRAY places LOOP
        -- A place that this stand reaches is not foreign to it.
        CONTINUE WHEN place.name <> 'own' AND (stand.level = 'organization' AND place.o = (stand.at).o
            OR stand.level = 'client' AND place.c = (stand.at).c);
        -- Rows that lie above a place (the organization, for another client of it) are not foreign there.
        CONTINUE WHEN place.name <> 'own' AND private.rows_at(rule, place, rule.readers) = private.rows_at(rule, stand.at, rule.readers);
        copy := copies -> (rule.table_name || ' ' || place.name);
        IF jsonb_typeof(copy) IS DISTINCT FROM 'object' THEN
            RETURN NEXT private.verdict(rule.table_name, stand.role, 'write ' || place.name, 'a row to try it on', 'none was made');
            CONTINUE;
        END IF;
        -- Of a person's own rows everybody tries to put in one that would be theirs.
        IF rule.person LIKE '%{person}%' THEN copy := jsonb_set(copy, '{user_id}', coalesce(to_jsonb(stand.person), 'null')); END IF;
        RETURN QUERY SELECT * FROM private.try_writing(rule, stand, place, copy, CASE WHEN place.name = 'own' THEN may ELSE '{}' END);
        IF place.name <> 'own' THEN RETURN NEXT private.try_moving(rule, stand, place); END IF;
    END LOOP;
END $$;

-- The logins themselves: what would make every policy idle.
CREATE OR REPLACE FUNCTION private.try_logins() RETURNS SETOF private.isolation_verdict LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.verdict('(login)', r.rolname::text, 'stand above the policies', 'no', coalesce(nullif(concat_ws(', ',
        CASE WHEN r.rolsuper THEN 'a superuser' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) AND r.rolname <> 'eis_probe' THEN 'a member of other roles' END,
        CASE WHEN EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) THEN 'an owner of tables' END,
        CASE WHEN EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace IN ('public'::regnamespace, 'private'::regnamespace)
            AND c.relkind IN ('r', 'p') AND has_table_privilege(r.oid, c.oid, 'TRUNCATE')) THEN 'may TRUNCATE' END,
        CASE WHEN r.rolname = 'eis_probe' AND (SELECT array_agg(m.roleid::regrole::text) FROM pg_auth_members m WHERE m.member = r.oid)
            IS DISTINCT FROM '{eis_app}' THEN 'more or less than a member of eis_app' END), ''), 'no'))
    FROM pg_roles r WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor', 'eis_probe')
$$;

-- Makes the tenants of the test, organizations first, then clients, then customers; what each migration says of its tables.
CREATE OR REPLACE FUNCTION private.make_samples(places private.sample_place[]) RETURNS private.sample_rule[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
    maker text;
    told private.sample_rule[];
    rules private.sample_rule[] := '{}';
BEGIN
    FOR place IN SELECT DISTINCT depth, p.o, CASE WHEN depth > 1 THEN p.c END AS c, CASE WHEN depth > 2 THEN p.k END AS k
        FROM unnest(places) p, generate_series(1, 3) depth ORDER BY depth
    LOOP
        PERFORM public.open_system_context(place.o);
        FOR maker IN SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'private'::regnamespace AND p.proname ~ '^sample_[0-9]{2}_'
            ORDER BY p.proname COLLATE "C"
        LOOP
            EXECUTE format('SELECT array_agg(r) FROM private.%I($1, $2, $3) r', maker) INTO told USING place.o, place.c, place.k;
            IF place.o = places[1].o THEN rules := rules || coalesce(told, '{}'); END IF;
        END LOOP;
    END LOOP;
    RETURN rules;
END $$;

CREATE OR REPLACE FUNCTION private.sample_stands(here private.sample_place) RETURNS private.sample_stand[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(ROW(role, level, private.sample_id(place, noun), narrow, here)::private.sample_stand) FROM (VALUES
        ('no context', 'none', NULL::uuid, NULL, NULL::uuid),
        ('energy admin', 'organization', here.o, 'admin', NULL),
        ('energy admin at a client', 'client', here.o, 'admin', here.c),
        ('client admin', 'client', here.c, 'admin', NULL),
        ('narrowed to reading', 'organization', here.o, 'reader', NULL),
        ('narrowed to reading, client', 'client', here.c, 'reader', NULL),
        ('customer', 'customer', here.k, 'login', NULL),
        ('staff, reading', 'organization', here.o, 'staff', NULL),
        ('staff, reading at a client', 'client', here.o, 'staff', here.c)) v (role, level, place, noun, narrow)
$$;

-- One role against every table: what it should see is counted as the owner, then everything is tried under its own context.
CREATE OR REPLACE FUNCTION private.try_stand(stand private.sample_stand, rules private.sample_rule[], places private.sample_place[], copies jsonb)
RETURNS SETOF private.isolation_verdict LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule private.sample_rule;
    truths bigint[] := '{}';
    truth bigint;
BEGIN
    PERFORM public.open_system_context((stand.at).o);
    FOREACH rule IN ARRAY rules LOOP
        IF rule.readers IN ('program', 'person') THEN truth := 0;
        ELSE EXECUTE format('SELECT count(*) FROM %s WHERE %s', rule.table_name, private.rows_of(rule, stand)) INTO truth; END IF;
        truths := truths || truth;
    END LOOP;
    SET LOCAL eis.context = '';
    IF stand.level <> 'none' THEN PERFORM private.probe_context(private.sample_secret(stand.person), stand.narrow); END IF;
    FOR i IN 1..cardinality(rules) LOOP
        CONTINUE WHEN rules[i].readers = 'program';
        IF truths[i] = 0 AND private.rows_of(rules[i], stand) <> 'false' AND rules[i].readers <> 'person' THEN
            RETURN NEXT private.verdict(rules[i].table_name, stand.role, 'read', 'a row of its own', 'none was made');
        END IF;
        RETURN QUERY SELECT * FROM private.try_table(rules[i], stand, places, truths[i], copies);
    END LOOP;
END $$;

-- Everything, within the caller's subtransaction; the caller takes it back.
CREATE OR REPLACE FUNCTION private.try_everything() RETURNS private.isolation_verdict[] LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 9));
    places private.sample_place[] := ARRAY[
        ROW('own', ids[1], ids[2], ids[3]), ROW('another customer', ids[1], ids[2], ids[4]),
        ROW('another client', ids[1], ids[5], ids[6]), ROW('another organization', ids[7], ids[8], ids[9])]::private.sample_place[];
    rules private.sample_rule[] := private.make_samples(places);
    copies jsonb := private.sample_rows(rules, places);
    verdicts private.isolation_verdict[] := ARRAY(SELECT v FROM private.try_logins() v);
    stand private.sample_stand;
BEGIN
    -- What the caller's session had is back when this is taken back.
    SET LOCAL eis.required = '';
    FOREACH stand IN ARRAY private.sample_stands(places[1]) LOOP
        verdicts := verdicts || ARRAY(SELECT v FROM private.try_stand(stand, rules, places, copies) v);
    END LOOP;
    RETURN verdicts || ARRAY(SELECT v FROM pg_class c, private.try_hidden(c.oid) v
            WHERE c.relnamespace IN ('public'::regnamespace, 'private'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND NOT EXISTS (SELECT 1 FROM unnest(rules) r WHERE r.table_name::regclass = c.oid))
        || ARRAY(SELECT private.verdict(r.table_name, 'any', 'hold no tenant''s data', 'yes', CASE WHEN EXISTS (
                SELECT 1 FROM pg_attribute a WHERE a.attrelid = r.table_name::regclass AND a.attname IN ('organization_id', 'client_id', 'customer_id'))
                THEN 'no: it names tenants' ELSE 'yes' END)
            FROM unnest(rules) r WHERE r.readers = 'program')
        || ARRAY(SELECT private.verdict(format('%I.%I', c.relnamespace::regnamespace, c.relname), 'any', 'have row security, forced', 'yes',
                CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'yes' WHEN c.relrowsecurity THEN 'not forced' ELSE 'no' END)
            FROM pg_class c WHERE c.relnamespace IN ('public'::regnamespace, 'private'::regnamespace) AND c.relkind IN ('r', 'p'));
END $$;

CREATE OR REPLACE FUNCTION public.test_rls_isolation()
RETURNS TABLE (table_name text, role text, attempt text, expected text, found text, passed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET lock_timeout = '5s' AS $$
DECLARE verdicts private.isolation_verdict[];
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'this test writes rows of its own and takes them back' USING ERRCODE = 'read_only_sql_transaction',
            HINT = 'Begin with: BEGIN READ WRITE;';
    END IF;
    BEGIN
        verdicts := private.try_everything();
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'EIS00';
    EXCEPTION WHEN SQLSTATE 'EIS00' THEN NULL;
    END;
    RETURN QUERY SELECT v.* FROM unnest(verdicts) v ORDER BY v.passed, v.table_name, v.role, v.attempt;
END $$;
COMMENT ON FUNCTION public.test_rls_isolation IS
    'Tries every table as every role, on tenants that it makes and takes back itself, with the rights of the portal''s login: what was expected and what was found. For eis_monitor, in BEGIN READ WRITE.';

CREATE OR REPLACE FUNCTION public.prove_isolation(asked_by text, pause interval DEFAULT '0') RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run CONSTANT uuid := gen_random_uuid();
    began CONSTANT timestamptz := clock_timestamp();
    verdicts private.isolation_verdict[];
    drift jsonb;
BEGIN
    -- One at a time, whichever server asks: the lock is held until the record stands, and who comes meanwhile is refused.
    -- Reading the record goes on.
    BEGIN
        LOCK TABLE public.isolation_runs IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION 'the test of isolation runs already' USING ERRCODE = 'object_in_use', CONSTRAINT = 'runs_already';
    END;
    IF EXISTS (SELECT 1 FROM public.isolation_runs r WHERE r.at > clock_timestamp() - pause) THEN
        RAISE EXCEPTION 'the test of isolation ran just now' USING ERRCODE = 'object_in_use', CONSTRAINT = 'ran_just_now';
    END IF;
    verdicts := ARRAY(SELECT ROW(t.*)::private.isolation_verdict FROM public.test_rls_isolation() t);
    -- As whoever asks the view would read it: names of our own without their schema.
    SET LOCAL search_path = pg_catalog, public, pg_temp;
    drift := (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.fault, d.line), '[]') FROM public.isolation_drift d);
    SET LOCAL search_path = pg_catalog, pg_temp;
    INSERT INTO public.isolation_runs (id, asked_by, milliseconds, tried, passed, tables, summary, faults, drift)
    SELECT run, left(prove_isolation.asked_by, 200), (extract(epoch FROM clock_timestamp() - began) * 1000)::integer,
        count(*), count(*) FILTER (WHERE v.passed), count(DISTINCT v.table_name),
        (SELECT jsonb_agg(to_jsonb(s)) FROM (SELECT w.table_name AS "table", w.role, count(*) AS tried, count(*) FILTER (WHERE w.passed) AS passed
            FROM unnest(verdicts) w GROUP BY 1, 2 ORDER BY 1, 2) s),
        coalesce(jsonb_agg(jsonb_build_object('table', v.table_name, 'role', v.role, 'attempt', v.attempt, 'expected', v.expected, 'found', v.found))
            FILTER (WHERE NOT v.passed), '[]'), drift
    FROM unnest(verdicts) v;
    DELETE FROM public.isolation_runs r WHERE r.at < now() - interval '2 years';
    RETURN run;
END $$;
COMMENT ON FUNCTION public.prove_isolation IS 'test_rls_isolation() put on record in isolation_runs; the id of the record. One at a time, and refused within the pause after the last. For eis_monitor, in BEGIN READ WRITE.';

REVOKE ALL ON FUNCTION private.rows_at, private.rows_of, private.columns_of, private.sample_rows, private.verdict, private.try_reading,
    private.try_writing, private.try_moving, private.try_blindly, private.try_hidden, private.try_table, private.try_logins,
    private.make_samples, private.sample_stands, private.try_stand, private.try_everything, public.test_rls_isolation,
    public.prove_isolation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.test_rls_isolation, public.prove_isolation TO eis_monitor;
