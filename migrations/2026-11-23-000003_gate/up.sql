-- The gate: the only functions that read passwords, sessions and role assignments of others.
-- Each checks the secret it is given itself; holding the portal's login is not enough.

-- What has an end by time is held against the clock of the statement: now() is when the transaction began, and whoever
-- keeps one open would keep what has ended since.

-- Whether an assignment is in force now, for a user who may sign in.
-- Without settings of its own, so that it is inlined.
CREATE FUNCTION private.in_force(a public.role_assignments) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.valid_from <= pg_catalog.statement_timestamp() AND (a.valid_to IS NULL OR a.valid_to > pg_catalog.statement_timestamp())
$$;

-- Whether a session has neither reached its end nor idled away. Inlined likewise.
CREATE FUNCTION private.is_live(s public.sessions) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT s.expires_at > pg_catalog.statement_timestamp()
        AND s.seen_at + pg_catalog.make_interval(secs => s.idle_seconds) > pg_catalog.statement_timestamp()
$$;

-- Changes with the password and with the assignment: a session bound under another value has ended.
CREATE FUNCTION private.auth_hash(person public.users, a public.role_assignments) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(person.password_proof || pg_catalog.convert_to(
        coalesce(a.id::text, '') || coalesce(extract(epoch FROM a.valid_to)::text, ''), 'UTF8'))
$$;
REVOKE ALL ON FUNCTION private.auth_hash, private.in_force, private.is_live FROM PUBLIC;
ALTER FUNCTION private.in_force OWNER TO eis_gate;
ALTER FUNCTION private.is_live OWNER TO eis_gate;
ALTER FUNCTION private.auth_hash OWNER TO eis_gate;

