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
CALL private.give_to_gate('{maker_owns_workspace}', '');
GRANT SELECT, INSERT ON public.workspace_members TO eis_gate;

CALL private.protect_in_workspace('public.workspaces', 'owner', '{INSERT,UPDATE,DELETE}', 'published AND status = ''active''', 'id');
-- Nobody is a member yet of what is being made.
ALTER POLICY level2_member_insert ON public.workspaces
    WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(true) s));
CALL private.track_updates('public.workspaces');
CALL private.protect_in_workspace('public.workspace_members', 'owner', '{INSERT,UPDATE,DELETE}');
CREATE POLICY gate_select ON public.workspace_members FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.workspace_members FOR INSERT TO eis_gate WITH CHECK (true);
CALL private.track_updates('public.workspace_members');
