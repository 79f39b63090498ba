-- A second factor: codes by time (RFC 6238) from an authenticator app, and ten codes on paper for when it is lost.
--
-- The secret lies where no login reads it, and the check is here: the portal hands over six digits and is told yes or no.
-- The time step of the last code taken is kept, so that a code works once, whoever saw it typed. SHA-1 is what every
-- authenticator app speaks (several ignore that another is asked for); as a key in HMAC it is not weakened by collisions.
-- PostgreSQL's core has none, so it is written out here and held against the RFC's own figures by a test.

CREATE TABLE public.second_factors (
    user_id       uuid PRIMARY KEY REFERENCES public.users (id),
    secret        bytea NOT NULL CHECK (octet_length(secret) = 20),
    confirmed_at  timestamptz,
    last_step     bigint NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.second_factors IS 'Secrets of authenticator apps; in use once confirmed with a code.';
COMMENT ON COLUMN public.second_factors.last_step IS 'The 30-second step of the last code that was taken: none up to it is taken again.';

CREATE TABLE public.recovery_codes (
    user_id       uuid NOT NULL REFERENCES public.users (id),
    code_hash     bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at       timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE public.recovery_codes IS 'SHA-256 of codes that stand in for the authenticator app, once each; 50 random bits.';

ALTER TABLE public.second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.second_factors FORCE ROW LEVEL SECURITY;
ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.recovery_codes FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.second_factors, public.recovery_codes FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.second_factors, public.recovery_codes TO eis_gate;
CREATE POLICY gate_all ON public.second_factors FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY gate_all ON public.recovery_codes FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.second_factors');
CALL private.track_updates('public.recovery_codes');

-- FIPS 180-4, 6.1.
CREATE FUNCTION private.sha1(message bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mask CONSTANT bigint := 4294967295;
    h bigint[] := '{1732584193,4023233417,2562383102,271733878,3285377520}';
    text bytea := message || '\x80' || decode(repeat('00', (119 - octet_length(message) % 64) % 64), 'hex') || int8send(octet_length(message) * 8::bigint);
    w bigint[];
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; x bigint;
BEGIN
    FOR block IN 0 .. octet_length(text) / 64 - 1 LOOP
        w := ARRAY(SELECT ('x' || encode(substr(text, block * 64 + i * 4 + 1, 4), 'hex'))::bit(32)::bigint & mask FROM generate_series(0, 15) i);
        FOR t IN 17 .. 80 LOOP
            x := w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16];
            w[t] := ((x << 1) & mask) | (x >> 31);
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR t IN 1 .. 80 LOOP
            IF t <= 20 THEN f := (b & c) | ((~b & mask) & d); k := 1518500249;
            ELSIF t <= 40 THEN f := b # c # d; k := 1859775393;
            ELSIF t <= 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
            ELSE f := b # c # d; k := 3395469782; END IF;
            x := ((((a << 5) & mask) | (a >> 27)) + f + e + k + w[t]) & mask;
            e := d; d := c; c := ((b << 30) & mask) | (b >> 2); b := a; a := x;
        END LOOP;
        h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
    END LOOP;
    RETURN (SELECT string_agg(substr(int8send(v), 5, 4), '' ORDER BY n) FROM unnest(h) WITH ORDINALITY u (v, n));
END $$;

-- RFC 2104 for keys of up to 64 bytes, and RFC 4226's six digits of a time step.
CREATE FUNCTION private.totp(secret bytea, step bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key bytea := secret || decode(repeat('00', 64 - octet_length(secret)), 'hex');
    inner_pad bytea := key;
    outer_pad bytea := key;
    mac bytea;
    place integer;
BEGIN
    FOR i IN 0 .. 63 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    END LOOP;
    mac := private.sha1(outer_pad || private.sha1(inner_pad || int8send(step)));
    place := get_byte(mac, 19) & 15;
    RETURN lpad(((('x' || encode(substr(mac, place + 1, 4), 'hex'))::bit(32)::bigint & 2147483647) % 1000000)::text, 6, '0');
END $$;

SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.has_second_factor(person uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN EXISTS (SELECT FROM public.second_factors f WHERE f.user_id = person AND f.confirmed_at IS NOT NULL); END $$;
SET LOCAL ROLE eis_owner;

-- Takes a code, once: of the step now or a neighbour of it and later than the last one taken, or one from paper.
CREATE FUNCTION private.take_code(person uuid, code text) RETURNS boolean LANGUAGE plpgsql
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
    WHERE r.user_id = person AND r.code_hash = sha256(convert_to(typed, 'UTF8')) AND r.used_at IS NULL;
    RETURN FOUND;
END $$;
-- Tries a code under the same limit as passwords, and on the same record. 'signed_in', 'wrong' or 'limited'.
CREATE FUNCTION private.try_code(person public.users, code text, address text) RETURNS text LANGUAGE plpgsql
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
REVOKE ALL ON FUNCTION private.sha1, private.totp, private.take_code, private.try_code FROM PUBLIC;
ALTER FUNCTION private.sha1 OWNER TO eis_gate;
ALTER FUNCTION private.totp OWNER TO eis_gate;
ALTER FUNCTION private.take_code OWNER TO eis_gate;
ALTER FUNCTION private.try_code OWNER TO eis_gate;

-- The second step of signing in: the ticket that the password earned and a code, for a ticket that binds a session.
CREATE FUNCTION public.second_factor(half bytea, code text, address text, OUT outcome text, OUT ticket bytea, OUT user_id uuid, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t public.session_tickets;
    person public.users;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT x.* INTO t FROM public.session_tickets x WHERE x.ticket_hash = sha256(half) AND x.needs_code AND x.expires_at > now();
    SELECT u.* INTO person FROM public.users u WHERE u.id = t.user_id AND u.status = 'active';
    IF person.id IS NULL THEN outcome := 'stale'; RETURN; END IF;
    outcome := private.try_code(person, code, address);
    IF outcome = 'limited' THEN
        retry_after := private.retry_after(private.account_key(person.email), address);
    ELSIF outcome = 'signed_in' THEN
        DELETE FROM public.session_tickets x WHERE x.ticket_hash = t.ticket_hash;
        user_id := person.id;
        ticket := private.issue_ticket(person.id, t.assignment_id, t.organization_id, t.session_ends);
    END IF;
END $$;
COMMENT ON FUNCTION public.second_factor IS
    'Takes a code after a right password and gives the ticket for a session: signed_in, wrong, limited (as for passwords), or stale: begin again.';

-- ── In the profile ─────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION public.my_second_factor(secret bytea, OUT state text, OUT shown bytea, OUT recovery_left bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    factor public.second_factors;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    SELECT f.* INTO factor FROM public.second_factors f WHERE f.user_id = (live.person).id;
    state := CASE WHEN factor.user_id IS NULL THEN 'off' WHEN factor.confirmed_at IS NULL THEN 'begun' ELSE 'on' END;
    -- For the app to scan, until it is confirmed; never again.
    IF state = 'begun' THEN shown := factor.secret; END IF;
    recovery_left := (SELECT count(*) FROM public.recovery_codes r WHERE r.user_id = (live.person).id AND r.used_at IS NULL);
END $$;
COMMENT ON FUNCTION public.my_second_factor IS 'Whether the person of this session has a second factor: off, begun (with the secret to scan) or on.';

CREATE FUNCTION public.begin_second_factor(secret bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    INSERT INTO public.second_factors (user_id, secret, created_by)
    VALUES ((live.person).id, substr(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 20), (live.person).id)
    ON CONFLICT ON CONSTRAINT second_factors_pkey DO UPDATE SET secret = excluded.secret, last_step = 0 WHERE second_factors.confirmed_at IS NULL;
END $$;
COMMENT ON FUNCTION public.begin_second_factor IS 'A fresh secret for the authenticator app; one that is confirmed stays.';

-- The codes for paper, shown once; NULL: the code was wrong.
CREATE FUNCTION public.confirm_second_factor(secret bytea, code text, address text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    outcome text;
    codes text[];
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    PERFORM 1 FROM public.second_factors f WHERE f.user_id = (live.person).id AND f.confirmed_at IS NULL;
    IF NOT FOUND THEN RETURN NULL; END IF;
    outcome := private.try_code(live.person, code, address);
    IF outcome = 'limited' THEN RAISE EXCEPTION 'too many attempts' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'limited'; END IF;
    IF outcome <> 'signed_in' THEN RETURN NULL; END IF;
    codes := ARRAY(SELECT upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 5) || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8)) FROM generate_series(1, 10));
    DELETE FROM public.recovery_codes r WHERE r.user_id = (live.person).id;
    INSERT INTO public.recovery_codes (user_id, code_hash, created_by)
    SELECT (live.person).id, sha256(convert_to(c, 'UTF8')), (live.person).id FROM unnest(codes) c;
    UPDATE public.second_factors f SET confirmed_at = now() WHERE f.user_id = (live.person).id;
    -- Sessions that began without it end, but this one.
    DELETE FROM public.sessions s WHERE s.user_id = (live.person).id AND s.id <> (live.session).id;
    DELETE FROM public.session_tickets t WHERE t.user_id = (live.person).id;
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'second_factor', 'Turned the second factor on', address);
    RETURN codes;
END $$;
COMMENT ON FUNCTION public.confirm_second_factor IS 'Turns the second factor on with a code from the app; gives the ten codes for paper. The person''s other sessions end.';

-- 'done', 'wrong password', 'wrong code' or 'limited'.
CREATE FUNCTION public.end_second_factor(secret bytea, digest bytea, code text, address text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    outcome text;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    outcome := private.try_password(live.person, (live.person).email, digest, address);
    IF outcome <> 'signed_in' THEN RETURN CASE outcome WHEN 'limited' THEN outcome ELSE 'wrong password' END; END IF;
    outcome := private.try_code(live.person, code, address);
    IF outcome <> 'signed_in' THEN RETURN CASE outcome WHEN 'limited' THEN outcome ELSE 'wrong code' END; END IF;
    DELETE FROM public.recovery_codes r WHERE r.user_id = (live.person).id;
    DELETE FROM public.second_factors f WHERE f.user_id = (live.person).id;
    PERFORM private.audit_person(live.person, live.assignment, (live.session).organization_id, 'second_factor', 'Turned the second factor off', address);
    RETURN 'done';
END $$;
COMMENT ON FUNCTION public.end_second_factor IS 'Turns the second factor off, with password and code.';
CALL private.give_to_gate('{second_factor, my_second_factor, begin_second_factor, confirm_second_factor, end_second_factor}', 'eis_app');
