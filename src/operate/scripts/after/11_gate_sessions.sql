-- The gate: sessions from their ticket to their end.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- A session is somebody's from the start: what has no ticket keeps nothing here. One person has ten at most; the oldest
-- beyond them ends, on record where it stood and among its person's sign-ins.
CREATE OR REPLACE FUNCTION public.session_create(secret bytea, ticket bytea, data text, address text, agent text, absolute_seconds integer, idle_seconds integer,
    OUT made boolean, OUT ended_since timestamptz, OUT ended_address text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most CONSTANT integer := 10;
    t public.session_tickets;
    person public.users;
    fresh uuid;
    oldest public.sessions;
BEGIN
    PERFORM private.fresh_snapshot();
    DELETE FROM public.session_tickets x WHERE x.ticket_hash = sha256(ticket) RETURNING x.* INTO t;
    made := t.user_id IS NOT NULL AND NOT t.needs_code AND t.expires_at >= statement_timestamp();
    IF NOT made THEN RETURN; END IF;
    PERFORM private.nobody_else(t.user_id);
    -- Locked, so that of two that begin at once the second counts the first.
    SELECT u.* INTO person FROM public.users u WHERE u.id = t.user_id FOR NO KEY UPDATE;
    made := t.auth_hash = private.auth_hash(person, (SELECT a FROM public.role_assignments a WHERE a.id = t.assignment_id));
    IF made IS NOT TRUE THEN made := false; RETURN; END IF;
    INSERT INTO public.sessions (secret_hash, data, user_id, assignment_id, organization_id, auth_hash, address, agent, expires_at, idle_seconds)
    VALUES (sha256(session_create.secret), session_create.data, t.user_id, t.assignment_id, t.organization_id, t.auth_hash,
        left(session_create.address, 64), left(session_create.agent, 256),
        least(now() + make_interval(secs => least(absolute_seconds, 172800)), t.session_ends), least(session_create.idle_seconds, 86400))
    RETURNING id INTO fresh;
    FOR oldest IN DELETE FROM public.sessions s USING (SELECT o.id FROM public.sessions o
            WHERE o.user_id = person.id AND o.id <> fresh AND private.is_live(o) ORDER BY o.created_at DESC, o.id OFFSET most - 1) beyond
        WHERE s.id = beyond.id RETURNING s.*
    LOOP
        ended_since := oldest.created_at;
        ended_address := oldest.address;
        INSERT INTO public.sign_ins (user_id, account, address, outcome)
        VALUES (person.id, private.account_key(person.email), oldest.address, 'ended');
        PERFORM private.audit_person(person, (SELECT a FROM public.role_assignments a WHERE a.id = oldest.assignment_id), oldest.organization_id,
            'end_sessions', format('Signing in ended the oldest of more than %s sessions', most), session_create.address);
    END LOOP;
END $$;
COMMENT ON FUNCTION public.session_create IS
    'A new session bound to what a ticket proves, which works once; false when it is spent, late, half of one, or of a password or role that has changed since. Tells which session it ended, where there were too many.';

CREATE OR REPLACE FUNCTION public.session_save(secret bytea, data text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.sessions s SET data = session_save.data, seen_at = now()
    WHERE s.secret_hash = sha256(secret) AND private.is_live(s);
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.session_save IS 'Updates only, and live sessions only: one that was signed out or has idled away cannot come back.';

CREATE OR REPLACE FUNCTION public.session_delete(secret bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.fresh_snapshot();
    DELETE FROM public.sessions s WHERE s.secret_hash = sha256(secret)
$$;

CREATE OR REPLACE FUNCTION public.session_touch(secret bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.fresh_snapshot();
    UPDATE public.sessions s SET seen_at = now() WHERE s.secret_hash = sha256(secret) AND s.seen_at < now() - interval '1 minute'
        AND private.is_live(s)
$$;

-- Everything a request needs to know about who asks, in one row and one round trip. With `enter`, a session whose user
-- and assignment stand opens its context for this transaction too: the pages' queries follow in the same one.
CREATE OR REPLACE FUNCTION public.session_load(secret bytea, enter boolean DEFAULT false) RETURNS TABLE (
    data text, stale boolean, expires_at timestamptz, user_id uuid, email text, user_name text, bound_hash bytea, auth_hash bytea,
    assignment_id uuid, role text, assignments integer, organization_id uuid, organization_slug text, organization_name text,
    client_id uuid, client_slug text, client_name text, client_currency text, client_time_zone text, client_locale text,
    customer_id uuid, writes_until timestamptz, viewed_until timestamptz, viewed_name text, own_role text,
    factor_due timestamptz, locked boolean, narrowed text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    opened uuid;
    of_session uuid;
    seen_client uuid;
    seen_customer uuid;
    stands boolean;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT s.bound_at < now(), s.id, s.viewed_client_id, CASE WHEN s.viewed_until > now() THEN s.viewed_customer_id END, s.viewed_until, s.data, s.seen_at < now() - interval '1 minute', s.expires_at, s.organization_id,
        u.id, u.email, u.name,
        s.auth_hash, CASE WHEN u.id IS NOT NULL THEN private.auth_hash(u, a) END,
        a.id, a.role,
        (SELECT count(*)::integer FROM public.role_assignments o WHERE o.user_id = u.id AND private.in_force(o)),
        g.id, g.slug, g.name, a.client_id, c.slug, c.name, c.currency, c.time_zone, c.locale, a.customer_id, a.narrowed
    INTO stands, of_session, seen_client, seen_customer, viewed_until, data, stale, expires_at, opened, user_id, email, user_name, bound_hash, auth_hash,
        assignment_id, role, assignments, organization_id, organization_slug, organization_name, client_id, client_slug, client_name,
        client_currency, client_time_zone, client_locale, customer_id, narrowed
    FROM public.sessions s
    LEFT JOIN public.users u ON u.id = s.user_id AND u.status = 'active'
    LEFT JOIN public.role_assignments a ON a.id = s.assignment_id AND a.user_id = u.id AND private.in_force(a)
    -- A suspended organization is open to EIS staff alone.
    LEFT JOIN public.organizations g ON g.id = CASE WHEN a.role = 'eis_staff' THEN s.organization_id ELSE a.organization_id END
        AND (a.role = 'eis_staff' OR g.status = 'active')
    LEFT JOIN public.clients c ON c.organization_id = a.organization_id AND c.id = a.client_id
    WHERE s.secret_hash = sha256(secret) AND private.is_live(s);
    IF NOT FOUND THEN RETURN; END IF;
    IF role = 'eis_staff' AND opened IS NOT NULL THEN writes_until := private.writes_until(of_session, opened); END IF;
    IF role IN ('eis_staff', 'energy_admin') THEN factor_due := private.second_factor_due(user_id, role); END IF;
    locked := coalesce(factor_due <= statement_timestamp(), false);
    IF enter AND stands AND bound_hash = auth_hash THEN
        PERFORM private.stand(of_session, opened, user_id, role, narrowed, organization_id, client_id, customer_id, NULL, seen_client, seen_customer);
    END IF;
    own_role := role;
    IF seen_customer IS NOT NULL AND NOT locked AND private.may_view(role, organization_id, client_id, seen_client, seen_customer) THEN
        SELECT k.name, k.client_id, c.slug, c.name, c.currency, c.time_zone, c.locale, k.id, 'customer_user', NULL, NULL
        INTO viewed_name, client_id, client_slug, client_name, client_currency, client_time_zone, client_locale, customer_id, role, writes_until, narrowed
        FROM public.customers k JOIN public.clients c ON c.organization_id = k.organization_id AND c.id = k.client_id
        WHERE k.organization_id = session_load.organization_id AND k.client_id = seen_client AND k.id = seen_customer;
    ELSE
        viewed_until := NULL;
    END IF;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION public.session_load IS
    'The live session of this secret with its user and assignment, or no row; with `enter` its tenant context is opened as by open_context.';

-- A ticket for a person as read when the right was proved: what changes afterwards makes it worth nothing.
CREATE OR REPLACE FUNCTION private.issue_ticket(person public.users, assignment uuid, organization uuid, session_ends timestamptz, needs_code boolean DEFAULT false)
RETURNS bytea
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ticket bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
BEGIN
    INSERT INTO public.session_tickets VALUES (sha256(ticket), person.id, assignment, organization, session_ends,
        now() + CASE WHEN needs_code THEN interval '5 minutes' ELSE interval '1 minute' END, needs_code,
        private.auth_hash(person, (SELECT a FROM public.role_assignments a WHERE a.id = assignment)));
    RETURN ticket;
END $$;

-- What has ended is swept by time: `portal serve` asks for it once a minute. Several may at once: each takes its own.
CREATE OR REPLACE FUNCTION public.sweep_sessions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE swept integer;
BEGIN
    PERFORM private.fresh_snapshot();
    DELETE FROM public.sessions s WHERE s.id IN (SELECT o.id FROM public.sessions o WHERE NOT private.is_live(o) LIMIT 1000 FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS swept = ROW_COUNT;
    DELETE FROM public.session_tickets t WHERE t.expires_at < now();
    -- What is older than a season tells nobody anything any more, also of accounts that there are not.
    DELETE FROM public.sign_ins i WHERE i.id IN (SELECT o.id FROM
        (SELECT x.id, x.at FROM public.sign_ins x ORDER BY x.id LIMIT 1000) o WHERE o.at < now() - interval '90 days');
    RETURN swept;
END $$;
COMMENT ON FUNCTION public.sweep_sessions IS 'Removes sessions and tickets that have ended, and attempts to sign in of 90 days ago; how many sessions. A thousand of each at a time.';

REVOKE ALL ON FUNCTION public.session_create, public.session_save, public.session_delete, public.session_touch, public.session_load,
    private.issue_ticket, public.sweep_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.session_create, public.session_save, public.session_delete, public.session_touch, public.session_load,
    public.sweep_sessions TO eis_app;
SET LOCAL ROLE eis_owner;
