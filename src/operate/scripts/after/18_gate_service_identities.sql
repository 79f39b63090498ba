-- The gate: service identities.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Whether the command of a service identity writes; NULL: there is no such command.
CREATE OR REPLACE FUNCTION private.service_writes(command text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN CASE command WHEN 'import_usage' THEN true WHEN 'rate_billing_run' THEN true WHEN 'read_overview' THEN false END; END $$;

-- Whether a context makes and ends service identities: it writes, of a whole role that runs its organization or client, and
-- every command there is lies within such a role. What is narrowed makes none, and no service identity makes another.
CREATE OR REPLACE FUNCTION private.runs_services(fields text[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(fields[1] IN ('organization', 'client') AND fields[6] IN ('eis_staff', 'energy_admin', 'client_admin') AND fields[8] = '', false);
END $$;

-- Makes one where the context stands; its secret, shown once.
CREATE OR REPLACE FUNCTION public.create_service_identity(id uuid, name text, commands text[]) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    org CONSTANT uuid := nullif(fields[2], '')::uuid;
    place CONSTANT uuid := nullif(fields[3], '')::uuid;
    maker CONSTANT uuid := nullif(fields[5], '')::uuid;
    person CONSTANT uuid := gen_random_uuid();
    assignment CONSTANT uuid := gen_random_uuid();
    secret CONSTANT bytea := extensions.gen_random_bytes(32);
BEGIN
    IF NOT private.runs_services(fields) THEN
        RAISE EXCEPTION 'service identities are not yours to make' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    PERFORM private.tell_of_staff(fields, format('made the service identity %s', trim(create_service_identity.name)));
    -- No mail comes to such an address (RFC 2606), and no password fits this login.
    INSERT INTO public.users (id, email, name, status, created_by)
    VALUES (person, person || '@service.invalid', trim(create_service_identity.name), 'service', maker);
    INSERT INTO public.role_assignments (organization_id, id, user_id, role, client_id, granted_by, created_by)
    VALUES (org, assignment, person, 'service', place, maker, maker);
    INSERT INTO public.service_identities (organization_id, id, client_id, user_id, assignment_id, name, commands, secret_hash, made_by, created_by)
    SELECT org, create_service_identity.id, place, person, assignment, trim(create_service_identity.name),
        ARRAY(SELECT DISTINCT c FROM unnest(create_service_identity.commands) c ORDER BY c), sha256(secret), u.name, maker
    FROM public.users u WHERE u.id = maker;
    RETURN secret;
END $$;
COMMENT ON FUNCTION public.create_service_identity IS 'A service identity at the organization or client of the context; its secret, which is kept as a digest only.';

-- The one that the context sees and may change, while it has not ended.
CREATE OR REPLACE FUNCTION private.service_to_change(fields text[], identity uuid) RETURNS public.service_identities LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found public.service_identities;
BEGIN
    IF NOT private.runs_services(fields) THEN
        RAISE EXCEPTION 'service identities are not yours to change' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    SELECT s.* INTO found FROM public.service_identities s
    WHERE s.organization_id = nullif(fields[2], '')::uuid AND s.id = identity AND s.ended_at IS NULL
      AND (fields[1] = 'organization' OR s.client_id = nullif(fields[3], '')::uuid) FOR NO KEY UPDATE;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION public.replace_service_secret(identity uuid) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    s public.service_identities := private.service_to_change(fields, identity);
    secret CONSTANT bytea := extensions.gen_random_bytes(32);
BEGIN
    IF s.id IS NULL THEN RETURN NULL; END IF;
    PERFORM private.tell_of_staff(fields, format('replaced the secret of the service identity %s', s.name));
    UPDATE public.service_identities x SET secret_hash = sha256(secret), secret_made_at = now()
    WHERE x.organization_id = s.organization_id AND x.id = s.id;
    RETURN secret;
END $$;
COMMENT ON FUNCTION public.replace_service_secret IS 'A new secret in place of the one before, which opens nothing from then on; NULL: there is no such identity, or it has ended.';

CREATE OR REPLACE FUNCTION public.end_service_identity(identity uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    s public.service_identities := private.service_to_change(fields, identity);
BEGIN
    IF s.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, format('ended the service identity %s', s.name));
    UPDATE public.service_identities x SET ended_at = now() WHERE x.organization_id = s.organization_id AND x.id = s.id;
    UPDATE public.role_assignments a SET valid_to = greatest(a.valid_from, now()) WHERE a.id = s.assignment_id;
    RETURN true;
END $$;
COMMENT ON FUNCTION public.end_service_identity IS 'Ends a service identity: its secret opens nothing from then on. False: there is no such identity, or it has ended.';

-- The live identity of a secret, its assignment in force and its organization open to it; an error otherwise.
CREATE OR REPLACE FUNCTION private.live_service(secret bytea, command text) RETURNS public.service_identities LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found public.service_identities;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT s.* INTO found FROM public.service_identities s
    JOIN public.users u ON u.id = s.user_id AND u.status = 'service'
    JOIN public.role_assignments a ON a.id = s.assignment_id AND a.user_id = u.id AND a.role = 'service' AND private.in_force(a)
    JOIN public.organizations g ON g.id = s.organization_id AND g.status = 'active'
    WHERE s.secret_hash = sha256(secret) AND s.ended_at IS NULL
      AND a.organization_id = s.organization_id AND a.client_id IS NOT DISTINCT FROM s.client_id;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'this service identity has ended' USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_ended';
    END IF;
    PERFORM private.nobody_else(found.user_id);
    IF NOT coalesce(command = ANY (found.commands), false) THEN
        RAISE EXCEPTION 'this command is not in its list' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    RETURN found;
END $$;

-- Who it is, in a transaction of its own before the work: it notes the use, and holds no row while the work goes on.
CREATE OR REPLACE FUNCTION public.enter_service(secret bytea, command text, used_from text) RETURNS TABLE (
    user_id uuid, name text, organization_id uuid, organization_slug text, organization_name text, client_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s public.service_identities := private.live_service(secret, command);
BEGIN
    UPDATE public.service_identities x SET last_used_at = now(), last_used_from = left(used_from, 200), last_command = command
    WHERE x.organization_id = s.organization_id AND x.id = s.id;
    RETURN QUERY SELECT s.user_id, s.name, g.id, g.slug, g.name, s.client_id FROM public.organizations g WHERE g.id = s.organization_id;
END $$;
COMMENT ON FUNCTION public.enter_service IS 'Notes that a service identity is used for a command, and from where, and tells who it is.';

CREATE OR REPLACE FUNCTION public.open_service_context(secret bytea, command text, narrow_client uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s public.service_identities := private.live_service(secret, command);
BEGIN
    PERFORM private.stand(NULL, NULL, s.user_id, 'service', command, s.organization_id, s.client_id, NULL, narrow_client);
END $$;
COMMENT ON FUNCTION public.open_service_context IS
    'Checks a service identity''s secret and signs its context for one command of its list: at its client, or at its organization or one client of that. It writes only where the command does.';

REVOKE ALL ON FUNCTION private.service_writes, private.runs_services, public.create_service_identity, private.service_to_change,
    public.replace_service_secret, public.end_service_identity, private.live_service, public.enter_service, public.open_service_context FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.create_service_identity, public.replace_service_secret, public.end_service_identity TO eis_app;
GRANT EXECUTE ON FUNCTION public.enter_service, public.open_service_context TO eis_worker;
SET LOCAL ROLE eis_owner;
