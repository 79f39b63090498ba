-- The gate: links that set a new password.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Binds a link to set a new password to how the password is kept now: under stronger parameters it is the same password, and its
-- link goes on.
CREATE OR REPLACE FUNCTION private.rebind_reset(person uuid, was bytea, becomes bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.password_resets r SET for_password = becomes WHERE r.user_id = person AND r.for_password = was;
END $$;

-- The link of a token, while it may be used: in time, for the password there is, and by the right of its maker as it is now.
CREATE OR REPLACE FUNCTION private.live_reset(token bytea) RETURNS public.password_resets
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE r public.password_resets;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT x.* INTO r FROM public.password_resets x
    JOIN public.users u ON u.id = x.user_id AND u.status = 'active' AND sha256(u.password_proof) = x.for_password
    JOIN public.users m ON m.id = x.created_by AND m.status = 'active'
    WHERE x.token_hash = sha256(token) AND x.expires_at > statement_timestamp()
      AND EXISTS (SELECT FROM public.role_assignments g
        WHERE g.user_id = m.id AND private.in_force(g) AND g.role = x.made_as AND g.client_id IS NOT DISTINCT FROM x.client_id
          AND (g.role = 'eis_staff' OR g.organization_id = x.organization_id));
    RETURN r;
END $$;

-- Whether every right that its login holds or will hold is one that its maker may grant.
CREATE OR REPLACE FUNCTION private.reset_reaches(r public.password_resets) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- By what its maker's role is narrowed to now; NULL: its maker has none any more.
    RETURN coalesce((SELECT bool_and(coalesce(a.organization_id = r.organization_id, false) AND private.may_grant(r.made_as, maker.narrowed, r.client_id, a.role, a.client_id))
        FROM public.role_assignments a CROSS JOIN public.role_assignments maker
        WHERE a.user_id = r.user_id AND (a.valid_to IS NULL OR a.valid_to > now())
          AND maker.user_id = r.created_by AND private.in_force(maker) AND maker.role = r.made_as AND maker.client_id IS NOT DISTINCT FROM r.client_id
          AND (maker.role = 'eis_staff' OR maker.organization_id = r.organization_id)), false);
END $$;

-- A record about a link in the log of its organization; without a context its person is who did it.
CREATE OR REPLACE FUNCTION private.audit_reset(r public.password_resets, action text, summary text, address text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    SELECT r.organization_id, gen_random_uuid(), r.client_id, u.id, u.name,
        coalesce((SELECT a.role FROM public.role_assignments a WHERE a.user_id = u.id AND a.organization_id = r.organization_id AND private.in_force(a)
            ORDER BY a.customer_id NULLS FIRST, a.client_id NULLS FIRST LIMIT 1), 'none'),
        audit_reset.action, 'user', u.id, format(audit_reset.summary, u.name, u.email), left(audit_reset.address, 64)
    FROM public.users u WHERE u.id = r.user_id;
END $$;

CREATE OR REPLACE FUNCTION public.make_password_reset(assignment uuid, address text) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
    token bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
    r public.password_resets;
BEGIN
    DELETE FROM public.password_resets x WHERE x.expires_at < now();
    INSERT INTO public.password_resets (user_id, token_hash, organization_id, client_id, made_as, for_password, expires_at, created_by)
    SELECT u.id, sha256(token), a.organization_id, CASE WHEN fields[6] = 'client_admin' THEN fields[3]::uuid END, fields[6],
        sha256(u.password_proof), now() + interval '1 day', fields[5]::uuid
    FROM public.users u WHERE u.id = a.user_id AND u.status = 'active'
    ON CONFLICT ON CONSTRAINT password_resets_pkey DO UPDATE SET token_hash = excluded.token_hash, organization_id = excluded.organization_id,
        client_id = excluded.client_id, made_as = excluded.made_as, for_password = excluded.for_password, expires_at = excluded.expires_at,
        created_at = now(), created_by = excluded.created_by
    RETURNING * INTO r;
    IF r.user_id IS NULL THEN
        RAISE EXCEPTION 'this login is not yours to reset' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    PERFORM private.audit_reset(r, 'make_reset_link', 'Made a link for %s (%s) to set a new password', address);
    RETURN token;
END $$;
COMMENT ON FUNCTION public.make_password_reset IS
    'The token of a one-time link with which an assignment''s person sets a new password; shown once, kept as a hash. It ends the one before, and works for a day while every right of the login is one that its maker may grant.';

CREATE OR REPLACE FUNCTION public.password_reset_by_token(token bytea) RETURNS TABLE (email text, name text, organization_name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE r public.password_resets := private.live_reset(token);
BEGIN
    RETURN QUERY SELECT u.email, u.name, g.name FROM public.users u JOIN public.organizations g ON g.id = r.organization_id WHERE u.id = r.user_id;
END $$;
COMMENT ON FUNCTION public.password_reset_by_token IS 'Whose password a link sets; no row when it is spent, ended or unknown. Whether it reaches the login is not told here.';

-- 'done', 'wrong' or 'limited' (the code of the second factor), or 'refused': the link is over, or never reached this login.
CREATE OR REPLACE FUNCTION public.reset_password(token bytea, salt text, digest bytea, code text, address text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r public.password_resets := private.live_reset(token);
    person public.users;
    outcome text;
BEGIN
    -- Locked, so that of two at once the second finds it used, and no invitation adds a right meanwhile.
    SELECT u.* INTO person FROM public.users u WHERE u.id = r.user_id FOR UPDATE;
    r := private.live_reset(token);
    IF r.user_id IS NULL THEN RETURN 'refused'; END IF;
    PERFORM private.nobody_else(person.id);
    -- The code first: without it nothing is told of the login's rights.
    IF private.has_second_factor(person.id) THEN
        outcome := private.try_code(person, code, address);
        IF outcome <> 'signed_in' THEN RETURN outcome; END IF;
    END IF;
    DELETE FROM public.password_resets x WHERE x.user_id = person.id;
    IF NOT private.reset_reaches(r) THEN
        PERFORM private.audit_reset(r, 'refuse_reset_link', 'The link for %s (%s) to set a new password was used, did not work and has ended', address);
        RETURN 'refused';
    END IF;
    UPDATE public.users u SET password_salt = reset_password.salt, password_proof = sha256(digest), password_changed_at = now() WHERE u.id = person.id;
    DELETE FROM public.sessions s WHERE s.user_id = person.id;
    DELETE FROM public.session_tickets t WHERE t.user_id = person.id;
    PERFORM private.audit_reset(r, 'change_password', '%s (%s) set a new password by a link', address);
    RETURN 'done';
END $$;
COMMENT ON FUNCTION public.reset_password IS
    'Sets a new password by a one-time link, with a code where the person has a second factor; every session and ticket of theirs ends.';

REVOKE ALL ON FUNCTION private.rebind_reset, private.live_reset, private.reset_reaches, private.audit_reset, public.make_password_reset,
    public.password_reset_by_token, public.reset_password FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.make_password_reset, public.password_reset_by_token, public.reset_password TO eis_app;
SET LOCAL ROLE eis_owner;
