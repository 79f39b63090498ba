-- The proof in the database: what an auditor can ask of it while it runs.
--
--   test_rls_isolation()   tries every table as every role, on tenants that it makes and takes back itself
--   prove_isolation()      the same, put on record in isolation_runs
--   isolation_*            views of what decides who may see and do what, and how it differs from what it should be
--
-- The test acts as eis_probe, a NOLOGIN role that is a member of eis_app and nothing else: policies and rights hold for
-- it exactly as for the portal's login, and that login cannot reach its functions. Contexts are opened by the same
-- open_context() as the portal's, with the secrets of sessions that the test makes.

-- ── Sample tenants ─────────────────────────────────────────────────────────────────────────────────
--
-- Each migration that makes tables makes a function private.sample_<nn>_<noun>(organization, client, customer), found
-- by its name and called in the order of names: first for each organization (client and customer NULL), then for each
-- client, then for each customer. It puts in at least one row of each of its tables for the place, and for an
-- organization it returns what the roles may do with them. A table that no such function tells of fails the test.

CREATE TYPE private.sample_rule AS (
    table_name      text,
    -- The deepest level that reads it: organization, client, customer; person: only one's own rows; program: no tenant data.
    readers         text,
    -- What admins may do. 'organization:INSERT': only at the level of the organization.
    writes          text[],
    -- The columns that name organization, client and customer.
    columns         text[],
    -- What a customer sees of the own rows; the rows that no trigger holds fast.
    customer_sees   text,
    open            text,
    -- What one person sees of all that: {person} and {role} stand for who asks.
    person          text
);

CREATE FUNCTION private.rule_of(table_name text, readers text, writes text[] DEFAULT '{}',
    columns text[] DEFAULT NULL, customer_sees text DEFAULT 'true', open text DEFAULT 'true', person text DEFAULT 'true') RETURNS private.sample_rule
LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(table_name, readers, writes, coalesce(columns, CASE readers WHEN 'organization' THEN '{organization_id}'
        WHEN 'client' THEN '{organization_id,client_id}' ELSE '{organization_id,client_id,customer_id}' END::text[]),
        customer_sees, open, person)::private.sample_rule
$$;

