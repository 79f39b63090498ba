-- Workspaces: where people of a client keep documents and ask about them. Who is a member sees one; who runs the
-- organization sees all of it; the client's customers see what it published.

CREATE TABLE public.workspaces (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    description     text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    published       boolean NOT NULL DEFAULT false,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX workspaces_name ON public.workspaces (organization_id, client_id, lower(name), id);
COMMENT ON TABLE public.workspaces IS
    'Places for documents of a client. Two may have one name: a refusal would tell who is no member that there is such a workspace.';
COMMENT ON COLUMN public.workspaces.published IS 'Whether the client''s customers read it, while it is active.';

CREATE TABLE public.workspace_members (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    user_id         uuid NOT NULL,
    role            text NOT NULL CHECK (role IN ('reader', 'editor', 'owner')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, workspace_id, user_id),
    FOREIGN KEY (organization_id, client_id, workspace_id) REFERENCES public.workspaces (organization_id, client_id, id) ON DELETE CASCADE
);
CREATE INDEX workspace_members_user ON public.workspace_members (organization_id, client_id, user_id, workspace_id);
COMMENT ON TABLE public.workspace_members IS
    'Which client admin may read a workspace, write in it, or run it. They go with their workspace.';
COMMENT ON COLUMN public.workspace_members.user_id IS
    'No foreign key: its refusal would tell which ids are people of others. An id that nobody has opens nothing.';

-- ── Scopes ─────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION public.overseer_scope(needs_write boolean DEFAULT false, OUT organization_id uuid, OUT client_id uuid)
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
CREATE FUNCTION public.member_scope(at_least text DEFAULT 'reader', needs_write boolean DEFAULT false) RETURNS uuid[]
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

-- With the caller's rights: the customer's own policy of workspaces decides.
CREATE FUNCTION public.published_workspaces() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT array_agg(w.id) FROM public.workspaces w, public.customer_scope() s
        WHERE (w.organization_id, w.client_id) = (s.organization_id, s.client_id));
END $$;
COMMENT ON FUNCTION public.published_workspaces IS 'The workspaces that the context''s customer reads; NULL above the level of a customer.';
REVOKE ALL ON FUNCTION public.published_workspaces FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.published_workspaces TO eis_app, eis_worker, eis_owner;

-- Who makes a workspace owns it, from the first moment on.
CREATE FUNCTION public.maker_owns_workspace() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE maker uuid := nullif((private.context())[5], '')::uuid;
BEGIN
    IF maker IS NOT NULL THEN
        INSERT INTO public.workspace_members (organization_id, client_id, workspace_id, user_id, role, created_by)
        VALUES (NEW.organization_id, NEW.client_id, NEW.id, maker, 'owner', maker);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.maker_owns_workspace IS 'Makes whoever makes a workspace its owner; the system owns none.';
CREATE TRIGGER maker_owns AFTER INSERT ON public.workspaces FOR EACH ROW EXECUTE FUNCTION public.maker_owns_workspace();

CALL private.give_to_gate('{overseer_scope, member_scope}', 'eis_app, eis_worker, eis_owner');
CALL private.give_to_gate('{maker_owns_workspace}', '');
GRANT SELECT, INSERT ON public.workspace_members TO eis_gate;

-- ── Policies ───────────────────────────────────────────────────────────────────────────────────────

-- The one place that knows the form of policies of what lies in a workspace. `at_least`: the member's role that writes;
-- `customer_sees`: what customers read of a published one, NULL: nothing.
CREATE PROCEDURE private.protect_in_workspace(target regclass, at_least text, writes text[], customer_sees text DEFAULT NULL,
    workspace_column text DEFAULT 'workspace_id') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    logins CONSTANT text := 'eis_app, eis_worker, eis_owner';
    tenant CONSTANT text := '(organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.%I(%s) s)';
    scope text;
    command text;
    predicate text;
BEGIN
    CALL private.protect(target, 'organization', writes);
    FOREACH scope IN ARRAY '{client,member}'::text[] LOOP
        FOREACH command IN ARRAY 'SELECT'::text || writes LOOP
            predicate := CASE scope
                WHEN 'client' THEN format(tenant, 'overseer_scope', CASE command WHEN 'SELECT' THEN '' ELSE 'true' END)
                ELSE format(tenant, 'client_scope', CASE command WHEN 'SELECT' THEN '' ELSE 'true' END)
                    || format(' AND %I = ANY ((SELECT public.member_scope(%s))::uuid[])', workspace_column,
                        CASE command WHEN 'SELECT' THEN '' ELSE format('%L, true', at_least) END)
                END;
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO %s %s %s', 'level2_' || scope || '_' || lower(command), target, command, logins,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command IN ('SELECT', 'DELETE') THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    IF customer_sees IS NOT NULL THEN
        EXECUTE format('CREATE POLICY level3_customer_select ON %s FOR SELECT TO %s USING '
            '((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s) AND %s)', target, logins, customer_sees);
    END IF;
END $$;
COMMENT ON PROCEDURE private.protect_in_workspace IS
    'As private.protect, for what lies in a workspace: overseers see all of a client, its admins what they are members of.';
REVOKE ALL ON PROCEDURE private.protect_in_workspace FROM PUBLIC;

CALL private.protect_in_workspace('public.workspaces', 'owner', '{INSERT,UPDATE,DELETE}', 'published AND status = ''active''', 'id');
-- Nobody is a member yet of what is being made.
ALTER POLICY level2_member_insert ON public.workspaces
    WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(true) s));
CALL private.track_updates('public.workspaces');
CALL private.protect_in_workspace('public.workspace_members', 'owner', '{INSERT,UPDATE,DELETE}');
CREATE POLICY gate_select ON public.workspace_members FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.workspace_members FOR INSERT TO eis_gate WITH CHECK (true);
CALL private.track_updates('public.workspace_members');

-- Of each client one workspace that is published and its admin's, and one that is neither.
CREATE FUNCTION private.sample_70_workspaces(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.workspaces (organization_id, client_id, id, name, published)
        VALUES (o, c, private.sample_id(c, 'workspace'), 'Isolation test', true), (o, c, private.sample_id(c, 'closed'), 'Isolation test', false);
        INSERT INTO public.workspace_members (organization_id, client_id, workspace_id, user_id, role)
        VALUES (o, c, private.sample_id(c, 'workspace'), private.sample_id(c, 'admin'), 'owner'),
               (o, c, private.sample_id(c, 'workspace'), private.sample_id(c, 'reader'), 'reader'),
               (o, c, private.sample_id(c, 'closed'), private.sample_id(o, 'admin'), 'owner');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.workspace_rule_of('public.workspaces', 'customer', '{INSERT,UPDATE,DELETE}', 'id'),
            private.workspace_rule_of('public.workspace_members', 'client', '{INSERT,UPDATE,DELETE}')]) r;
    END IF;
END $$;

-- What samples say of a table of what lies in a workspace: client admins and customers see the rows of the first one.
CREATE FUNCTION private.workspace_rule_of(table_name text, readers text, writes text[], workspace_column text DEFAULT 'workspace_id')
RETURNS private.sample_rule LANGUAGE sql IMMUTABLE AS $$
    SELECT private.rule_of(table_name, readers, writes, '{organization_id,client_id,NULL}', customer_sees => mine, open => mine,
        person => '''{role}'' NOT IN (''client admin'', ''narrowed to reading, client'') OR ' || mine)
    FROM (SELECT workspace_column || ' = md5(client_id::text || ''workspace'')::uuid') v (mine)
$$;
