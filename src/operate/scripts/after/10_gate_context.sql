-- The gate: the only functions that read passwords, sessions and role assignments of others.
-- Each checks the secret it is given itself; holding the portal's login is not enough.
--
-- Here: whether a session is live, and the context that it opens.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- What has an end by time is held against the clock of the statement: now() is when the transaction began, and whoever
-- keeps one open would keep what has ended since.

-- Whether an assignment is in force now, for a user who may sign in.
-- Without settings of its own, so that it is inlined.
CREATE OR REPLACE FUNCTION private.in_force(a public.role_assignments) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.valid_from <= pg_catalog.statement_timestamp() AND (a.valid_to IS NULL OR a.valid_to > pg_catalog.statement_timestamp())
$$;

-- Whether a session has neither reached its end nor idled away. Inlined likewise.
CREATE OR REPLACE FUNCTION private.is_live(s public.sessions) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT s.expires_at > pg_catalog.statement_timestamp()
        AND s.seen_at + pg_catalog.make_interval(secs => s.idle_seconds) > pg_catalog.statement_timestamp()
$$;

-- Changes with the password and with the assignment: a session bound under another value has ended.
CREATE OR REPLACE FUNCTION private.auth_hash(person public.users, a public.role_assignments) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(person.password_proof || pg_catalog.convert_to(
        coalesce(a.id::text, '') || coalesce(extract(epoch FROM a.valid_to)::text, '') || coalesce(a.narrowed, ''), 'UTF8'))
$$;

-- One live session by its secret: its row, its user, the assignment in force. It is an error when there is none, and,
-- for whoever does not say otherwise, while the session sees the portal as a customer (then it changes nothing) and when
-- its role needs a second factor that its person has not set up in time (then it does nothing else: `locked_too`).
CREATE OR REPLACE FUNCTION private.live_session(secret bytea, viewing_too boolean DEFAULT false, locked_too boolean DEFAULT false,
    OUT session public.sessions, OUT person public.users, OUT assignment public.role_assignments)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT s.* INTO session FROM public.sessions s WHERE s.secret_hash = sha256(secret) AND private.is_live(s);
    SELECT u.* INTO person FROM public.users u WHERE u.id = session.user_id AND u.status = 'active';
    SELECT a.* INTO assignment FROM public.role_assignments a
    WHERE a.id = session.assignment_id AND a.user_id = person.id AND private.in_force(a);
    IF person.id IS NULL OR session.auth_hash IS DISTINCT FROM private.auth_hash(person, assignment) THEN
        RAISE EXCEPTION 'this session has ended' USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_ended';
    END IF;
    PERFORM private.nobody_else(person.id);
    IF session.viewed_until > now() AND NOT viewing_too THEN
        RAISE EXCEPTION 'this session sees as a customer and changes nothing' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    IF NOT locked_too AND private.second_factor_due(person.id, assignment.role) <= statement_timestamp() THEN
        RAISE EXCEPTION 'this role needs a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'second_factor_needed';
    END IF;
END $$;