CREATE FUNCTION private.sample_id(of_place uuid, noun text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.md5(of_place::text || noun)::uuid
$$;

-- A person with one role and a live session whose secret is known: the last 16 bytes of a digest of the ids.
CREATE FUNCTION private.sample_secret(person uuid) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.uuid_send(private.sample_id(person, 'secret'))
$$;
CREATE FUNCTION private.sample_person(person uuid, role text, organization uuid, client uuid, customer uuid, opened uuid, narrowed text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.users (id, email, name, password_salt, password_proof)
    VALUES (person, person || '@isolation.invalid', 'Isolation test', '$argon2id$v=19$m=19456,t=2,p=1$' || replace(person::text, '-', ''), '');
    INSERT INTO public.role_assignments (organization_id, id, user_id, role, client_id, customer_id, narrowed)
    VALUES (organization, private.sample_id(person, 'assignment'), person, sample_person.role, client, customer, sample_person.narrowed);
    INSERT INTO public.sessions (secret_hash, user_id, assignment_id, organization_id, auth_hash, expires_at, idle_seconds, bound_at)
    SELECT sha256(private.sample_secret(person)), u.id, a.id, opened, private.auth_hash(u, a), now() + interval '1 hour', 3600, now() - interval '1 second'
    FROM public.users u JOIN public.role_assignments a ON a.user_id = u.id WHERE u.id = person;
    -- A number of its own, so that no sequence moves.
    INSERT INTO public.sign_ins (id, user_id, account, address, outcome) OVERRIDING SYSTEM VALUE
    VALUES (-('x' || left(replace(person::text, '-', ''), 15))::bit(60)::bigint - 1, person, sha256(uuid_send(person)), '', 'signed_in');
END $$;

CREATE FUNCTION private.sample_10_identity(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.clients (organization_id, id, slug, name, legal_name, currency, time_zone, locale, invoice_series)
        VALUES (o, c, 'test-' || c, 'Isolation test', 'Isolation test', 'EUR', 'UTC', 'en-GB', 'T');
        PERFORM private.sample_person(private.sample_id(c, 'admin'), 'client_admin', o, c, NULL, NULL),
            private.sample_person(private.sample_id(c, 'reader'), 'client_admin', o, c, NULL, NULL, 'read_only');
    ELSE
        INSERT INTO public.organizations (id, slug, name) VALUES (o, 'test-' || o, 'Isolation test');
        PERFORM private.sample_person(private.sample_id(o, 'admin'), 'energy_admin', o, NULL, NULL, NULL),
            private.sample_person(private.sample_id(o, 'reader'), 'energy_admin', o, NULL, NULL, NULL, 'read_only'),
            private.sample_person(private.sample_id(o, 'staff'), 'eis_staff', NULL, NULL, NULL, o);
    END IF;
    INSERT INTO public.audit_log (organization_id, id, client_id, user_name, role, action, entity, summary)
    VALUES (o, private.sample_id(coalesce(c, o), 'record'), c, 'Isolation test', 'system', 'test', 'isolation', 'Isolation test');
    IF c IS NULL THEN
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.organizations', 'customer', '{}', '{id,NULL,NULL}'),
            private.rule_of('public.clients', 'customer', '{organization:INSERT,UPDATE}', '{organization_id,id,NULL}'),
            private.rule_of('public.role_assignments', 'client'),
            private.rule_of('public.sign_ins', 'person', '{}', '{}'),
            private.rule_of('public.audit_log', 'client', '{INSERT}'),
            private.rule_of('public.__diesel_schema_migrations', 'program', '{}', '{}'),
            private.rule_of('public.isolation_runs', 'program', '{}', '{}')]) r;
    END IF;
END $$;

-- What the gate alone may write.
CREATE FUNCTION private.sample_11_gate(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN; END IF;
    INSERT INTO public.invitations (organization_id, id, token_hash, email, name, role, client_id, invited_by, reason, expires_at)
    VALUES (o, private.sample_id(coalesce(c, o), 'invitation'), sha256(uuid_send(coalesce(c, o))), 'isolation@test.invalid', 'Isolation test',
        CASE WHEN c IS NULL THEN 'energy_admin' ELSE 'client_admin' END, c, private.sample_id(o, 'admin'),
        CASE WHEN c IS NULL THEN 'Isolation test' END, now() + interval '1 hour');
    IF c IS NULL THEN
        -- Over already: the staff of the test read.
        INSERT INTO public.step_ups (organization_id, id, user_id, session_id, reason, expires_at, ended_at)
        VALUES (o, private.sample_id(o, 'step-up'), private.sample_id(o, 'staff'), o, 'Isolation test', now(), now());
        INSERT INTO public.role_notices (organization_id, user_id, summary, reason)
        VALUES (o, private.sample_id(o, 'admin'), 'Isolation test', 'Isolation test');
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.role_notices', 'organization'), private.rule_of('public.invitations', 'client'), private.rule_of('public.step_ups', 'organization')]) r;
    END IF;
END $$;

CREATE FUNCTION private.sample_20_customers(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.customers (organization_id, client_id, id, name) VALUES (o, c, k, 'Isolation test');
        INSERT INTO public.accounts (organization_id, client_id, customer_id, id, account_number, is_main)
        VALUES (o, c, k, private.sample_id(k, 'account'), k::text, true);
        PERFORM private.sample_person(private.sample_id(k, 'login'), 'customer_user', o, c, k, NULL);
        INSERT INTO public.service_points (organization_id, client_id, id, address, time_zone)
        VALUES (o, c, private.sample_id(k, 'place'), 'Isolation test', 'UTC');
        INSERT INTO public.contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
        VALUES (o, c, k, private.sample_id(k, 'contract'), private.sample_id(k, 'account'), private.sample_id(k, 'place'), '2023-01-01', '2023-01-01');
        -- The contract is told of it by what writes it.
        INSERT INTO public.meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
        VALUES (o, c, private.sample_id(k, 'meter'), private.sample_id(k, 'place'), k::text, 'interval', 60, 'UTC', '2023-01-01');
        INSERT INTO public.registers (organization_id, client_id, id, meter_id)
        VALUES (o, c, private.sample_id(k, 'register'), private.sample_id(k, 'meter'));
    ELSIF c IS NULL THEN
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.customers', 'customer', '{INSERT,UPDATE}', '{organization_id,client_id,id}'),
            private.rule_of('public.accounts', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.service_points', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.contracts', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.contract_meters', 'customer', '{INSERT,DELETE}'),
            private.rule_of('public.registers', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.meters', 'client', '{INSERT,UPDATE}')]) r;
    END IF;
END $$;

CREATE FUNCTION private.sample_30_usage(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE meter uuid := private.sample_id(k, 'meter');
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
        VALUES (o, c, k, meter, '2026-01-01', 60, '{1}', 1), (o, c, k, meter, '2023-01-01', 60, '{1}', 1);
        INSERT INTO public.superseded_interval_days (organization_id, client_id, meter_id, day, id, wh)
        VALUES (o, c, meter, '2026-01-01', private.sample_id(k, 'before'), '{2}');
        INSERT INTO public.meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
        VALUES (o, c, private.sample_id(k, 'reading'), k, meter, private.sample_id(k, 'register'), '2026-01-01', 1, 'actual'),
               (o, c, private.sample_id(k, 'next'), k, meter, private.sample_id(k, 'register'), '2026-02-01', 2, 'actual');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.imports (organization_id, client_id, id, file_name, file_hash, file_bytes, format, status)
        VALUES (o, c, private.sample_id(c, 'import'), 'test.csv', sha256(''), 0, 'csv', 'failed');
        INSERT INTO public.import_rejections (organization_id, client_id, import_id, position, line, content, reason)
        VALUES (o, c, private.sample_id(c, 'import'), 1, 1, '', 'Isolation test');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.imports', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.import_rejections', 'client', '{INSERT}'),
            private.rule_of('public.meter_readings', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.interval_days', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.superseded_interval_days', 'client', '{INSERT}')]) r;
    END IF;
END $$;

CREATE FUNCTION private.sample_40_tariffs(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
        VALUES (o, c, private.sample_id(k, 'agreement'), k, private.sample_id(k, 'contract'), 'TEST', '2026-01-01');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from)
        VALUES (o, c, private.sample_id(c, 'tariff'), 'TEST', 1, 'Isolation test', 'flat', 'EUR', '{}', '2026-01-01');
        INSERT INTO public.tariff_blocks (organization_id, client_id, tariff_rate_id, position, price)
        VALUES (o, c, private.sample_id(c, 'tariff'), 1, 0);
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.tariff_rates', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.tariff_blocks', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.tariff_agreements', 'customer', '{INSERT,UPDATE}')]) r;
    END IF;
END $$;

-- Of each customer one invoice that is issued and paid, and one draft, which a customer must not see.
CREATE FUNCTION private.sample_50_billing(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account uuid := private.sample_id(k, 'account');
    contract uuid := private.sample_id(k, 'contract');
    run uuid := private.sample_id(c, 'run');
    issued uuid := private.sample_id(k, 'issued');
    draft uuid := private.sample_id(k, 'draft');
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.invoices (organization_id, client_id, id, customer_id, account_id, billing_run_id, status, series, number, customer_name, account_number,
            period_from, period_to, issued_on, due_on, currency, kwh, net, tax, total)
        VALUES (o, c, issued, k, account, run, 'issued', k::text, 1, '', '', '2026-01-01', '2026-02-01', '2026-02-01', '2026-02-15', 'EUR', 1, 1, 0, 1),
               (o, c, draft, k, account, run, 'draft', '', NULL, '', '', '2026-02-01', '2026-03-01', NULL, NULL, 'EUR', 1, 1, 0, 1);
        INSERT INTO public.billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, invoice_id, from_on, to_on, status)
        VALUES (o, c, k, private.sample_id(k, 'issued-period'), contract, account, run, issued, '2026-01-01', '2026-02-01', 'issued'),
               (o, c, k, private.sample_id(k, 'draft-period'), contract, account, run, draft, '2026-02-01', '2026-03-01', 'rated');
        INSERT INTO public.invoice_lines (organization_id, client_id, invoice_id, position, customer_id, billing_period_id, issued, kind, description, quantity,
            unit, price, amount)
        VALUES (o, c, issued, 1, k, private.sample_id(k, 'issued-period'), true, 'energy', '', 1, 'kWh', 1, 1),
               (o, c, draft, 1, k, private.sample_id(k, 'draft-period'), false, 'energy', '', 1, 'kWh', 1, 1);
        INSERT INTO public.payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
        VALUES (o, c, private.sample_id(k, 'payment'), k, account, '2026-02-02', 1, 'EUR', 'cash');
        INSERT INTO public.allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
        VALUES (o, c, private.sample_id(k, 'payment'), issued, k, account, 1);
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        VALUES (o, c, k, private.sample_id(k, 'draft-period'), 'test', 'warns', '');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.billing_runs (organization_id, client_id, id, due_on) VALUES (o, c, private.sample_id(c, 'run'), '2026-02-01');
        INSERT INTO public.invoice_counters (organization_id, client_id, series) VALUES (o, c, 'T');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.billing_periods', 'customer', '{INSERT,UPDATE,DELETE}',
                customer_sees => 'status IN (''issued'', ''credited'')', open => 'status NOT IN (''issued'', ''credited'')'),
            private.rule_of('public.billing_runs', 'client', '{INSERT,UPDATE,DELETE}'),
            private.rule_of('public.billing_exceptions', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.invoice_counters', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.invoice_counts', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.invoices', 'customer', '{INSERT,UPDATE,DELETE}',
                customer_sees => 'status <> ''draft''', open => 'status = ''draft'''),
            private.rule_of('public.invoice_lines', 'customer', '{INSERT,UPDATE,DELETE}', customer_sees => 'issued', open => 'NOT issued'),
            private.rule_of('public.payments', 'customer', '{INSERT}'),
            private.rule_of('public.allocations', 'customer', '{INSERT}')]) r;
    END IF;
