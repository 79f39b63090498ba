-- The gate: second factors. The migration of their tables tells why they are as they are.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Whether a person signs in with a second factor.
CREATE OR REPLACE FUNCTION private.has_second_factor(person uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN EXISTS (SELECT FROM public.second_factors f WHERE f.user_id = person AND f.confirmed_at IS NOT NULL); END $$;

-- Until when a person in a role may do without. EIS staff and energy admins need one: the days of grace count from when the
-- person was first given such a role, so that giving it anew prolongs nothing. They are over for whom a lost one was taken
-- away. Without the rule's row there is no grace.
CREATE OR REPLACE FUNCTION private.second_factor_due(person uuid, role text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF role IS NULL OR role NOT IN ('eis_staff', 'energy_admin') OR private.has_second_factor(person) THEN RETURN NULL; END IF;
    RETURN coalesce(
        (SELECT f.taken_at FROM public.second_factors f WHERE f.user_id = person),
        (SELECT min(a.valid_from) FROM public.role_assignments a WHERE a.user_id = person AND a.role IN ('eis_staff', 'energy_admin'))
            + pg_catalog.make_interval(hours => 24 * (SELECT r.grace_days FROM private.second_factor_rule r)), 'epoch');
END $$;

-- RFC 4226's six digits of a time step.
CREATE OR REPLACE FUNCTION private.totp(secret bytea, step bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mac CONSTANT bytea := extensions.hmac(int8send(step), secret, 'sha1');
    place CONSTANT integer := get_byte(mac, 19) & 15;
BEGIN
    RETURN lpad(((('x' || encode(substr(mac, place + 1, 4), 'hex'))::bit(32)::bigint & 2147483647) % 1000000)::text, 6, '0');
END $$;

-- Takes a code, once: of the step now or a neighbour of it and later than the last one taken, or one from paper, as people
-- copy it: with dashes or without, in small letters, an O for a zero, an I or an L for a one.
CREATE OR REPLACE FUNCTION private.take_code(person uuid, code text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    typed CONSTANT text := upper(regexp_replace(code, '[^0-9A-Za-z]', '', 'g'));
    this CONSTANT bigint := floor(extract(epoch FROM clock_timestamp()) / 30);
    factor public.second_factors;
BEGIN
    SELECT f.* INTO factor FROM public.second_factors f WHERE f.user_id = person FOR UPDATE;
    IF factor.user_id IS NULL THEN RETURN false; END IF;
    FOR step IN greatest(this - 1, factor.last_step + 1) .. this + 1 LOOP
        IF private.totp(factor.secret, step) = typed THEN
            UPDATE public.second_factors f SET last_step = step WHERE f.user_id = person;
            RETURN true;
        END IF;
    END LOOP;
    IF factor.confirmed_at IS NULL THEN RETURN false; END IF;
    UPDATE public.recovery_codes r SET used_at = now()
    WHERE r.user_id = person AND r.code_hash = sha256(r.salt || convert_to(translate(typed, 'OIL', '011'), 'UTF8')) AND r.used_at IS NULL;
    RETURN FOUND;
END $$;

-- Tries a code under the same limit as passwords, and on the same record. 'signed_in', 'wrong' or 'limited'.
CREATE OR REPLACE FUNCTION private.try_code(person public.users, code text, address text) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attempt bigint := private.attempt_to_try(private.account_key(person.email), person.id, address);
    outcome text;
BEGIN
    IF attempt IS NULL THEN RETURN 'limited'; END IF;
    outcome := CASE WHEN private.take_code(person.id, code) THEN 'signed_in' ELSE 'wrong' END;
    PERFORM private.end_attempt(attempt, outcome);
    RETURN outcome;
END $$;

-- Whoever changes something about the second factor says the password anew, and a code where there is one to be had: a
-- session alone is not enough. 'done', 'wrong password', 'wrong code' or 'limited'.
CREATE OR REPLACE FUNCTION private.prove_anew(person public.users, digest bytea, code text, address text) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE outcome text := private.try_password(person, person.email, digest, address);
BEGIN
    IF outcome <> 'signed_in' THEN RETURN CASE outcome WHEN 'limited' THEN outcome ELSE 'wrong password' END; END IF;
    outcome := private.try_code(person, code, address);
    RETURN CASE outcome WHEN 'signed_in' THEN 'done' WHEN 'limited' THEN outcome ELSE 'wrong code' END;
END $$;

-- Ten fresh codes for paper in place of those before; they are kept as digests, so that this is the only time they are told.
-- Of 28 letters and digits each, 5 bits a character: without I, L, O and U, which are taken for others (take_code).
CREATE OR REPLACE FUNCTION private.make_recovery_codes(person uuid) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE codes text[] := ARRAY(
    SELECT (SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (get_byte(random.bytes, place) & 31) + 1, 1), '') FROM generate_series(0, 27) place)
    FROM (SELECT extensions.gen_random_bytes(28) AS bytes FROM generate_series(1, 10)) random);
BEGIN
    DELETE FROM public.recovery_codes r WHERE r.user_id = person;
    INSERT INTO public.recovery_codes (user_id, salt, code_hash, created_by)
    SELECT person, x.salt, sha256(x.salt || convert_to(x.code, 'UTF8')), person
    FROM (SELECT c.code, extensions.gen_random_bytes(16) AS salt FROM unnest(codes) c (code)) x;
    RETURN codes;
END $$;

-- Whether a second factor was begun by this session and may still be confirmed by it.
CREATE OR REPLACE FUNCTION private.begun_here(factor public.second_factors, session uuid) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(factor.confirmed_at IS NULL AND factor.session_id = session AND factor.begun_at > statement_timestamp() - interval '10 minutes', false);
END $$;

-- Sessions that began under another rule end, but this one, and so does what was under way to become one.
CREATE OR REPLACE FUNCTION private.end_others(person uuid, session uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.sessions s WHERE s.user_id = person AND s.id <> session;
    DELETE FROM public.session_tickets t WHERE t.user_id = person;
END $$;

-- The second step of signing in: the ticket that the password earned and a code, for a ticket that binds a session.
CREATE OR REPLACE FUNCTION public.second_factor(half bytea, code text, address text, OUT outcome text, OUT ticket bytea, OUT user_id uuid, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t public.session_tickets;
    person public.users;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT x.* INTO t FROM public.session_tickets x WHERE x.ticket_hash = sha256(half) AND x.needs_code AND x.expires_at > statement_timestamp();
    SELECT u.* INTO person FROM public.users u WHERE u.id = t.user_id AND u.status = 'active';
    -- Half of a sign-in with a password that has changed since is worth no more than that password.
    IF person.id IS NULL OR t.auth_hash IS DISTINCT FROM private.auth_hash(person, (SELECT a FROM public.role_assignments a WHERE a.id = t.assignment_id)) THEN
        outcome := 'stale';
        RETURN;
    END IF;
    outcome := private.try_code(person, code, address);
    IF outcome = 'limited' THEN
        retry_after := private.retry_after(private.account_key(person.email), address);
    ELSIF outcome = 'signed_in' THEN
        DELETE FROM public.session_tickets x WHERE x.ticket_hash = t.ticket_hash;
        user_id := person.id;
        ticket := private.issue_ticket(person, t.assignment_id, t.organization_id, t.session_ends);
    END IF;
END $$;
COMMENT ON FUNCTION public.second_factor IS
    'Takes a code after a right password and gives the ticket for a session: signed_in, wrong, limited (as for passwords), or stale: begin again.';

-- ── In the profile ─────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION public.my_second_factor(secret bytea, OUT state text, OUT shown bytea, OUT recovery_left bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    factor public.second_factors;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    SELECT f.* INTO factor FROM public.second_factors f WHERE f.user_id = (live.person).id;
    state := CASE WHEN factor.confirmed_at IS NOT NULL THEN 'on' WHEN private.begun_here(factor, (live.session).id) THEN 'begun' ELSE 'off' END;
    -- For the app to scan, until it is confirmed; never again.
    IF state = 'begun' THEN shown := factor.secret; END IF;
    recovery_left := (SELECT count(*) FROM public.recovery_codes r WHERE r.user_id = (live.person).id AND r.used_at IS NULL);
END $$;
COMMENT ON FUNCTION public.my_second_factor IS
    'Whether the person of this session has a second factor: off, begun by this session (with the secret to scan) or on.';

-- 'done', 'on' (it is, and stays), 'wrong password' or 'limited'.
CREATE OR REPLACE FUNCTION public.begin_second_factor(secret bytea, digest bytea, address text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    outcome text;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    outcome := private.try_password(live.person, (live.person).email, digest, address);
    IF outcome <> 'signed_in' THEN RETURN CASE outcome WHEN 'limited' THEN outcome ELSE 'wrong password' END; END IF;
    INSERT INTO public.second_factors (user_id, secret, session_id, created_by)
    VALUES ((live.person).id, extensions.gen_random_bytes(20), (live.session).id, (live.person).id)
    ON CONFLICT ON CONSTRAINT second_factors_pkey DO UPDATE
        SET secret = excluded.secret, session_id = excluded.session_id, begun_at = now(), last_step = 0 WHERE second_factors.confirmed_at IS NULL;
    RETURN CASE WHEN FOUND THEN 'done' ELSE 'on' END;
END $$;
COMMENT ON FUNCTION public.begin_second_factor IS 'With the password, a fresh secret for the authenticator app, shown to this session for ten minutes; one that is confirmed stays.';

-- 'done' with the codes for paper, 'stale' (begin again), 'wrong password', 'wrong code' or 'limited'.
CREATE OR REPLACE FUNCTION public.confirm_second_factor(secret bytea, digest bytea, code text, address text, OUT outcome text, OUT codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    factor public.second_factors;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    SELECT f.* INTO factor FROM public.second_factors f WHERE f.user_id = (live.person).id;
    IF NOT private.begun_here(factor, (live.session).id) THEN outcome := 'stale'; RETURN; END IF;
    outcome := private.prove_anew(live.person, digest, code, address);
    IF outcome <> 'done' THEN RETURN; END IF;
    codes := private.make_recovery_codes((live.person).id);
    UPDATE public.second_factors f SET confirmed_at = now(), taken_at = NULL WHERE f.user_id = (live.person).id;
    PERFORM private.end_others((live.person).id, (live.session).id);
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'second_factor', 'Turned the second factor on', address);
END $$;
COMMENT ON FUNCTION public.confirm_second_factor IS
    'Turns the second factor on with the password and a code from the app; gives the ten codes for paper. The person''s other sessions end.';

CREATE OR REPLACE FUNCTION public.new_recovery_codes(secret bytea, digest bytea, code text, address text, OUT outcome text, OUT codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    IF NOT private.has_second_factor((live.person).id) THEN outcome := 'stale'; RETURN; END IF;
    outcome := private.prove_anew(live.person, digest, code, address);
    IF outcome <> 'done' THEN RETURN; END IF;
    codes := private.make_recovery_codes((live.person).id);
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'second_factor', 'Made new codes on paper', address);
END $$;
COMMENT ON FUNCTION public.new_recovery_codes IS 'With password and code, ten new codes for paper; those before work no longer. stale: the second factor is off.';

-- 'done', 'wrong password', 'wrong code' or 'limited'.
CREATE OR REPLACE FUNCTION public.end_second_factor(secret bytea, digest bytea, code text, address text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    outcome text;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, false, true);
    outcome := private.prove_anew(live.person, digest, code, address);
    IF outcome <> 'done' THEN RETURN outcome; END IF;
    DELETE FROM public.recovery_codes r WHERE r.user_id = (live.person).id;
    DELETE FROM public.second_factors f WHERE f.user_id = (live.person).id;
    PERFORM private.end_others((live.person).id, (live.session).id);
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'second_factor', 'Turned the second factor off', address);
    RETURN 'done';
END $$;
COMMENT ON FUNCTION public.end_second_factor IS 'Turns the second factor off, with password and code. The person''s other sessions end.';

-- ── Lost ───────────────────────────────────────────────────────────────────────────────────────────

-- Who lost the phone and the codes on paper is let in by the operator alone. The row stays, unconfirmed, as the mark that no
-- days of grace begin; whoever was signed in signs in anew, and each energy admin of the organizations that the person runs,
-- or a client of, is told. The record in the log is the caller's.
CREATE OR REPLACE FUNCTION public.take_second_factor(person uuid, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.second_factors f
    SET secret = extensions.gen_random_bytes(20), session_id = NULL, confirmed_at = NULL, last_step = 0, taken_at = now()
    WHERE f.user_id = person AND f.confirmed_at IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM public.recovery_codes r WHERE r.user_id = person;
    DELETE FROM public.sessions s WHERE s.user_id = person;
    DELETE FROM public.session_tickets t WHERE t.user_id = person;
    PERFORM private.tell_energy_admins(runs.organization_id,
        format('The operator took away the lost second factor of %s (%s)', u.name, u.email), reason, NULL)
    FROM public.users u, (SELECT DISTINCT a.organization_id FROM public.role_assignments a
        WHERE a.user_id = person AND a.role IN ('energy_admin', 'client_admin') AND (a.valid_to IS NULL OR a.valid_to > now())) runs
    WHERE u.id = person;
    RETURN true;
END $$;
COMMENT ON FUNCTION public.take_second_factor IS
    'For the owner (portal user second-factor-off): takes a person''s second factor away and ends their sessions; false when there is none.';

REVOKE ALL ON FUNCTION private.has_second_factor, private.second_factor_due, private.totp, private.take_code, private.try_code,
    private.prove_anew, private.make_recovery_codes, private.begun_here, private.end_others, public.second_factor, public.my_second_factor,
    public.begin_second_factor, public.confirm_second_factor, public.new_recovery_codes, public.end_second_factor, public.take_second_factor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.second_factor, public.my_second_factor, public.begin_second_factor, public.confirm_second_factor,
    public.new_recovery_codes, public.end_second_factor TO eis_app;
GRANT EXECUTE ON FUNCTION public.take_second_factor TO eis_owner;
SET LOCAL ROLE eis_owner;
