-- What policies and defaults ask of the context.
-- A script: it is applied again whenever it changes, before the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Scopes: what a policy compares a row's tenant columns with. Each is NULL unless the context stands
-- at exactly that level, so that one policy per level is exact and uses the index.
-- Called as a row-valued subselect, so that it runs once a statement.

CREATE OR REPLACE FUNCTION public.organization_scope(needs_write boolean DEFAULT false) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'organization|%' THEN RETURN NULL; END IF;
    fields := private.context();
    IF needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN NULL; END IF;
    RETURN nullif(fields[2], '')::uuid;
END $$;
COMMENT ON FUNCTION public.organization_scope IS 'The organization, when the context sees all of it; else NULL.';

CREATE OR REPLACE FUNCTION public.client_scope(needs_write boolean DEFAULT false, OUT organization_id uuid, OUT client_id uuid)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'client|%' THEN RETURN; END IF;
    fields := private.context();
    IF needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN; END IF;
    organization_id := nullif(fields[2], '')::uuid;
    client_id := nullif(fields[3], '')::uuid;
END $$;
COMMENT ON FUNCTION public.client_scope IS 'Organization and client, when the context sees exactly one client; else NULLs.';

CREATE OR REPLACE FUNCTION public.customer_scope(OUT organization_id uuid, OUT client_id uuid, OUT customer_id uuid)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'customer|%' THEN RETURN; END IF;
    fields := private.context();
    organization_id := nullif(fields[2], '')::uuid;
    client_id := nullif(fields[3], '')::uuid;
    customer_id := nullif(fields[4], '')::uuid;
END $$;
COMMENT ON FUNCTION public.customer_scope IS 'Organization, client and customer, when the context sees exactly one customer; else NULLs.';

CREATE OR REPLACE FUNCTION public.get_current_organization_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[2], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_organization_id IS 'The organization of the verified context, at any level; NULL without one.';

CREATE OR REPLACE FUNCTION public.get_current_client_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[3], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_client_id IS 'The client of the verified context; NULL at the level of the organization.';

CREATE OR REPLACE FUNCTION public.get_current_customer_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[4], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_customer_id IS 'The customer of the verified context; NULL above the level of the customer.';

CREATE OR REPLACE FUNCTION public.get_current_user_id() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN nullif((private.context())[5], '')::uuid; END $$;
COMMENT ON FUNCTION public.get_current_user_id IS 'The user of the verified context; NULL for the system and without a context.';

CREATE OR REPLACE FUNCTION public.get_current_role() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (private.context())[6]; END $$;
COMMENT ON FUNCTION public.get_current_role IS 'The role of the verified context: eis_staff, energy_admin, client_admin, customer_user, service, system, none.';

CREATE OR REPLACE FUNCTION public.is_organization_admin() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN coalesce((private.context())[6] = 'energy_admin', false); END $$;
COMMENT ON FUNCTION public.is_organization_admin IS 'Whether the verified context belongs to an energy admin of the organization.';

-- ── Scopes ─────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION public.overseer_scope(needs_write boolean DEFAULT false, OUT organization_id uuid, OUT client_id uuid)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'client|%' THEN RETURN; END IF;
    fields := private.context();
    IF coalesce(fields[6] NOT IN ('eis_staff', 'energy_admin'), true) OR needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN; END IF;
    organization_id := nullif(fields[2], '')::uuid;
    client_id := nullif(fields[3], '')::uuid;
END $$;
COMMENT ON FUNCTION public.overseer_scope IS
    'Organization and client, when somebody who sees all of the organization stands at exactly one client; else NULLs.';

-- The gate looks the memberships up: a policy of their own table goes by them too, and must not go round in a circle.
CREATE OR REPLACE FUNCTION public.member_scope(at_least text DEFAULT 'reader', needs_write boolean DEFAULT false) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    roles CONSTANT text[] := '{reader,editor,owner}';
    fields text[];
BEGIN
    IF nullif(current_setting('eis.context', true), '') NOT LIKE 'client|%' THEN RETURN NULL; END IF;
    fields := private.context();
    IF fields IS NULL OR needs_write AND fields[7] IS DISTINCT FROM 'w' THEN RETURN NULL; END IF;
    RETURN ARRAY(SELECT m.workspace_id FROM public.workspace_members m
        WHERE m.organization_id = fields[2]::uuid AND m.client_id = fields[3]::uuid AND m.user_id = nullif(fields[5], '')::uuid
          AND array_position(roles, m.role) >= array_position(roles, at_least));
END $$;
COMMENT ON FUNCTION public.member_scope IS
    'The workspaces of the context''s client in which its person is at least reader, editor or owner; NULL at any other level.';

REVOKE ALL ON FUNCTION public.organization_scope, public.client_scope, public.customer_scope, public.get_current_organization_id,
    public.get_current_client_id, public.get_current_customer_id, public.get_current_user_id, public.get_current_role,
    public.is_organization_admin, public.overseer_scope, public.member_scope FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_owner;
GRANT EXECUTE ON FUNCTION public.organization_scope, public.client_scope, public.customer_scope, public.get_current_organization_id,
    public.get_current_client_id, public.get_current_customer_id, public.get_current_user_id, public.get_current_role,
    public.is_organization_admin, public.overseer_scope, public.member_scope TO eis_app, eis_owner, eis_worker;
SET LOCAL ROLE eis_owner;