-- Whether somebody in a role, at an organization and client, may see the portal as this customer does.
CREATE OR REPLACE FUNCTION private.may_view(role text, organization uuid, client uuid, viewed_client uuid, viewed_customer uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN organization IS NOT NULL
        AND (role IN ('eis_staff', 'energy_admin') OR (role = 'client_admin' AND client = viewed_client))
        AND EXISTS (SELECT FROM public.customers k
            WHERE k.organization_id = organization AND k.client_id = viewed_client AND k.id = viewed_customer);
END $$;

-- Signs the context that an assignment gives, at one client of the organization (`narrow_client`) or at its own level; for
-- a session that sees as a customer, that customer's, reading only. A role that needs a second factor opens no tenant
-- without, once the days of grace are over. `limits`: what narrows the assignment, or the command of a service identity;
-- a role narrowed to reading never writes. Whoever calls this has checked the session.
CREATE OR REPLACE FUNCTION private.stand(of_session uuid, opened uuid, person uuid, role text, limits text, organization uuid, client uuid, customer uuid, narrow_client uuid,
    viewed_client uuid DEFAULT NULL, viewed_customer uuid DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    org uuid := CASE WHEN role = 'eis_staff' THEN opened ELSE organization END;
    writes boolean := CASE WHEN role IN ('energy_admin', 'client_admin') THEN limits IS DISTINCT FROM 'read_only'
        WHEN role = 'service' THEN coalesce(private.service_writes(limits), false) ELSE false END;
BEGIN
    IF role IN ('eis_staff', 'energy_admin') AND private.second_factor_due(person, role) <= statement_timestamp() THEN
        IF narrow_client IS NOT NULL THEN
            RAISE EXCEPTION 'this role needs a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'second_factor_needed';
        END IF;
        PERFORM private.put_context('none', NULL, NULL, NULL, person, 'none', false);
        RETURN;
    END IF;
    -- (private.writes_until comes with the migration of stepping up.)
    IF role = 'eis_staff' AND org IS NOT NULL THEN writes := private.writes_until(of_session, org) IS NOT NULL; END IF;
    IF viewed_customer IS NOT NULL AND private.may_view(role, org, client, viewed_client, viewed_customer) THEN
        IF narrow_client IS DISTINCT FROM viewed_client AND narrow_client IS NOT NULL THEN
            RAISE EXCEPTION 'this client is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
        END IF;
        PERFORM private.put_context('customer', org, viewed_client, viewed_customer, person, 'customer_user', false);
    ELSIF org IS NULL THEN
        PERFORM private.put_context('none', NULL, NULL, NULL, person, coalesce(role, 'none'), false);
    ELSIF role IN ('customer_user', 'client_admin') OR (role = 'service' AND client IS NOT NULL) THEN
        IF narrow_client IS DISTINCT FROM client AND narrow_client IS NOT NULL THEN
            RAISE EXCEPTION 'this client is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
        END IF;
        PERFORM private.put_context(CASE role WHEN 'customer_user' THEN 'customer' ELSE 'client' END,
            org, client, customer, person, role, writes, limits);
    ELSIF narrow_client IS NULL THEN
        PERFORM private.put_context('organization', org, NULL, NULL, person, role, writes, limits);
    ELSE
        PERFORM 1 FROM public.clients c WHERE c.organization_id = org AND c.id = narrow_client;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this client is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
        END IF;
        PERFORM private.put_context('client', org, narrow_client, NULL, person, role, writes, limits);
    END IF;
END $$;

-- Opens the tenant context of a live session for this transaction. `narrow_client` makes it stand at one
-- client of the organization (so that policies are exact), refused when the assignment does not cover it.
CREATE OR REPLACE FUNCTION public.open_context(secret bytea, narrow_client uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    -- A connection is made ready by preparing this call; it asks for nothing then.
    IF secret IS NULL THEN RETURN; END IF;
    PERFORM private.fresh_snapshot();
    -- One statement: the session, its user, its assignment; all as they are now.
    SELECT s.id AS session, s.organization_id AS opened, u.id AS person, a.role, a.narrowed, g.id AS organization_id, a.client_id, a.customer_id,
        s.viewed_client_id, CASE WHEN s.viewed_until > now() THEN s.viewed_customer_id END AS viewed_customer_id INTO live
    FROM public.sessions s
    JOIN public.users u ON u.id = s.user_id AND u.status = 'active'
    LEFT JOIN public.role_assignments a ON a.id = s.assignment_id AND a.user_id = u.id AND private.in_force(a)
    LEFT JOIN public.organizations g ON g.id = a.organization_id AND g.status = 'active'
    WHERE s.secret_hash = sha256(secret) AND private.is_live(s) AND s.bound_at < now()
      AND s.auth_hash = private.auth_hash(u, a);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this session has ended' USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_ended';
    END IF;
    PERFORM private.stand(live.session, live.opened, live.person, live.role, live.narrowed, live.organization_id, live.client_id, live.customer_id, narrow_client,
        live.viewed_client_id, live.viewed_customer_id);
END $$;
COMMENT ON FUNCTION public.open_context IS
    'Checks a live session''s secret and signs its tenant context for this transaction; SQLSTATE 28000 when the session has ended, 42501 for a client that is not covered.';

REVOKE ALL ON FUNCTION private.in_force, private.is_live, private.auth_hash, private.live_session, private.may_view, private.stand,
    public.open_context FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.open_context TO eis_app;
SET LOCAL ROLE eis_owner;
