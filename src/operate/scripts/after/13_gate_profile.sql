-- The gate: a person's own sessions and password.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- ── One's own profile ──────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION public.my_sessions(secret bytea) RETURNS TABLE (
    id uuid, current boolean, address text, agent text, created_at timestamptz, seen_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT s.id, s.secret_hash = sha256(secret), s.address, s.agent, s.created_at, s.seen_at
    FROM public.sessions s
    WHERE s.user_id = public.get_current_user_id() AND private.is_live(s)
    ORDER BY s.seen_at DESC;
END $$;

-- What a person does about the own login, told where it matters: in the log of the organization that is open.
CREATE OR REPLACE FUNCTION private.audit_person(person public.users, a public.role_assignments, opened uuid, action text, summary text, address text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE org uuid := CASE WHEN a.role = 'eis_staff' THEN opened ELSE a.organization_id END;
BEGIN
    IF org IS NULL THEN RETURN; END IF;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    VALUES (org, gen_random_uuid(), a.client_id, a.customer_id, person.id, person.name, a.role, audit_person.action, 'user', person.id,
        audit_person.summary, left(audit_person.address, 64));
END $$;

-- Ending sessions asks for the password every time: whoever finds a browser open shuts nobody out (OWASP ASVS 7.5.2).
CREATE OR REPLACE FUNCTION public.end_my_sessions(secret bytea, session uuid, digest bytea, address text, OUT outcome text, OUT ended integer)
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
CREATE OR REPLACE FUNCTION public.enter_my_attempt(secret bytea, address text, OUT salt text, OUT retry_after integer)
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
CREATE OR REPLACE FUNCTION public.change_password(secret bytea, old_digest bytea, new_salt text, new_digest bytea, address text) RETURNS bytea
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

REVOKE ALL ON FUNCTION public.my_sessions, private.audit_person, public.end_my_sessions, public.enter_my_attempt, public.change_password FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.my_sessions, public.end_my_sessions, public.enter_my_attempt, public.change_password TO eis_app;
SET LOCAL ROLE eis_owner;