END $$;

-- ── The probe ──────────────────────────────────────────────────────────────────────────────────────

-- Runs one statement as the portal's login would and takes it back: how many rows, and the SQLSTATE when it was refused.
CREATE FUNCTION private.probe(statement text, OUT touched bigint, OUT state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RAISE EXCEPTION 'taken back' USING ERRCODE = 'EIS00';
EXCEPTION
    WHEN SQLSTATE 'EIS00' THEN NULL;
    WHEN OTHERS THEN touched := 0; state := SQLSTATE;
END $$;
COMMENT ON FUNCTION private.probe IS 'For test_rls_isolation() alone: runs a statement with exactly the portal''s rights and takes it back.';

CREATE FUNCTION private.probe_context(secret bytea, narrow_client uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN PERFORM public.open_context(secret, narrow_client); END $$;

-- A condition that reads no column, so that only the policies of the command itself keep a blind UPDATE or DELETE from
-- others' rows. Where they do not, it stops at the twentieth: all is taken back, but nothing should be locked for long.
CREATE FUNCTION private.at_most_twenty() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE n integer := coalesce(nullif(current_setting('eis.touched', true), '')::integer, 0) + 1;
BEGIN
    IF n > 20 THEN RAISE EXCEPTION 'more than twenty rows' USING ERRCODE = 'EIS99'; END IF;
    EXECUTE format('SET LOCAL eis.touched = %s', n);
    RETURN true;
END $$;

-- ── Trying ─────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE private.sample_place AS (name text, o uuid, c uuid, k uuid);
CREATE TYPE private.sample_stand AS (role text, level text, person uuid, narrow uuid, at private.sample_place);
CREATE TYPE private.isolation_verdict AS (table_name text, role text, attempt text, expected text, found text, passed boolean);

-- The rows of a place by the columns that the table has, as deep as `level` goes.
CREATE FUNCTION private.rows_at(rule private.sample_rule, place private.sample_place, level text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format('%I = %L', column_name, value), ' AND ' ORDER BY depth), 'false')
    FROM (VALUES (1, rule.columns[1], place.o), (2, rule.columns[2], place.c), (3, rule.columns[3], place.k)) v (depth, column_name, value)
    WHERE column_name IS NOT NULL
      AND depth <= CASE level WHEN 'organization' THEN 1 WHEN 'client' THEN 2 ELSE 3 END
$$;

-- The rows that a stand may see of a table.
CREATE FUNCTION private.rows_of(rule private.sample_rule, stand private.sample_stand) RETURNS text
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
CREATE FUNCTION private.columns_of(target regclass) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
$$;

-- The owner's view of one organization of the test: how many rows each stand should see there, and one row for each place
-- to try copies of.
CREATE FUNCTION private.sample_rows(rules private.sample_rule[], places private.sample_place[]) RETURNS jsonb
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

CREATE FUNCTION private.verdict(table_name text, role text, attempt text, expected text, found text) RETURNS private.isolation_verdict
LANGUAGE sql IMMUTABLE AS $$ SELECT ROW(table_name, role, attempt, expected, found, expected = found)::private.isolation_verdict $$;

-- What a role sees of a table: all of its own rows and no other.
CREATE FUNCTION private.try_reading(rule private.sample_rule, stand private.sample_stand, truth bigint) RETURNS private.isolation_verdict
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
CREATE FUNCTION private.try_writing(rule private.sample_rule, stand private.sample_stand, place private.sample_place, copy jsonb, may text[])
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
CREATE FUNCTION private.try_moving(rule private.sample_rule, stand private.sample_stand, place private.sample_place)
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
CREATE FUNCTION private.try_blindly(rule private.sample_rule, stand private.sample_stand, own bigint, may text[])
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
CREATE FUNCTION private.try_hidden(target regclass) RETURNS SETOF private.isolation_verdict
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
CREATE FUNCTION private.try_table(rule private.sample_rule, stand private.sample_stand, places private.sample_place[], truth bigint, copies jsonb)
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
CREATE FUNCTION private.try_logins() RETURNS SETOF private.isolation_verdict LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
CREATE FUNCTION private.make_samples(places private.sample_place[]) RETURNS private.sample_rule[]
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

CREATE FUNCTION private.sample_stands(here private.sample_place) RETURNS private.sample_stand[] LANGUAGE sql IMMUTABLE
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
CREATE FUNCTION private.try_stand(stand private.sample_stand, rules private.sample_rule[], places private.sample_place[], copies jsonb)
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
CREATE FUNCTION private.try_everything() RETURNS private.isolation_verdict[] LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION public.test_rls_isolation()
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

-- ── What stands ────────────────────────────────────────────────────────────────────────────────────
--
-- Views of the catalogue for eis_monitor. The first is also what `portal check` asks: it takes its text from between
-- the two marks here, so that a view that was tampered with does not fool it.

CREATE VIEW public.isolation_state WITH (security_invoker = true, security_barrier = true) AS
-- state: begin
-- What decides who may see and do what, one line each: owners, row-level security, policies, rights, definer functions,
-- triggers, constraints, settings of logins. Rights of owners are left out, and so is whatever differs between server versions.
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'private')),
tables AS (SELECT c.* FROM pg_class c JOIN ours o ON o.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
functions AS (SELECT p.* FROM pg_proc p JOIN ours o ON o.oid = p.pronamespace)
SELECT line FROM (
    SELECT format('schema %s owner %s', n.nspname, n.nspowner::regrole) FROM pg_namespace n JOIN ours USING (oid)
    UNION ALL
    SELECT format('grant %s on schema %s to %s', a.privilege_type, n.nspname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_namespace n JOIN ours USING (oid), aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner
    UNION ALL
    SELECT format('%s %s.%s owner %s%s%s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' ELSE 'table' END, c.relnamespace::regnamespace, c.relname, c.relowner::regrole,
        CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END, CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE '' END)
    FROM tables c
    UNION ALL
    SELECT format('grant %s on %s.%s to %s%s', a.privilege_type, c.relnamespace::regnamespace, c.relname,
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END)
    FROM tables c, aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT format('grant %s (%s) on %s.%s to %s', a.privilege_type, t.attname, c.relnamespace::regnamespace, c.relname,
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM tables c JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT format('policy %s on %s.%s for %s%s to %s using %s check %s', p.polname, c.relnamespace::regnamespace, c.relname, p.polcmd,
        CASE WHEN p.polpermissive THEN '' ELSE ' restrictive' END,
        (SELECT string_agg(coalesce(nullif(r, 0)::regrole::text, 'PUBLIC'), ', ' ORDER BY nullif(r, 0)::regrole::text) FROM unnest(p.polroles) r),
        regexp_replace(coalesce(pg_get_expr(p.polqual, p.polrelid), '-'), '\s+', ' ', 'g'),
        regexp_replace(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-'), '\s+', ' ', 'g'))
    FROM pg_policy p JOIN tables c ON c.oid = p.polrelid
    UNION ALL
    SELECT format('function %s.%s(%s) owner %s%s%s body %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid),
        p.proowner::regrole, CASE WHEN p.prosecdef THEN ' security definer' ELSE '' END || CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END,
        coalesce((SELECT ' ' || string_agg(c, ' ' ORDER BY c) FROM unnest(p.proconfig) c), ''),
        left(md5(p.prosrc), 12))
    FROM functions p
    UNION ALL
    SELECT format('grant EXECUTE on %s.%s(%s) to %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid),
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM functions p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner
    UNION ALL
    SELECT format('trigger %s.%s %s%s', c.relnamespace::regnamespace, c.relname, pg_get_triggerdef(t.oid),
        CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT format('trigger of the constraint %s on %s.%s enabled %s', k.conname, c.relnamespace::regnamespace, c.relname, t.tgenabled)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid JOIN pg_constraint k ON k.oid = t.tgconstraint WHERE t.tgisinternal AND t.tgenabled <> 'O'
    UNION ALL
    SELECT format('event trigger %s runs %s', e.evtname, e.evtfoid::regproc) FROM pg_event_trigger e
    UNION ALL
    SELECT format('rule %s on %s.%s', r.rulename, c.relnamespace::regnamespace, c.relname)
    FROM pg_rewrite r JOIN tables c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
    UNION ALL
    SELECT format('constraint %s on %s.%s %s', k.conname, c.relnamespace::regnamespace, c.relname, regexp_replace(pg_get_constraintdef(k.oid), '\s+', ' ', 'g'))
    FROM pg_constraint k JOIN tables c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT format('unique index %s', pg_get_indexdef(i.indexrelid)) FROM pg_index i JOIN tables c ON c.oid = i.indrelid
    WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid)
    UNION ALL
    SELECT format('default grant %s on %s of %s%s to %s', a.privilege_type, d.defaclobjtype, d.defaclrole::regrole,
        coalesce(' in ' || nullif(d.defaclnamespace, 0)::regnamespace::text, ''), coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole
    UNION ALL
    SELECT format('setting %s of %s', line, r.rolname)
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) line
    WHERE r.rolname LIKE 'eis\_%' AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    UNION ALL
    SELECT format('grant %s on parameter %s to %s', a.privilege_type, p.parname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_parameter_acl p, aclexplode(p.paracl) a WHERE a.grantee = 0 OR a.grantee::regrole::text LIKE 'eis\_%'
    UNION ALL
    SELECT format('grant EXECUTE on %s.%s(%s) to %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid), r.rolname)
    FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND r.rolname LIKE 'eis\_%'
    UNION ALL
    SELECT format('schema %s open to %s', n.nspname, r.rolname) FROM pg_namespace n, pg_roles r
    WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
        AND n.nspname NOT IN ('public', 'private', 'information_schema') AND n.nspname !~ '^pg_'
) AS every (line) ORDER BY line COLLATE "C"
-- state: end
;
COMMENT ON VIEW public.isolation_state IS 'Everything that decides who may see and do what in this database, one line each.';

CREATE TABLE public.expected_state (line text PRIMARY KEY);
COMMENT ON TABLE public.expected_state IS 'isolation_state as the migrations make it: written by `portal migrate up` after the last of them.';
ALTER TABLE public.expected_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.expected_state FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.expected_state FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY monitor_select ON public.expected_state FOR SELECT TO eis_monitor USING (true);

CREATE VIEW public.isolation_drift WITH (security_invoker = true, security_barrier = true) AS
SELECT 'missing' AS fault, m.line FROM (SELECT e.line FROM public.expected_state e EXCEPT SELECT s.line FROM public.isolation_state s) m
UNION ALL
SELECT 'unexpected', u.line FROM (SELECT s.line FROM public.isolation_state s EXCEPT SELECT e.line FROM public.expected_state e) u;
COMMENT ON VIEW public.isolation_drift IS 'How isolation_state differs from expected_state; no row when nothing drifted.';

CREATE VIEW public.isolation_tables WITH (security_invoker = true, security_barrier = true) AS
SELECT n.nspname || '.' || c.relname AS table_name, c.relowner::regrole::text AS owner, c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced,
    EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped) AS names_tenants,
    c.relispartition AS is_partition,
    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
    ARRAY(SELECT r FROM unnest('{eis_app,eis_worker,eis_monitor}'::text[]) r WHERE has_any_column_privilege(r, c.oid, 'SELECT')) AS readers,
    ARRAY(SELECT r FROM unnest('{eis_app,eis_worker,eis_monitor}'::text[]) r
        WHERE has_any_column_privilege(r, c.oid, 'INSERT, UPDATE') OR has_table_privilege(r, c.oid, 'DELETE, TRUNCATE')) AS writers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p');
COMMENT ON VIEW public.isolation_tables IS 'Tables: owner, row-level security and whether it is forced, policies, which logins read and write.';

CREATE VIEW public.isolation_policies WITH (security_invoker = true, security_barrier = true) AS
SELECT p.schemaname || '.' || p.tablename AS table_name, p.policyname::text AS policy, p.cmd AS command, p.permissive = 'PERMISSIVE' AS permissive,
    p.roles::text[] AS roles, p.qual AS using_expression, p.with_check AS check_expression
FROM pg_policies p WHERE p.schemaname IN ('public', 'private');
COMMENT ON VIEW public.isolation_policies IS 'Policies: table, command, roles, conditions.';

CREATE VIEW public.isolation_grants WITH (security_invoker = true, security_barrier = true) AS
SELECT n.nspname || '.' || c.relname AS object, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') AS grantee, a.privilege_type AS privilege,
    NULL::text AS column_name, a.is_grantable AS grantable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> c.relowner
UNION ALL
SELECT n.nspname || '.' || c.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type, t.attname::text, a.is_grantable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a
WHERE n.nspname IN ('public', 'private') AND a.grantee <> c.relowner
UNION ALL
SELECT p.oid::regprocedure::text, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type, NULL, a.is_grantable
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE n.nspname IN ('public', 'private') AND a.grantee <> p.proowner;
COMMENT ON VIEW public.isolation_grants IS 'Rights on tables, columns and functions, but those of their owners.';

CREATE VIEW public.isolation_functions WITH (security_invoker = true, security_barrier = true) AS
SELECT p.oid::regprocedure::text AS function, p.proowner::regrole::text AS owner,
    coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) AS search_path_fixed, p.proleakproof AS leakproof,
    ARRAY(SELECT coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE a.grantee <> p.proowner ORDER BY 1) AS callers,
    obj_description(p.oid, 'pg_proc') AS purpose
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'private') AND p.prosecdef;
COMMENT ON VIEW public.isolation_functions IS 'Functions that run with their owner''s rights: owner, fixed search_path, who may call them.';

CREATE VIEW public.isolation_roles WITH (security_invoker = true, security_barrier = true) AS
SELECT r.rolname::text AS role, r.rolcanlogin AS logs_in, r.rolsuper AS superuser, r.rolbypassrls AS bypasses_rls, r.rolinherit AS inherits,
    ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1) AS member_of
FROM pg_roles r WHERE r.rolname LIKE 'eis\_%';
COMMENT ON VIEW public.isolation_roles IS 'The portal''s roles and what they could do beyond policies: nothing.';

GRANT SELECT ON public.isolation_state, public.expected_state, public.isolation_drift, public.isolation_tables, public.isolation_policies,
    public.isolation_grants, public.isolation_functions, public.isolation_roles TO eis_monitor;

-- ── On record ──────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE public.isolation_runs (
    id            uuid PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    asked_by      text NOT NULL CHECK (length(asked_by) <= 200),
    milliseconds  integer NOT NULL,
    tried         integer NOT NULL,
    passed        integer NOT NULL,
    tables        integer NOT NULL,
    summary       jsonb NOT NULL,
    faults        jsonb NOT NULL,
    drift         jsonb NOT NULL
);
CREATE INDEX isolation_runs_at ON public.isolation_runs (at DESC);
COMMENT ON TABLE public.isolation_runs IS 'When test_rls_isolation() ran here and what it found. Names of tables and roles, no tenant''s data.';
COMMENT ON COLUMN public.isolation_runs.summary IS '[{"table","role","tried","passed"}]: attempts counted.';
COMMENT ON COLUMN public.isolation_runs.faults IS '[{"table","role","attempt","expected","found"}]: attempts that ended otherwise than they should.';
COMMENT ON COLUMN public.isolation_runs.drift IS '[{"fault","line"}]: isolation_drift at that moment.';
ALTER TABLE public.isolation_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.isolation_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.isolation_runs FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY monitor_select ON public.isolation_runs FOR SELECT TO eis_monitor USING (true);
CREATE POLICY admin_select ON public.isolation_runs FOR SELECT TO eis_app
    USING ((SELECT public.get_current_role()) IN ('eis_staff', 'energy_admin'));
GRANT SELECT ON public.isolation_runs TO eis_app, eis_monitor;

CREATE FUNCTION public.prove_isolation(asked_by text, pause interval DEFAULT '0') RETURNS uuid
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

-- Staff ask for a run while they only read, and the organization reads in its log that they did. The gate writes what the
-- record of runs says, once for each run and organization, and only while the run is fresh: no words of the caller's.
GRANT SELECT ON public.isolation_runs TO eis_gate;
CREATE POLICY gate_select ON public.isolation_runs FOR SELECT TO eis_gate USING (true);
CREATE FUNCTION public.record_isolation_run(run uuid, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.context();
    r public.isolation_runs;
BEGIN
    IF fields IS NULL OR fields[1] <> 'organization' OR fields[6] NOT IN ('eis_staff', 'energy_admin') THEN
        RAISE EXCEPTION 'a run is put on record by staff and energy admins' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    -- Two calls at once would both find no record.
    PERFORM pg_advisory_xact_lock(79, hashtext(fields[2] || run::text));
    SELECT x.* INTO r FROM public.isolation_runs x WHERE x.id = run AND x.at > statement_timestamp() - interval '5 minutes';
    IF NOT FOUND OR EXISTS (SELECT 1 FROM public.audit_log l WHERE l.organization_id = fields[2]::uuid
        AND l.at > statement_timestamp() - interval '1 hour' AND l.entity = 'isolation_run' AND l.entity_id = run) THEN RETURN false; END IF;
    INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    VALUES (fields[2]::uuid, gen_random_uuid(), fields[5]::uuid, '', fields[6], 'run', 'isolation_run', run,
        format('Ran the test of isolation: %s attempts, %s failed', r.tried, r.tried - r.passed),
        jsonb_build_object('tried', r.tried, 'failed', r.tried - r.passed, 'tables', r.tables, 'milliseconds', r.milliseconds), left(address, 64));
    RETURN true;
END $$;
COMMENT ON FUNCTION public.record_isolation_run IS 'Puts a run of the isolation test, just done, into the log of the context''s organization; false when it is no such run or stands there.';
CALL private.give_to_gate('{record_isolation_run}', 'eis_app');

REVOKE ALL ON FUNCTION public.test_rls_isolation, public.prove_isolation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.test_rls_isolation, public.prove_isolation TO eis_monitor;
ALTER FUNCTION private.sample_person OWNER TO eis_gate;
ALTER FUNCTION private.sample_11_gate OWNER TO eis_gate;
ALTER FUNCTION private.sample_secret OWNER TO eis_gate;
ALTER FUNCTION private.sample_id OWNER TO eis_gate;
ALTER FUNCTION private.rule_of OWNER TO eis_gate;
SET LOCAL ROLE eis_gate;
GRANT EXECUTE ON FUNCTION private.sample_person, private.sample_11_gate, private.sample_secret, private.sample_id, private.rule_of TO eis_owner;
SET LOCAL ROLE eis_owner;
GRANT USAGE, CREATE ON SCHEMA private TO eis_probe;
ALTER FUNCTION private.probe OWNER TO eis_probe;
ALTER FUNCTION private.probe_context OWNER TO eis_probe;
ALTER FUNCTION private.at_most_twenty OWNER TO eis_probe;
SET LOCAL ROLE eis_probe;
GRANT EXECUTE ON FUNCTION private.probe, private.probe_context TO eis_owner;
SET LOCAL ROLE eis_owner;
REVOKE CREATE ON SCHEMA private FROM eis_probe;
