-- A password that is lost: a one-time link with which its person sets a new one. Whoever may grant the person's rights makes
-- it and hands it on, and so could use it: it works only while every right of the login is one that its maker may grant. That
-- is looked at when it is used, not when it is made: making one tells nothing of rights elsewhere.

CREATE TABLE public.password_resets (
    user_id         uuid PRIMARY KEY REFERENCES public.users (id),
    token_hash      bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    client_id       uuid,
    made_as         text NOT NULL CHECK (made_as IN ('eis_staff', 'energy_admin', 'client_admin')),
    for_password    bytea NOT NULL CHECK (octet_length(for_password) = 32),
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid NOT NULL REFERENCES public.users (id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CHECK ((client_id IS NOT NULL) = (made_as = 'client_admin'))
);
CREATE INDEX password_resets_place ON public.password_resets (organization_id, client_id);
CREATE INDEX password_resets_maker ON public.password_resets (created_by);
COMMENT ON TABLE public.password_resets IS 'One-time links by which a person sets a new password: one a login, for a day; the link''s token is kept as a hash only.';
COMMENT ON COLUMN public.password_resets.made_as IS 'The role in which it was made; client_id is the client of a client admin. It is worth no more than what that role may grant.';
COMMENT ON COLUMN public.password_resets.for_password IS 'SHA-256 of what was kept of the password: any change of it ends the link.';
ALTER TABLE public.password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.password_resets FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.password_resets FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.password_resets TO eis_gate;
CREATE POLICY gate_all ON public.password_resets FOR ALL TO eis_gate USING (true) WITH CHECK (true);

-- The link of a token, while it may be used: in time, for the password there is, and by the right of its maker as it is now.
CREATE FUNCTION private.live_reset(token bytea) RETURNS public.password_resets
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
CREATE FUNCTION private.reset_reaches(r public.password_resets) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT bool_and(coalesce(a.organization_id = r.organization_id, false) AND private.may_grant(r.made_as, r.client_id, a.role, a.client_id))
        FROM public.role_assignments a WHERE a.user_id = r.user_id AND (a.valid_to IS NULL OR a.valid_to > now())), false);
END $$;

-- A record about a link in the log of its organization; without a context its person is who did it.
CREATE FUNCTION private.audit_reset(r public.password_resets, action text, summary text, address text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    SELECT r.organization_id, gen_random_uuid(), r.client_id, u.id, u.name,
        coalesce((SELECT a.role FROM public.role_assignments a WHERE a.user_id = u.id AND a.organization_id = r.organization_id AND private.in_force(a)
            ORDER BY a.customer_id NULLS FIRST, a.client_id NULLS FIRST LIMIT 1), 'none'),
        audit_reset.action, 'user', u.id, format(audit_reset.summary, u.name, u.email), left(audit_reset.address, 64)
    FROM public.users u WHERE u.id = r.user_id;
END $$;
REVOKE ALL ON FUNCTION private.live_reset, private.reset_reaches, private.audit_reset FROM PUBLIC;
ALTER FUNCTION private.live_reset OWNER TO eis_gate;
ALTER FUNCTION private.reset_reaches OWNER TO eis_gate;
ALTER FUNCTION private.audit_reset OWNER TO eis_gate;

-- A password that is kept under stronger parameters is the same password: its link goes on.
SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.rebind_reset(person uuid, was bytea, becomes bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.password_resets r SET for_password = becomes WHERE r.user_id = person AND r.for_password = was;
END $$;
SET LOCAL ROLE eis_owner;

CREATE FUNCTION public.make_password_reset(assignment uuid, address text) RETURNS bytea
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

CREATE FUNCTION public.password_reset_by_token(token bytea) RETURNS TABLE (email text, name text, organization_name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE r public.password_resets := private.live_reset(token);
BEGIN
    RETURN QUERY SELECT u.email, u.name, g.name FROM public.users u JOIN public.organizations g ON g.id = r.organization_id WHERE u.id = r.user_id;
END $$;
COMMENT ON FUNCTION public.password_reset_by_token IS 'Whose password a link sets; no row when it is spent, ended or unknown. Whether it reaches the login is not told here.';

-- 'done', 'wrong' or 'limited' (the code of the second factor), or 'refused': the link is over, or never reached this login.
CREATE FUNCTION public.reset_password(token bytea, salt text, digest bytea, code text, address text) RETURNS text
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

CALL private.give_to_gate('{make_password_reset, password_reset_by_token, reset_password}', 'eis_app');
