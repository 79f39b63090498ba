-- The proof: samples of what was built beside billing.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

CREATE OR REPLACE FUNCTION private.sample_60_system_work(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid := private.sample_id(coalesce(c, o), 'admin');
BEGIN
    IF k IS NOT NULL THEN RETURN; END IF;
    INSERT INTO public.jobs (organization_id, id, client_id, kind, status, user_id, assignment_id, session_id)
    VALUES (o, private.sample_id(coalesce(c, o), 'job'), c, 'test', 'done', person, private.sample_id(person, 'assignment'), o);
    IF c IS NULL THEN
        -- Over already.
        INSERT INTO public.system_work (organization_id, id, user_id, session_id, reason, writes, expires_at)
        VALUES (o, private.sample_id(o, 'work'), private.sample_id(o, 'staff'), o, 'Isolation test', false, now());
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.jobs', 'client'), private.rule_of('public.system_work', 'organization')]) r;
    END IF;
END $$;

REVOKE ALL ON FUNCTION private.sample_60_system_work FROM PUBLIC;
GRANT EXECUTE ON FUNCTION private.sample_60_system_work TO eis_owner;
SET LOCAL ROLE eis_owner;

CREATE OR REPLACE FUNCTION private.sample_61_what_ifs(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.what_if_results (organization_id, client_id, what_if_id, customer_id, contract_id, account_number, customer_name, supplied, estimated, months, kwh, now, costs, problems)
        VALUES (o, c, private.sample_id(c, 'what-if'), k, private.sample_id(k, 'contract'), 'TEST', 'Isolation test', 1, false, '{1}', '{1}', '{1}', '{1}', '{""}');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.what_ifs (organization_id, client_id, id, job_id, chosen, from_on, to_on, candidates, documents, user_name)
        VALUES (o, c, private.sample_id(c, 'what-if'), private.sample_id(c, 'job'), 'all', '2026-01-01', '2026-02-01', '[{}]', '[{}]', 'Isolation test');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.what_ifs', 'client', '{INSERT,UPDATE,DELETE}'),
            private.rule_of('public.what_if_results', 'client', '{INSERT,DELETE}')]) r;
    END IF;
END $$;

-- The rows come with the bills and payments of the samples before.
CREATE OR REPLACE FUNCTION private.sample_62_ledger(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF c IS NULL THEN
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.ledger_entries', 'customer'),
            private.rule_of('public.ledger_lines', 'customer')]) r;
    END IF;
END $$;

-- Of each client one workspace that is published and its admin's, and one that is neither.
CREATE OR REPLACE FUNCTION private.sample_70_workspaces(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.workspaces (organization_id, client_id, id, name, published)
        VALUES (o, c, private.sample_id(c, 'workspace'), 'Isolation test', true), (o, c, private.sample_id(c, 'closed'), 'Isolation test', false);
        INSERT INTO public.workspace_members (organization_id, client_id, workspace_id, user_id, role)
        VALUES (o, c, private.sample_id(c, 'workspace'), private.sample_id(c, 'admin'), 'owner'),
               (o, c, private.sample_id(c, 'workspace'), private.sample_id(c, 'reader'), 'reader'),
               (o, c, private.sample_id(c, 'closed'), private.sample_id(o, 'admin'), 'owner');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.workspace_rule_of('public.workspaces', 'customer', '{INSERT,UPDATE,DELETE}', 'id'),
            private.workspace_rule_of('public.workspace_members', 'client', '{INSERT,UPDATE,DELETE}')]) r;
    END IF;
END $$;

