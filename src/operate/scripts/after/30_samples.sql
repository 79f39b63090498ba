-- The proof: sample tenants, which the test makes and takes back itself.
--
-- Each noun with tables has a function private.sample_<nn>_<noun>(organization, client, customer), found by its name and
-- called in the order of names: first for each organization (client and customer NULL), then for each client, then for each
-- customer. It puts in at least one row of each of its tables for the place, and for an organization it returns what the roles
-- may do with them. A table that no such function tells of fails the test.
--
-- Here: what they all use, and people.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

CREATE OR REPLACE FUNCTION private.rule_of(table_name text, readers text, writes text[] DEFAULT '{}',
    columns text[] DEFAULT NULL, customer_sees text DEFAULT 'true', open text DEFAULT 'true', person text DEFAULT 'true') RETURNS private.sample_rule
LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(table_name, readers, writes, coalesce(columns, CASE readers WHEN 'organization' THEN '{organization_id}'
        WHEN 'client' THEN '{organization_id,client_id}' ELSE '{organization_id,client_id,customer_id}' END::text[]),
        customer_sees, open, person)::private.sample_rule
$$;

CREATE OR REPLACE FUNCTION private.sample_id(of_place uuid, noun text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.md5(of_place::text || noun)::uuid
$$;

-- A person with one role and a live session whose secret is known: the last 16 bytes of a digest of the ids.
CREATE OR REPLACE FUNCTION private.sample_secret(person uuid) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.uuid_send(private.sample_id(person, 'secret'))
$$;

CREATE OR REPLACE FUNCTION private.sample_person(person uuid, role text, organization uuid, client uuid, customer uuid, opened uuid, narrowed text DEFAULT NULL) RETURNS void
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

-- What the gate alone may write.
CREATE OR REPLACE FUNCTION private.sample_11_gate(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
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

-- The proof's people have one, so that what they may do does not hang on the days of grace.
CREATE OR REPLACE FUNCTION private.sample_12_second_factor(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF c IS NOT NULL THEN RETURN; END IF;
    INSERT INTO public.second_factors (user_id, secret, confirmed_at)
    SELECT private.sample_id(o, noun), extensions.gen_random_bytes(20), now() FROM unnest(ARRAY['admin', 'reader', 'staff']) noun;
END $$;

CREATE OR REPLACE FUNCTION private.sample_13_services(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid := private.sample_id(coalesce(c, o), 'service');
BEGIN
    IF k IS NOT NULL THEN RETURN; END IF;
    INSERT INTO public.users (id, email, name, status) VALUES (person, person || '@service.invalid', 'Isolation test', 'service');
    INSERT INTO public.role_assignments (organization_id, id, user_id, role, client_id)
    VALUES (o, private.sample_id(person, 'assignment'), person, 'service', c);
    INSERT INTO public.service_identities (organization_id, id, client_id, user_id, assignment_id, name, commands, secret_hash, made_by, created_by)
    VALUES (o, person, c, person, private.sample_id(person, 'assignment'), 'Isolation test', '{read_overview}', sha256(uuid_send(person)),
        'Isolation test', private.sample_id(o, 'admin'));
    IF c IS NULL THEN RETURN QUERY SELECT (r).* FROM unnest(ARRAY[private.rule_of('public.service_identities', 'client')]) r; END IF;
END $$;

REVOKE ALL ON FUNCTION private.rule_of, private.sample_id, private.sample_secret, private.sample_person, private.sample_11_gate,
    private.sample_12_second_factor, private.sample_13_services FROM PUBLIC;
GRANT EXECUTE ON FUNCTION private.rule_of, private.sample_id, private.sample_secret, private.sample_person, private.sample_11_gate,
    private.sample_12_second_factor, private.sample_13_services TO eis_owner;
SET LOCAL ROLE eis_owner;

CREATE OR REPLACE FUNCTION private.sample_10_identity(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
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

REVOKE ALL ON FUNCTION private.sample_10_identity FROM PUBLIC;