-- Whether a person signs in with a second factor, and until when a person in a role may do without (NULL: needs none, or
-- has it); their migration says more than this.
CREATE FUNCTION private.has_second_factor(person uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN false; END $$;
CREATE FUNCTION private.second_factor_due(person uuid, role text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN NULL; END $$;
REVOKE ALL ON FUNCTION private.has_second_factor, private.second_factor_due FROM PUBLIC;
ALTER FUNCTION private.has_second_factor OWNER TO eis_gate;
ALTER FUNCTION private.second_factor_due OWNER TO eis_gate;

-- One live session by its secret: its row, its user, the assignment in force. It is an error when there is none, and,
-- for whoever does not say otherwise, while the session sees the portal as a customer (then it changes nothing) and when
-- its role needs a second factor that its person has not set up in time (then it does nothing else: `locked_too`).
CREATE FUNCTION private.live_session(secret bytea, viewing_too boolean DEFAULT false, locked_too boolean DEFAULT false,
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
REVOKE ALL ON FUNCTION private.live_session FROM PUBLIC;
ALTER FUNCTION private.live_session OWNER TO eis_gate;

-- ── Context ────────────────────────────────────────────────────────────────────────────────────────

-- Whether somebody in a role, at an organization and client, may see the portal as this customer does.
CREATE FUNCTION private.may_view(role text, organization uuid, client uuid, viewed_client uuid, viewed_customer uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN organization IS NOT NULL
        AND (role IN ('eis_staff', 'energy_admin') OR (role = 'client_admin' AND client = viewed_client))
        AND EXISTS (SELECT FROM public.customers k
            WHERE k.organization_id = organization AND k.client_id = viewed_client AND k.id = viewed_customer);
END $$;
REVOKE ALL ON FUNCTION private.may_view FROM PUBLIC;
ALTER FUNCTION private.may_view OWNER TO eis_gate;

-- Signs the context that an assignment gives, at one client of the organization (`narrow_client`) or at its own level; for
-- a session that sees as a customer, that customer's, reading only. A role that needs a second factor opens no tenant
-- without, once the days of grace are over. Whoever calls this has checked the session.
CREATE FUNCTION private.stand(of_session uuid, opened uuid, person uuid, role text, organization uuid, client uuid, customer uuid, narrow_client uuid,
    viewed_client uuid DEFAULT NULL, viewed_customer uuid DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    org uuid := CASE WHEN role = 'eis_staff' THEN opened ELSE organization END;
    writes boolean := role = 'energy_admin';
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
    ELSIF role IN ('customer_user', 'client_admin') THEN
        IF narrow_client IS DISTINCT FROM client AND narrow_client IS NOT NULL THEN
            RAISE EXCEPTION 'this client is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
        END IF;
        PERFORM private.put_context(CASE role WHEN 'client_admin' THEN 'client' ELSE 'customer' END,
            org, client, customer, person, role, role = 'client_admin');
    ELSIF narrow_client IS NULL THEN
        PERFORM private.put_context('organization', org, NULL, NULL, person, role, writes);
    ELSE
        PERFORM 1 FROM public.clients c WHERE c.organization_id = org AND c.id = narrow_client;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this client is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
        END IF;
        PERFORM private.put_context('client', org, narrow_client, NULL, person, role, writes);
    END IF;
END $$;
REVOKE ALL ON FUNCTION private.stand FROM PUBLIC;
ALTER FUNCTION private.stand OWNER TO eis_gate;

-- Opens the tenant context of a live session for this transaction. `narrow_client` makes it stand at one
-- client of the organization (so that policies are exact), refused when the assignment does not cover it.
CREATE FUNCTION public.open_context(secret bytea, narrow_client uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    -- A connection is made ready by preparing this call; it asks for nothing then.
    IF secret IS NULL THEN RETURN; END IF;
    PERFORM private.fresh_snapshot();
    -- One statement: the session, its user, its assignment; all as they are now.
    SELECT s.id AS session, s.organization_id AS opened, u.id AS person, a.role, g.id AS organization_id, a.client_id, a.customer_id,
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
    PERFORM private.stand(live.session, live.opened, live.person, live.role, live.organization_id, live.client_id, live.customer_id, narrow_client,
        live.viewed_client_id, live.viewed_customer_id);
END $$;
COMMENT ON FUNCTION public.open_context IS
    'Checks a live session''s secret and signs its tenant context for this transaction; SQLSTATE 28000 when the session has ended, 42501 for a client that is not covered.';

-- The owner's door (migration, demo data, `portal user create`): a context of one organization without a person.
CREATE FUNCTION public.open_system_context(organization uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.put_context('organization', organization, NULL, NULL, NULL, 'system', true);
END $$;
COMMENT ON FUNCTION public.open_system_context IS 'For the owner alone: the context of one organization, as the system.';

-- ── Sessions ───────────────────────────────────────────────────────────────────────────────────────

-- A session is somebody's from the start: what has no ticket keeps nothing here. One person has ten at most; the oldest
-- beyond them ends, on record where it stood and among its person's sign-ins.
CREATE FUNCTION public.session_create(secret bytea, ticket bytea, data text, address text, agent text, absolute_seconds integer, idle_seconds integer,
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

CREATE FUNCTION public.session_save(secret bytea, data text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.sessions s SET data = session_save.data, seen_at = now()
    WHERE s.secret_hash = sha256(secret) AND private.is_live(s);
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.session_save IS 'Updates only, and live sessions only: one that was signed out or has idled away cannot come back.';

CREATE FUNCTION public.session_delete(secret bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.fresh_snapshot();
    DELETE FROM public.sessions s WHERE s.secret_hash = sha256(secret)
$$;

CREATE FUNCTION public.session_touch(secret bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT private.fresh_snapshot();
    UPDATE public.sessions s SET seen_at = now() WHERE s.secret_hash = sha256(secret) AND s.seen_at < now() - interval '1 minute'
        AND private.is_live(s)
$$;

-- Everything a request needs to know about who asks, in one row and one round trip. With `enter`, a session whose user
-- and assignment stand opens its context for this transaction too: the pages' queries follow in the same one.
CREATE FUNCTION public.session_load(secret bytea, enter boolean DEFAULT false) RETURNS TABLE (
    data text, stale boolean, expires_at timestamptz, user_id uuid, email text, user_name text, bound_hash bytea, auth_hash bytea,
    assignment_id uuid, role text, assignments integer, organization_id uuid, organization_slug text, organization_name text,
    client_id uuid, client_slug text, client_name text, client_currency text, client_time_zone text, client_locale text,
    customer_id uuid, writes_until timestamptz, viewed_until timestamptz, viewed_name text, own_role text,
    factor_due timestamptz, locked boolean)
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
        g.id, g.slug, g.name, a.client_id, c.slug, c.name, c.currency, c.time_zone, c.locale, a.customer_id
    INTO stands, of_session, seen_client, seen_customer, viewed_until, data, stale, expires_at, opened, user_id, email, user_name, bound_hash, auth_hash,
        assignment_id, role, assignments, organization_id, organization_slug, organization_name, client_id, client_slug, client_name,
        client_currency, client_time_zone, client_locale, customer_id
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
        PERFORM private.stand(of_session, opened, user_id, role, organization_id, client_id, customer_id, NULL, seen_client, seen_customer);
    END IF;
    own_role := role;
    IF seen_customer IS NOT NULL AND NOT locked AND private.may_view(role, organization_id, client_id, seen_client, seen_customer) THEN
        SELECT k.name, k.client_id, c.slug, c.name, c.currency, c.time_zone, c.locale, k.id, 'customer_user', NULL
        INTO viewed_name, client_id, client_slug, client_name, client_currency, client_time_zone, client_locale, customer_id, role, writes_until
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
CREATE FUNCTION private.issue_ticket(person public.users, assignment uuid, organization uuid, session_ends timestamptz, needs_code boolean DEFAULT false)
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
REVOKE ALL ON FUNCTION private.issue_ticket FROM PUBLIC;
ALTER FUNCTION private.issue_ticket OWNER TO eis_gate;

-- What has ended is swept by time: `portal serve` asks for it once a minute. Several may at once: each takes its own.
CREATE FUNCTION public.sweep_sessions() RETURNS integer
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

-- ── Signing in ─────────────────────────────────────────────────────────────────────────────────────

-- How many seconds an attempt on an account from an address must wait; NULL: it may be made now. At most
--   10 wrong attempts on an account from one address in 15 minutes, counted anew after a right one: nobody elsewhere locks a person out;
--   50 from one address in 15 minutes, whatever the account;
--   50 on an account from everywhere in an hour, unless somebody signed in to it from this address before: guessing from many
--   addresses is bounded, and the rightful person at a usual place is not held up.
-- What is under way counts as wrong until it is known.
CREATE FUNCTION private.retry_after(account bytea, address text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here text := left(address, 64);
    known timestamptz := (SELECT max(s.at) FROM public.sign_ins s
        WHERE s.account = retry_after.account AND s.address = here AND s.outcome = 'signed_in');
    waits timestamptz := greatest(
        (SELECT min(s.at) + interval '15 minutes' FROM public.sign_ins s
         WHERE s.account = retry_after.account AND s.address = here AND s.outcome IN ('entered', 'wrong')
           AND s.at > greatest(known, now() - interval '15 minutes') HAVING count(*) >= 10),
        (SELECT min(s.at) + interval '15 minutes' FROM public.sign_ins s
         WHERE s.address = here AND s.outcome IN ('entered', 'wrong') AND s.at > now() - interval '15 minutes' HAVING count(*) >= 50),
        (SELECT min(s.at) + interval '1 hour' FROM public.sign_ins s
         WHERE s.account = retry_after.account AND s.outcome IN ('entered', 'wrong') AND s.at > now() - interval '1 hour' AND known IS NULL
         HAVING count(*) >= 50));
BEGIN
    RETURN CASE WHEN waits IS NOT NULL THEN greatest(1, ceil(extract(epoch FROM waits - now()))::integer) END;
END $$;

-- Enters an attempt: it counts from now on, before anything is digested or compared. The caller's transaction should hold nothing
-- else, so that it ends at once. NULL and the seconds to wait where a limit holds.
CREATE FUNCTION private.enter_attempt(account bytea, person uuid, address text, OUT attempt bigint, OUT retry_after integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE here text := left(address, 64);
BEGIN
    -- In turn for an account, then for an address, and always in this order: those who come at once see each other's.
    PERFORM pg_advisory_xact_lock(77, hashtext(encode(account, 'hex')));
    PERFORM pg_advisory_xact_lock(78, hashtext(here));
    retry_after := private.retry_after(account, here);
    IF retry_after IS NULL THEN
        INSERT INTO public.sign_ins (user_id, account, address, outcome) VALUES (person, enter_attempt.account, here, 'entered') RETURNING id INTO attempt;
        RETURN;
    END IF;
    -- Refusals without end leave one line in a quarter of an hour.
    PERFORM 1 FROM public.sign_ins s WHERE s.account = enter_attempt.account AND s.address = here AND s.outcome = 'limited' AND s.at > now() - interval '15 minutes';
    IF NOT FOUND THEN
        INSERT INTO public.sign_ins (user_id, account, address, outcome) VALUES (person, enter_attempt.account, here, 'limited');
    END IF;
END $$;

-- The attempt to try now: the one that was entered for it, or one entered here; NULL where a limit holds. Each is tried once.
CREATE FUNCTION private.attempt_to_try(account bytea, person uuid, address text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE attempt bigint;
BEGIN
    SELECT s.id INTO attempt FROM public.sign_ins s
    WHERE s.account = attempt_to_try.account AND s.address = left(attempt_to_try.address, 64) AND s.outcome = 'entered'
      AND s.at > now() - interval '15 minutes'
    ORDER BY s.at DESC, s.id DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
    RETURN coalesce(attempt, (SELECT e.attempt FROM private.enter_attempt(account, person, address) e));
END $$;

-- Says what came of an attempt. One that was right gives its own count back.
CREATE FUNCTION private.end_attempt(attempt bigint, outcome text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.sign_ins s SET outcome = end_attempt.outcome WHERE s.id = attempt
$$;

-- Tries a password digest for an account, whoever asks and wherever: one limit, one record. 'signed_in', 'wrong' or 'limited'.
CREATE FUNCTION private.try_password(person public.users, email text, digest bytea, address text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attempt bigint := private.attempt_to_try(private.account_key(email), person.id, address);
    outcome text;
BEGIN
    IF attempt IS NULL THEN RETURN 'limited'; END IF;
    outcome := CASE WHEN person.id IS NULL OR person.password_proof IS DISTINCT FROM sha256(digest) THEN 'wrong' ELSE 'signed_in' END;
    PERFORM private.end_attempt(attempt,
        CASE WHEN outcome = 'signed_in' AND private.has_second_factor(person.id) THEN 'password' ELSE outcome END);
    RETURN outcome;
END $$;

-- What attempts on an account are counted under: an address that nobody has is kept as a hash only.
CREATE FUNCTION private.account_key(email text) RETURNS bytea LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(convert_to(lower(trim(email)), 'UTF8'))
$$;
REVOKE ALL ON FUNCTION private.retry_after, private.enter_attempt, private.attempt_to_try, private.end_attempt, private.try_password, private.account_key FROM PUBLIC;
ALTER FUNCTION private.retry_after OWNER TO eis_gate;
ALTER FUNCTION private.enter_attempt OWNER TO eis_gate;
ALTER FUNCTION private.attempt_to_try OWNER TO eis_gate;
ALTER FUNCTION private.end_attempt OWNER TO eis_gate;
ALTER FUNCTION private.try_password OWNER TO eis_gate;
ALTER FUNCTION private.account_key OWNER TO eis_gate;

-- A steady salt for an account that there is not, with the parameters of the account whose salt comes next: of a hundred
-- unknown accounts as many have weaker parameters as of a hundred known ones, and each of them one day no longer.
CREATE FUNCTION private.made_up_salt(email text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE made_up CONSTANT text := left(private.mac('salt|' || lower(trim(email)), 0), 32);
BEGIN
    RETURN coalesce(
        (SELECT left(u.password_salt, -32) FROM public.users u WHERE split_part(u.password_salt, '$', 5) >= made_up
            ORDER BY split_part(u.password_salt, '$', 5) LIMIT 1),
        (SELECT left(u.password_salt, -32) FROM public.users u WHERE u.password_salt IS NOT NULL
            ORDER BY split_part(u.password_salt, '$', 5) LIMIT 1),
        -- Nobody has a login yet.
        '$argon2id$v=19$m=19456,t=2,p=1$') || made_up;
END $$;

-- What Argon2id's parameters cost: memory times rounds.
CREATE FUNCTION private.salt_cost(salt text) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(salt FROM 'm=([0-9]+)')::bigint * substring(salt FROM 't=([0-9]+)')::bigint
$$;

-- The same password, digested under stronger parameters. It is no other password: sessions and links that are bound to how it
-- was kept are bound to how it is kept now, and go on.
CREATE FUNCTION private.strengthen_password(person public.users, salt text, digest bytea) RETURNS public.users LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE kept public.users;
BEGIN
    UPDATE public.users u SET password_salt = salt, password_proof = sha256(digest)
    WHERE u.id = person.id AND u.password_proof = person.password_proof RETURNING u.* INTO kept;
    -- Another sign-in did it meanwhile, or the password was changed.
    IF kept.id IS NULL THEN RETURN person; END IF;
    UPDATE public.sessions s SET auth_hash = private.auth_hash(kept, (SELECT a FROM public.role_assignments a WHERE a.id = s.assignment_id))
    WHERE s.user_id = kept.id AND s.auth_hash = private.auth_hash(person, (SELECT a FROM public.role_assignments a WHERE a.id = s.assignment_id));
    PERFORM private.rebind_reset(kept.id, sha256(person.password_proof), sha256(kept.password_proof));
    RETURN kept;
END $$;

-- Binds a link to set a new password to how the password is kept now. (Links come with their own migration.)
CREATE FUNCTION private.rebind_reset(person uuid, was bytea, becomes bytea) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
REVOKE ALL ON FUNCTION private.made_up_salt, private.salt_cost, private.strengthen_password, private.rebind_reset FROM PUBLIC;
ALTER FUNCTION private.made_up_salt OWNER TO eis_gate;
ALTER FUNCTION private.salt_cost OWNER TO eis_gate;
ALTER FUNCTION private.strengthen_password OWNER TO eis_gate;
ALTER FUNCTION private.rebind_reset OWNER TO eis_gate;

CREATE FUNCTION public.sign_in_salt(email text, address text, OUT salt text, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person public.users;
    made_up text;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(trim(sign_in_salt.email)) AND u.status = 'active';
    SELECT e.retry_after INTO retry_after FROM private.enter_attempt(private.account_key(email), person.id, address) e;
    -- Asked of every account, so that both take the same time.
    made_up := private.made_up_salt(sign_in_salt.email);
    salt := coalesce(person.password_salt, made_up);
END $$;
COMMENT ON FUNCTION public.sign_in_salt IS
    'Enters an attempt to sign in, which counts from now on, and tells parameters and salt of the account, as PHC strings write them; for an unknown one a steady made-up one, so that both look and cost the same. Where a limit on attempts holds, how long: then nothing needs to be digested.';

-- `new_digest`: of the same password under `new_salt`, whose parameters are stronger than those that it was tried under.
CREATE FUNCTION public.sign_in(email text, digest bytea, address text, new_salt text DEFAULT NULL, new_digest bytea DEFAULT NULL, OUT outcome text, OUT ticket bytea, OUT user_id uuid, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person public.users;
    choice uuid;
    choices integer;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(trim(sign_in.email)) AND u.status = 'active';
    outcome := private.try_password(person, email, digest, address);
    IF outcome = 'limited' THEN
        retry_after := private.retry_after(private.account_key(email), address);
    ELSIF outcome = 'signed_in' THEN
        SELECT count(*), (array_agg(a.id))[1] INTO choices, choice FROM public.role_assignments a WHERE a.user_id = person.id AND private.in_force(a);
        user_id := person.id;
        IF private.salt_cost(new_salt) > private.salt_cost(person.password_salt) THEN
            person := private.strengthen_password(person, new_salt, new_digest);
        END IF;
        IF private.has_second_factor(person.id) THEN outcome := 'code_needed'; END IF;
        ticket := private.issue_ticket(person, CASE WHEN choices = 1 THEN choice END, NULL, NULL, outcome = 'code_needed');
    END IF;
END $$;
COMMENT ON FUNCTION public.sign_in IS 'Checks a password digest, limits attempts, and gives a ticket for a new session. One assignment is opened at once; of several the person chooses. A right password is kept under stronger parameters, where the caller digested it so too.';

CREATE FUNCTION public.my_assignments() RETURNS TABLE (
    assignment_id uuid, role text, organization_name text, organization_slug text, client_name text, account_number text, customer_name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT a.id, a.role, g.name, g.slug, c.name, n.account_number, k.name
    FROM public.role_assignments a
    LEFT JOIN public.organizations g ON g.id = a.organization_id
    LEFT JOIN public.clients c ON c.organization_id = a.organization_id AND c.id = a.client_id
    LEFT JOIN public.customers k ON k.organization_id = a.organization_id AND k.client_id = a.client_id AND k.id = a.customer_id
    LEFT JOIN public.accounts n ON n.organization_id = a.organization_id AND n.client_id = a.client_id AND n.customer_id = a.customer_id AND n.is_main
    WHERE a.user_id = public.get_current_user_id() AND private.in_force(a)
    ORDER BY g.name NULLS FIRST, c.name NULLS FIRST, k.name;
END $$;
COMMENT ON FUNCTION public.my_assignments IS 'What the user of this context may switch to.';

-- Gives a ticket for a new session under another assignment of the same person, or, for EIS staff, another organization.
CREATE FUNCTION public.switch_context(secret bytea, assignment uuid, organization uuid) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    a public.role_assignments;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, true, true);
    SELECT x.* INTO a FROM public.role_assignments x
        WHERE x.id = coalesce(assignment, (live.session).assignment_id) AND x.user_id = (live.person).id AND private.in_force(x);
    IF a.id IS NULL OR (organization IS NOT NULL AND a.role <> 'eis_staff') THEN
        RAISE EXCEPTION 'this is not yours to open' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    IF organization IS NOT NULL THEN
        IF private.second_factor_due((live.person).id, a.role) <= statement_timestamp() THEN
            RAISE EXCEPTION 'this role needs a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'second_factor_needed';
        END IF;
        PERFORM 1 FROM public.organizations g WHERE g.id = organization;
        IF NOT FOUND THEN RAISE EXCEPTION 'this is not yours to open' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours'; END IF;
        INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary)
        VALUES (organization, gen_random_uuid(), (live.person).id, (live.person).name, 'eis_staff', 'open', 'organization', organization,
            'EIS staff opened the organization');
    END IF;
    RETURN private.issue_ticket(live.person, a.id, organization, (live.session).expires_at);
END $$;

CREATE FUNCTION public.staff_organizations(search text, page_offset integer, page_limit integer)
RETURNS TABLE (id uuid, slug text, name text, status text, clients bigint, total bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF public.get_current_role() IS DISTINCT FROM 'eis_staff' THEN
        RAISE EXCEPTION 'for EIS staff' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    RETURN QUERY SELECT g.id, g.slug, g.name, g.status,
        (SELECT count(*) FROM public.clients c WHERE c.organization_id = g.id), count(*) OVER ()
    FROM public.organizations g
    WHERE search = '' OR strpos(lower(g.name || ' ' || g.slug), lower(search)) > 0
    ORDER BY g.name, g.id OFFSET page_offset LIMIT page_limit;
END $$;
COMMENT ON FUNCTION public.staff_organizations IS 'All organizations by name, for EIS staff; names and the number of clients, nothing else.';

-- ── One's own profile ──────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION public.my_sessions(secret bytea) RETURNS TABLE (
    id uuid, current boolean, address text, agent text, created_at timestamptz, seen_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT s.id, s.secret_hash = sha256(secret), s.address, s.agent, s.created_at, s.seen_at
    FROM public.sessions s
    WHERE s.user_id = public.get_current_user_id() AND private.is_live(s)
    ORDER BY s.seen_at DESC;
END $$;

-- What a person does about the own login, told where it matters: in the log of the organization that is open.
CREATE FUNCTION private.audit_person(person public.users, a public.role_assignments, opened uuid, action text, summary text, address text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE org uuid := CASE WHEN a.role = 'eis_staff' THEN opened ELSE a.organization_id END;
BEGIN
    IF org IS NULL THEN RETURN; END IF;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    VALUES (org, gen_random_uuid(), a.client_id, a.customer_id, person.id, person.name, a.role, audit_person.action, 'user', person.id,
        audit_person.summary, left(audit_person.address, 64));
END $$;
REVOKE ALL ON FUNCTION private.audit_person FROM PUBLIC;
ALTER FUNCTION private.audit_person OWNER TO eis_gate;

-- Ending sessions asks for the password every time: whoever finds a browser open shuts nobody out (OWASP ASVS 7.5.2).
CREATE FUNCTION public.end_my_sessions(secret bytea, session uuid, digest bytea, address text, OUT outcome text, OUT ended integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    outcome := private.try_password(live.person, (live.person).email, digest, address);
    IF outcome <> 'signed_in' THEN
        outcome := CASE outcome WHEN 'limited' THEN outcome ELSE 'wrong password' END;
        RETURN;
    END IF;
    DELETE FROM public.sessions s WHERE s.user_id = (live.person).id AND s.id <> (live.session).id
        AND s.id = coalesce(end_my_sessions.session, s.id);
    GET DIAGNOSTICS ended = ROW_COUNT;
    -- What is under way to become one ends with all others.
    IF end_my_sessions.session IS NULL THEN DELETE FROM public.session_tickets t WHERE t.user_id = (live.person).id; END IF;
    IF ended > 0 THEN
        PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'end_sessions',
            CASE WHEN end_my_sessions.session IS NULL THEN format('Signed out %s other sessions', ended) ELSE 'Signed out another session' END, address);
    END IF;
    outcome := 'done';
END $$;
COMMENT ON FUNCTION public.end_my_sessions IS
    'With the password, ends one other session of one''s own, or all others (NULL), and tells how many: done, wrong password or limited. The present one ends by signing out.';

-- A session that sees as a customer enters none.
CREATE FUNCTION public.enter_my_attempt(secret bytea, address text, OUT salt text, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    SELECT e.retry_after INTO retry_after FROM private.enter_attempt(private.account_key((live.person).email), (live.person).id, address) e;
    salt := (live.person).password_salt;
END $$;
COMMENT ON FUNCTION public.enter_my_attempt IS
    'Enters an attempt at the password of this session''s person, as sign_in_salt does, and tells its parameters and salt.';

-- Other sessions end with the old password; the caller continues with a ticket for a new one.
-- NULL when the old password is wrong: that counts as an attempt to sign in does.
CREATE FUNCTION public.change_password(secret bytea, old_digest bytea, new_salt text, new_digest bytea, address text) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    outcome text;
    changed public.users;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    outcome := private.try_password(live.person, (live.person).email, old_digest, address);
    IF outcome = 'limited' THEN
        RAISE EXCEPTION 'too many attempts' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'limited';
    END IF;
    IF outcome = 'wrong' THEN RETURN NULL; END IF;
    UPDATE public.users u SET password_salt = new_salt, password_proof = sha256(new_digest), password_changed_at = now()
        WHERE u.id = (live.person).id RETURNING u.* INTO changed;
    DELETE FROM public.sessions s WHERE s.user_id = (live.person).id AND s.id <> (live.session).id;
    DELETE FROM public.session_tickets t WHERE t.user_id = (live.person).id;
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'change_password', 'Changed the password', address);
    RETURN private.issue_ticket(changed, (live.session).assignment_id, (live.session).organization_id, (live.session).expires_at);
END $$;

-- ── Users of an organization ───────────────────────────────────────────────────────────────────────

-- The zone in which the days of a role are meant: its client's, or its organization's.
CREATE FUNCTION private.zone_of(organization uuid, client uuid) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT c.time_zone FROM public.clients c WHERE c.organization_id = organization AND c.id = client),
        (SELECT g.time_zone FROM public.organizations g WHERE g.id = organization));
END $$;

-- The first moment after a day in a zone, also where a clock change moves its midnight, skips it or lets it come twice.
CREATE FUNCTION private.end_of_day(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE midnight timestamptz := (day + 1)::timestamp AT TIME ZONE zone;
BEGIN
    IF ((midnight - interval '1 hour') AT TIME ZONE zone)::date > day THEN RETURN midnight - interval '1 hour'; END IF;
    RETURN midnight;
END $$;

-- The last day of what ends at a moment.
CREATE FUNCTION private.last_day_before(ends timestamptz, zone text) RETURNS date LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN ((ends - interval '1 microsecond') AT TIME ZONE zone)::date; END $$;

REVOKE ALL ON FUNCTION private.zone_of, private.end_of_day, private.last_day_before FROM PUBLIC;
ALTER FUNCTION private.zone_of OWNER TO eis_gate;
ALTER FUNCTION private.end_of_day OWNER TO eis_gate;
ALTER FUNCTION private.last_day_before OWNER TO eis_gate;

-- A role ends with its day, also when its client or its organization moves to another zone.
CREATE FUNCTION public.roles_keep_their_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved jsonb := to_jsonb(NEW);
    organization uuid := coalesce(moved ->> 'organization_id', moved ->> 'id')::uuid;
    client uuid := CASE WHEN moved ? 'organization_id' THEN (moved ->> 'id')::uuid END;
BEGIN
    UPDATE public.role_assignments a SET valid_to = greatest(private.end_of_day(a.last_day, NEW.time_zone), now())
    WHERE a.organization_id = organization AND a.client_id IS NOT DISTINCT FROM client AND a.last_day IS NOT NULL AND a.valid_to > now();
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.roles_keep_their_day IS 'Moves the moment at which roles end to the end of their day in the new zone.';
CREATE TRIGGER roles_keep_their_day AFTER UPDATE OF time_zone ON public.clients FOR EACH ROW
    WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION public.roles_keep_their_day();
CREATE TRIGGER roles_keep_their_day AFTER UPDATE OF time_zone ON public.organizations FOR EACH ROW
    WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION public.roles_keep_their_day();
CALL private.give_to_gate('{roles_keep_their_day}', '');

-- Users with an assignment that this context may see: the whole organization, or the customers' logins of one client.
CREATE FUNCTION public.organization_users() RETURNS TABLE (
    assignment_id uuid, user_id uuid, name text, email text, status text, role text, client_id uuid, client_name text,
    customer_id uuid, customer_name text, valid_from timestamptz, valid_to timestamptz, since date, last_day date, time_zone text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[] := private.context();
BEGIN
    IF fields IS NULL OR fields[1] NOT IN ('organization', 'client') THEN RETURN; END IF;
    RETURN QUERY SELECT a.id, u.id, u.name, u.email, u.status, a.role, a.client_id, c.name, a.customer_id, k.name, a.valid_from, a.valid_to,
        (a.valid_from AT TIME ZONE z.zone)::date, coalesce(a.last_day, private.last_day_before(a.valid_to, z.zone)), z.zone
    FROM public.role_assignments a
    JOIN public.users u ON u.id = a.user_id
    JOIN public.organizations g ON g.id = a.organization_id
    LEFT JOIN public.clients c ON c.organization_id = a.organization_id AND c.id = a.client_id
    LEFT JOIN public.customers k ON k.organization_id = a.organization_id AND k.client_id = a.client_id AND k.id = a.customer_id
    CROSS JOIN LATERAL (SELECT coalesce(c.time_zone, g.time_zone) AS zone) z
    WHERE a.organization_id = fields[2]::uuid AND (fields[1] = 'organization' OR a.client_id = fields[3]::uuid)
    ORDER BY u.name, a.id;
END $$;

-- Whether an assignment gives this person this role at this place.
CREATE FUNCTION private.same_right(a public.role_assignments, person uuid, role text, organization uuid, client uuid, customer uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.user_id = person AND a.role = same_right.role AND a.organization_id IS NOT DISTINCT FROM organization
        AND a.client_id IS NOT DISTINCT FROM client AND a.customer_id IS NOT DISTINCT FROM customer
$$;
REVOKE ALL ON FUNCTION private.same_right FROM PUBLIC;
ALTER FUNCTION private.same_right OWNER TO eis_gate;

-- Whether somebody in a role, of the whole organization or at one client (`own_client`), may grant another at this place
-- (domain.md, "Who may do what"; `Role::grants` says the same). Never one's own level, nor one above.
CREATE FUNCTION private.may_grant(role text, own_client uuid, granted text, client uuid) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE
        WHEN own_client IS NOT NULL THEN role IN ('energy_admin', 'client_admin') AND granted = 'customer_user' AND client = own_client
        WHEN role = 'eis_staff' THEN granted = 'energy_admin'
        WHEN role = 'energy_admin' THEN granted IN ('client_admin', 'customer_user')
        END, false)
$$;
REVOKE ALL ON FUNCTION private.may_grant FROM PUBLIC;
ALTER FUNCTION private.may_grant OWNER TO eis_gate;

-- Tells an organization's energy admins, but one, what EIS staff changed in who runs it.
CREATE FUNCTION private.tell_energy_admins(organization uuid, changed text, why text, but uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.role_notices (organization_id, user_id, summary, reason)
    SELECT DISTINCT organization, a.user_id, changed, why
    FROM public.role_assignments a JOIN public.users u ON u.id = a.user_id AND u.status = 'active'
    WHERE a.organization_id = organization AND a.role = 'energy_admin' AND private.in_force(a) AND a.user_id IS DISTINCT FROM but;
END $$;

-- What the context changes in somebody's right, told where EIS staff do it; anybody else's changes stand in the log alone.
-- Told before the change: who loses a right is told too. It is an error when the time for changes has ended since the context
-- was opened. (private.step_up_reason comes with the migration of stepping up.)
CREATE FUNCTION private.tell_of_staff(fields text[], changed text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fields[6] <> 'eis_staff' THEN RETURN; END IF;
    IF private.step_up_reason(fields) IS NULL THEN
        RAISE EXCEPTION 'the time for changes is over' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'reading_only';
    END IF;
    PERFORM private.tell_energy_admins(fields[2]::uuid,
        format('%s (EIS staff) %s', (SELECT u.name FROM public.users u WHERE u.id = fields[5]::uuid), changed), private.step_up_reason(fields), NULL);
END $$;
REVOKE ALL ON FUNCTION private.tell_energy_admins, private.tell_of_staff FROM PUBLIC;
ALTER FUNCTION private.tell_energy_admins OWNER TO eis_gate;
ALTER FUNCTION private.tell_of_staff OWNER TO eis_gate;

CREATE FUNCTION public.see_notices(notices uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    seen integer;
BEGIN
    UPDATE public.role_notices n SET seen_at = now()
    WHERE n.organization_id = nullif(fields[2], '')::uuid AND n.user_id = nullif(fields[5], '')::uuid AND n.id = ANY (notices) AND n.seen_at IS NULL;
    GET DIAGNOSTICS seen = ROW_COUNT;
    RETURN seen;
END $$;
COMMENT ON FUNCTION public.see_notices IS 'One''s own notices that one has seen; how many of these were still open.';

CREATE FUNCTION public.invite(id uuid, email text, name text, role text, client uuid, customer uuid, valid_days integer) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    token bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
    zone text := private.zone_of(nullif(fields[2], '')::uuid, invite.client);
BEGIN
    IF fields[2] = '' OR NOT private.may_grant(fields[6], nullif(fields[3], '')::uuid, invite.role, invite.client) THEN
        RAISE EXCEPTION 'you may not grant this role' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    -- An hour, on record, is all that staff have in an organization: a role of their own would be more.
    IF fields[6] = 'eis_staff' AND EXISTS (SELECT FROM public.users u WHERE u.id = fields[5]::uuid AND lower(u.email) = lower(trim(invite.email))) THEN
        RAISE EXCEPTION 'staff give roles to others' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'own_role';
    END IF;
    IF invite.customer IS NOT NULL THEN
        PERFORM 1 FROM public.customers k WHERE k.organization_id = fields[2]::uuid AND k.client_id = invite.client AND k.id = invite.customer;
        IF NOT FOUND THEN RAISE EXCEPTION 'no such customer' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours'; END IF;
    END IF;
    PERFORM private.tell_of_staff(fields, format('invited %s (%s) as energy admin', trim(invite.name), trim(invite.email)));
    INSERT INTO public.invitations (organization_id, id, token_hash, email, name, role, client_id, customer_id, invited_by, reason, expires_at, created_by)
    VALUES (fields[2]::uuid, invite.id, sha256(token), trim(invite.email), trim(invite.name), invite.role, invite.client, invite.customer,
        fields[5]::uuid, private.step_up_reason(fields), private.end_of_day((now() AT TIME ZONE zone)::date + valid_days, zone), fields[5]::uuid);
    RETURN token;
END $$;
COMMENT ON FUNCTION public.invite IS 'A one-time link''s token; shown once, kept as a hash. It works to the end of the last of its days. Who may grant what: domain.md.';

CREATE FUNCTION public.revoke_invitation(invitation uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    taken public.invitations;
BEGIN
    UPDATE public.invitations i SET revoked_at = now()
    WHERE i.organization_id = nullif(fields[2], '')::uuid AND i.id = invitation AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND private.may_grant(fields[6], nullif(fields[3], '')::uuid, i.role, i.client_id)
    RETURNING i.* INTO taken;
    IF taken.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, format('took back the invitation of %s (%s) as energy admin', taken.name, taken.email));
    RETURN true;
END $$;

CREATE FUNCTION public.invitation_by_token(token bytea) RETURNS TABLE (
    email text, name text, role text, organization_name text, client_name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    RETURN QUERY SELECT i.email, i.name, i.role, g.name, c.name
    FROM public.invitations i JOIN public.organizations g ON g.id = i.organization_id
    LEFT JOIN public.clients c ON c.organization_id = i.organization_id AND c.id = i.client_id
    WHERE i.token_hash = sha256(token) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > statement_timestamp();
END $$;
COMMENT ON FUNCTION public.invitation_by_token IS 'What a link invites to. Whether its address has a login already is not told.';

-- A known person proves the password; a new one sets it, where it is fit for a new login: when it is not, the answer is that
-- to a wrong one. 'accepted', 'wrong' or 'limited' as for signing in, or 'refused': the link is spent, or its maker or this
-- login may no longer take part.
CREATE FUNCTION public.accept_invitation(token bytea, new_user uuid, new_assignment uuid, name text, salt text, digest bytea, address text, fit boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    i public.invitations;
    person public.users;
    attempt bigint;
    outcome text;
    -- The right as this person holds it now.
    held uuid;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT x.* INTO i FROM public.invitations x
    WHERE x.token_hash = sha256(token) AND x.accepted_at IS NULL AND x.revoked_at IS NULL AND x.expires_at > statement_timestamp() FOR UPDATE;
    IF i.id IS NULL THEN RETURN 'refused'; END IF;
    -- A link is worth no more than the right of the one who made it, as it is now; of staff, who have none without stepping
    -- up, it carries the reason why they had.
    PERFORM 1 FROM public.role_assignments g WHERE g.user_id = i.invited_by AND private.in_force(g)
        AND (g.organization_id = i.organization_id OR (g.role = 'eis_staff' AND i.reason IS NOT NULL))
        AND private.may_grant(g.role, g.client_id, i.role, i.client_id);
    IF NOT FOUND THEN RETURN 'refused'; END IF;
    -- Locked, so that of two links accepted at once the second sees what the first gave.
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(i.email) FOR UPDATE;
    IF person.id IS NULL THEN
        IF NOT fit THEN RETURN private.try_password(person, i.email, digest, address); END IF;
        attempt := private.attempt_to_try(private.account_key(i.email), NULL, address);
        IF attempt IS NULL THEN RETURN 'limited'; END IF;
        INSERT INTO public.users (id, email, name, password_salt, password_proof, password_changed_at)
        VALUES (new_user, i.email, trim(accept_invitation.name), salt, sha256(digest), now())
        ON CONFLICT DO NOTHING RETURNING * INTO person;
        -- Another link made this login in the meantime: this one asks for its password.
        outcome := CASE WHEN person.id IS NULL THEN 'wrong' ELSE 'signed_in' END;
        PERFORM private.end_attempt(attempt, outcome);
        IF outcome = 'wrong' THEN RETURN outcome; END IF;
    ELSE
        outcome := private.try_password(person, person.email, digest, address);
        IF outcome <> 'signed_in' THEN RETURN outcome; END IF;
        IF person.status <> 'active' OR (person.id = i.invited_by AND i.reason IS NOT NULL) THEN RETURN 'refused'; END IF;
    END IF;
    PERFORM private.nobody_else(person.id);
    SELECT a.id INTO held FROM public.role_assignments a
    WHERE private.same_right(a, person.id, i.role, i.organization_id, i.client_id, i.customer_id) AND (a.valid_to IS NULL OR a.valid_to > now())
    ORDER BY a.valid_from LIMIT 1 FOR UPDATE;
    IF held IS NULL THEN
        INSERT INTO public.role_assignments (organization_id, id, user_id, role, client_id, customer_id, granted_by, created_by)
        VALUES (i.organization_id, new_assignment, person.id, i.role, i.client_id, i.customer_id, i.invited_by, i.invited_by);
    ELSE
        -- Held already: it is not held twice. An end that was set before this link was made falls away.
        UPDATE public.role_assignments a SET valid_from = least(a.valid_from, now()), valid_to = NULL, last_day = NULL
        WHERE a.id = held AND (a.valid_to IS NOT NULL OR a.valid_from > now());
    END IF;
    UPDATE public.invitations x SET accepted_at = now() WHERE x.organization_id = i.organization_id AND x.id = i.id;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, details)
    VALUES (i.organization_id, gen_random_uuid(), i.client_id, i.customer_id, person.id, person.name, i.role, 'accept', 'invitation', i.id,
        'Accepted the invitation as ' || replace(i.role, '_', ' '),
        jsonb_strip_nulls(jsonb_build_object('invited_by', (SELECT u.name FROM public.users u WHERE u.id = i.invited_by), 'reason', i.reason)));
    IF i.reason IS NOT NULL THEN
        PERFORM private.tell_energy_admins(i.organization_id, format('%s (%s) is energy admin now, invited by %s (EIS staff)', person.name, person.email,
            (SELECT u.name FROM public.users u WHERE u.id = i.invited_by)), i.reason, person.id);
    END IF;
    RETURN 'accepted';
END $$;

-- Ends a right at a moment, with its last day if a person set one; NULL: it has no end. Every assignment of it ends, and
-- links that would give it again stop working. Sessions under it end with their next transaction, since what they were
-- bound under has changed.
CREATE FUNCTION private.end_right(a public.role_assignments, ends timestamptz, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Links first: accepting one locks in this order too.
    UPDATE public.invitations i SET revoked_at = now()
    FROM public.users u
    WHERE u.id = a.user_id AND lower(i.email) = lower(u.email) AND i.organization_id = a.organization_id AND i.role = a.role
      AND i.client_id IS NOT DISTINCT FROM a.client_id AND i.customer_id IS NOT DISTINCT FROM a.customer_id
      AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND ends IS NOT NULL;
    PERFORM private.keep_an_energy_admin(a, ends);
    UPDATE public.role_assignments x SET valid_to = greatest(x.valid_from, now()), last_day = NULL
    WHERE private.same_right(x, a.user_id, a.role, a.organization_id, a.client_id, a.customer_id)
      AND x.id <> a.id AND (x.valid_to IS NULL OR x.valid_to > now());
    UPDATE public.role_assignments x SET valid_to = CASE WHEN ends IS NOT NULL THEN greatest(ends, x.valid_from) END, last_day = day
    WHERE x.id = a.id;
END $$;

-- An organization keeps one energy admin who may sign in and whose role holds as long as the one that is ended.
CREATE FUNCTION private.keep_an_energy_admin(a public.role_assignments, ends timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF a.role <> 'energy_admin' OR ends IS NULL THEN RETURN; END IF;
    -- Locked, so that two who are ended at once do not each count on the other. What ended while this waited may have ended
    -- after this transaction began: the clock is asked, not now().
    PERFORM 1 FROM public.role_assignments x WHERE x.organization_id = a.organization_id AND x.role = 'energy_admin' ORDER BY x.id FOR UPDATE;
    PERFORM 1 FROM public.role_assignments x JOIN public.users u ON u.id = x.user_id AND u.status = 'active'
    WHERE x.organization_id = a.organization_id AND x.role = 'energy_admin' AND x.user_id <> a.user_id
      AND x.valid_from <= now() AND (x.valid_to IS NULL OR x.valid_to > clock_timestamp() AND x.valid_to >= ends);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the organization would have no energy admin' USING ERRCODE = 'raise_exception', CONSTRAINT = 'last_energy_admin';
    END IF;
END $$;
REVOKE ALL ON FUNCTION private.end_right, private.keep_an_energy_admin FROM PUBLIC;
ALTER FUNCTION private.end_right OWNER TO eis_gate;
ALTER FUNCTION private.keep_an_energy_admin OWNER TO eis_gate;

-- An assignment that has not ended and that the context may change; nobody changes their own.
CREATE FUNCTION private.assignment_to_end(fields text[], assignment uuid) RETURNS public.role_assignments
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE found public.role_assignments;
BEGIN
    SELECT a.* INTO found FROM public.role_assignments a
    WHERE a.id = assignment AND a.organization_id = nullif(fields[2], '')::uuid AND (a.valid_to IS NULL OR a.valid_to > now())
      AND a.user_id <> nullif(fields[5], '')::uuid AND private.may_grant(fields[6], nullif(fields[3], '')::uuid, a.role, a.client_id);
    RETURN found;
END $$;

-- A right of somebody in words, for the notices: 'Ada Admin (ada@example.com) as energy admin'.
CREATE FUNCTION private.right_in_words(a public.role_assignments) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (SELECT format('%s (%s) as %s', u.name, u.email, replace(a.role, '_', ' ')) FROM public.users u WHERE u.id = a.user_id); END $$;
REVOKE ALL ON FUNCTION private.right_in_words FROM PUBLIC;
ALTER FUNCTION private.right_in_words OWNER TO eis_gate;
REVOKE ALL ON FUNCTION private.assignment_to_end FROM PUBLIC;
ALTER FUNCTION private.assignment_to_end OWNER TO eis_gate;

CREATE FUNCTION public.end_assignment(assignment uuid, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
BEGIN
    IF a.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, CASE WHEN day IS NULL THEN 'took the last day away of ' || private.right_in_words(a)
        ELSE format('made %s the last day of %s', day, private.right_in_words(a)) END);
    PERFORM private.end_right(a, greatest(private.end_of_day(day, private.zone_of(a.organization_id, a.client_id)),
        CASE WHEN day IS NOT NULL THEN now() END), day);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.end_assignment IS
    'Sets the last day of a right where its client is, or its organization; NULL: no end. A day gone by ends it now.';

CREATE FUNCTION public.revoke_assignment(assignment uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
BEGIN
    IF a.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, 'ended the role of ' || private.right_in_words(a));
    PERFORM private.end_right(a, now(), NULL);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.revoke_assignment IS 'Takes a right back, from now on.';

-- The person's sessions in this organization, at roles that the context may give and take: those at roles elsewhere go on,
-- and the person may sign in again. Tickets under way to such a role are worth nothing either.
CREATE FUNCTION public.end_user_sessions(assignment uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
    here uuid := nullif(fields[3], '')::uuid;
    ended integer;
BEGIN
    IF a.id IS NULL THEN
        RAISE EXCEPTION 'these sessions are not yours to end' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    DELETE FROM public.session_tickets t USING public.role_assignments x
    WHERE t.assignment_id = x.id AND x.user_id = a.user_id AND x.organization_id = a.organization_id AND private.may_grant(fields[6], here, x.role, x.client_id);
    DELETE FROM public.sessions s USING public.role_assignments x
    WHERE s.assignment_id = x.id AND x.user_id = a.user_id AND x.organization_id = a.organization_id AND private.may_grant(fields[6], here, x.role, x.client_id);
    GET DIAGNOSTICS ended = ROW_COUNT;
    PERFORM private.tell_of_staff(fields, 'ended the sessions of ' || private.right_in_words(a));
    RETURN ended;
END $$;
COMMENT ON FUNCTION public.end_user_sessions IS
    'Ends the sessions of an assignment''s person in the organization, at roles that the context may take back; how many. The roles stay.';

CALL private.give_to_gate('{
    open_context, open_system_context, session_create, session_save, session_delete, session_touch, session_load, sweep_sessions,
    sign_in_salt, sign_in, my_assignments, switch_context, staff_organizations, my_sessions, end_my_sessions, enter_my_attempt,
    change_password, organization_users, see_notices, invite, revoke_invitation, invitation_by_token, accept_invitation, end_assignment,
    revoke_assignment, end_user_sessions}', 'eis_app');
SET LOCAL ROLE eis_gate;
REVOKE EXECUTE ON FUNCTION public.open_system_context FROM eis_app;
GRANT EXECUTE ON FUNCTION public.open_system_context TO eis_owner;
SET LOCAL ROLE eis_owner;