-- What samples say of a table of what lies in a workspace: client admins and customers see the rows of the first one.
CREATE OR REPLACE FUNCTION private.workspace_rule_of(table_name text, readers text, writes text[], workspace_column text DEFAULT 'workspace_id')
RETURNS private.sample_rule LANGUAGE sql IMMUTABLE AS $$
    SELECT private.rule_of(table_name, readers, writes, '{organization_id,client_id,NULL}', customer_sees => mine, open => mine,
        person => '''{role}'' NOT IN (''client admin'', ''narrowed to reading, client'') OR ' || mine)
    FROM (SELECT workspace_column || ' = md5(client_id::text || ''workspace'')::uuid') v (mine)
$$;

CREATE OR REPLACE FUNCTION private.sample_71_files(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.files (organization_id, client_id, id, workspace_id, name, media_type, bytes, sha256, content_key)
        SELECT o, c, private.sample_id(c, 'file of ' || w), private.sample_id(c, w), 'test.txt', 'text/plain', 0, sha256(''), sha256('')
        FROM unnest('{workspace,closed}'::text[]) w;
    ELSE
        RETURN NEXT private.workspace_rule_of('public.files', 'customer', '{INSERT,UPDATE,DELETE}');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_72_document_chunks(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.document_chunks (organization_id, client_id, id, workspace_id, file_id, position, language, text)
        SELECT o, c, private.sample_id(c, 'piece of ' || w), private.sample_id(c, w), private.sample_id(c, 'file of ' || w), 0, '', 'Isolation test'
        FROM unnest('{workspace,closed}'::text[]) w;
    ELSE
        RETURN NEXT private.workspace_rule_of('public.document_chunks', 'customer', '{INSERT,DELETE}');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_73_data_sources(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.data_sources (organization_id, client_id, id, workspace_id, name, kind, address)
        SELECT o, c, private.sample_id(c, 'source of ' || w), private.sample_id(c, w), 'Isolation test', 'folder', '/nowhere'
        FROM unnest('{workspace,closed}'::text[]) w;
    ELSE
        RETURN NEXT private.workspace_rule_of('public.data_sources', 'client', '{INSERT,UPDATE,DELETE}');
    END IF;
END $$;

-- Of each client one conversation of everybody who may have one there.
CREATE OR REPLACE FUNCTION private.sample_74_chats(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid;
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        FOREACH person IN ARRAY ARRAY[private.sample_id(o, 'admin'), private.sample_id(o, 'reader'), private.sample_id(o, 'staff'),
            private.sample_id(c, 'admin'), private.sample_id(c, 'reader')] LOOP
            INSERT INTO public.chat_sessions (organization_id, client_id, id, workspace_id, user_id, title)
            VALUES (o, c, private.sample_id(c, person || 'chat'), private.sample_id(c, 'workspace'), person, 'Isolation test');
            INSERT INTO public.chat_messages (organization_id, client_id, session_id, position, user_id, role, text)
            VALUES (o, c, private.sample_id(c, person || 'chat'), 0, person, 'user', 'Isolation test');
        END LOOP;
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.chat_sessions', 'client', '{INSERT,UPDATE,DELETE}', person => 'user_id = ''{person}'''),
            private.rule_of('public.chat_messages', 'client', '{INSERT,DELETE}', person => 'user_id = ''{person}''')]) r;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_75_documents(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.documents (organization_id, client_id, id, customer_id, kind, cause_kind, cause_id, name, language, media_type, bytes,
            sha256, content_key, status, issued_at)
        SELECT o, c, private.sample_id(k, s || ' document'), k, 'letter', 'customer', private.sample_id(k, s), 'test.pdf', 'en', 'application/pdf', 1,
            sha256(''), sha256(''), s, CASE s WHEN 'issued' THEN now() END
        FROM unnest('{draft,issued}'::text[]) s;
    ELSIF c IS NULL THEN
        RETURN NEXT private.rule_of('public.documents', 'customer', '{INSERT,UPDATE,DELETE}',
            customer_sees => 'status = ''issued''', open => 'status = ''draft''');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_76_messages(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.messages (organization_id, client_id, id, customer_id, kind, cause_kind, cause_id, channel, recipient, language, status, due_at, sent_at)
        SELECT o, c, private.sample_id(k, s || ' message'), k, 'test', 'customer', private.sample_id(k, s), 'portal', 'Isolation test', 'en', s,
            CASE s WHEN 'queued' THEN now() END, CASE s WHEN 'sent' THEN now() END
        FROM unnest('{queued,sent}'::text[]) s;
    ELSIF c IS NULL THEN
        RETURN NEXT private.rule_of('public.messages', 'customer', '{INSERT,UPDATE}',
            customer_sees => 'status = ''sent''', open => 'status = ''queued''');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_77_customer_requests(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.customer_requests (organization_id, client_id, id, customer_id, kind, payload, status)
        SELECT o, c, private.sample_id(k, s || ' request'), k, 'details', '{}', s FROM unnest('{received,withdrawn}'::text[]) s;
    ELSIF c IS NULL THEN
        RETURN NEXT private.rule_of('public.customer_requests', 'customer', '{INSERT,UPDATE}', open => 'status = ''received''');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_78_communities(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.community_members (organization_id, client_id, id, community_id, customer_id, role, share, valid_from)
        VALUES (o, c, private.sample_id(k, 'membership'), private.sample_id(c, 'community'), k, 'consumer', 0.1, '2026-01-01');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.communities (organization_id, client_id, id, name, sharing, starts_on)
        VALUES (o, c, private.sample_id(c, 'community'), 'Isolation test', 'fixed', '2026-01-01');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.communities', 'client', '{INSERT,UPDATE,DELETE}'),
            private.rule_of('public.community_members', 'client', '{INSERT,UPDATE,DELETE}')]) r;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_79_price_series(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.price_series (organization_id, client_id, id, code, name, source, unit, currency, minutes, time_zone, revision)
        VALUES (o, c, private.sample_id(c, 'prices'), 'TEST', 'Isolation test', 'Isolation test', 'MWh', 'EUR', 60, 'UTC', 1);
        INSERT INTO public.price_points (organization_id, client_id, series_id, starts_at, revision, minutes, price)
        VALUES (o, c, private.sample_id(c, 'prices'), '2026-01-01 00:00+00', 1, 60, 1);
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.price_series', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.price_points', 'client', '{INSERT}')]) r;
    END IF;
END $$;

REVOKE ALL ON FUNCTION private.sample_61_what_ifs, private.sample_62_ledger, private.sample_70_workspaces, private.workspace_rule_of,
    private.sample_71_files, private.sample_72_document_chunks, private.sample_73_data_sources, private.sample_74_chats,
    private.sample_75_documents, private.sample_76_messages, private.sample_77_customer_requests, private.sample_78_communities,
    private.sample_79_price_series FROM PUBLIC;
