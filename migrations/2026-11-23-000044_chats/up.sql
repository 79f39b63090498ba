-- Conversations about the documents of a workspace. Each is its person's own: nobody else of the client or the
-- organization reads it.

CREATE TABLE public.chat_sessions (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    user_id         uuid NOT NULL,
    title           text NOT NULL CHECK (length(trim(title)) BETWEEN 1 AND 200),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, user_id, id),
    CONSTRAINT chat_sessions_workspace FOREIGN KEY (organization_id, client_id, workspace_id) REFERENCES public.workspaces (organization_id, client_id, id)
);
CREATE INDEX chat_sessions_recent ON public.chat_sessions (organization_id, client_id, user_id, workspace_id, id DESC);
CREATE INDEX chat_sessions_workspace ON public.chat_sessions (organization_id, client_id, workspace_id);
COMMENT ON TABLE public.chat_sessions IS 'Conversations of one person about a workspace.';

CREATE TABLE public.chat_messages (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    session_id      uuid NOT NULL,
    position        integer NOT NULL CHECK (position >= 0),
    user_id         uuid NOT NULL,
    role            text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    text            text NOT NULL CHECK (length(text) BETWEEN 1 AND 20000),
    cites           uuid[] NOT NULL DEFAULT '{}' CHECK (array_position(cites, NULL) IS NULL AND cardinality(cites) <= 50),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, session_id, position),
    FOREIGN KEY (organization_id, client_id, user_id, session_id)
        REFERENCES public.chat_sessions (organization_id, client_id, user_id, id) ON DELETE CASCADE
);
CREATE INDEX chat_messages_session ON public.chat_messages (organization_id, client_id, user_id, session_id);
COMMENT ON TABLE public.chat_messages IS 'What was said in a conversation, in its order. It is never changed, and goes with its conversation.';
COMMENT ON COLUMN public.chat_messages.cites IS 'Ids of document_chunks; one that is gone is cited still.';
COMMENT ON COLUMN public.chat_messages.user_id IS 'Whose conversation it is, whoever speaks.';

-- Policies of what is one person's own, at the organization and at a client. The owner of the tables, as whom nobody
-- logs in, stands for the whole organization.
CREATE PROCEDURE private.protect_own(target regclass, writes text[]) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope record;
    command text;
    predicate text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', target);
    FOREACH command IN ARRAY 'SELECT'::text || writes LOOP
        EXECUTE format('GRANT %s ON TABLE %s TO eis_app, eis_worker', command, target);
        FOR scope IN SELECT * FROM (VALUES
            ('level1_own_', 'organization_id = (SELECT public.organization_scope(%s))'),
            ('level2_own_', '(organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(%s) s)')) AS v (name, form)
        LOOP
            predicate := format(scope.form, CASE command WHEN 'SELECT' THEN '' ELSE 'true' END) || ' AND user_id = (SELECT public.get_current_user_id())';
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO eis_app, eis_worker %s %s', scope.name || lower(command), target, command,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command IN ('SELECT', 'DELETE') THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO eis_owner USING (organization_id = (SELECT public.organization_scope())) '
        'WITH CHECK (organization_id = (SELECT public.organization_scope(true)))', target);
END $$;
COMMENT ON PROCEDURE private.protect_own IS 'As private.protect, for rows of a client that only their own person sees (user_id).';
REVOKE ALL ON PROCEDURE private.protect_own FROM PUBLIC;
CALL private.protect_own('public.chat_sessions', '{INSERT,UPDATE,DELETE}');
CALL private.protect_own('public.chat_messages', '{INSERT,DELETE}');
CALL private.track_updates('public.chat_sessions');
CALL private.track_updates('public.chat_messages');

-- Of each client one conversation of everybody who may have one there.
CREATE FUNCTION private.sample_74_chats(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid;
BEGIN
    IF k IS NOT NULL THEN RETURN;
    ELSIF c IS NOT NULL THEN
        FOREACH person IN ARRAY ARRAY[private.sample_id(o, 'admin'), private.sample_id(o, 'reader'), private.sample_id(o, 'staff'),
            private.sample_id(c, 'admin'), private.sample_id(c, 'reader')] LOOP
            INSERT INTO public.chat_sessions (organization_id, client_id, id, workspace_id, user_id, title)
            VALUES (o, c, private.sample_id(c, person || 'chat'), private.sample_id(c, 'workspace'), person, 'Isolation test');
            INSERT INTO public.chat_messages (organization_id, client_id, session_id, position, user_id, role, text)
            VALUES (o, c, private.sample_id(c, person || 'chat'), 0, person, 'user', 'Isolation test');
        END LOOP;
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.chat_sessions', 'client', '{INSERT,UPDATE,DELETE}', person => 'user_id = ''{person}'''),
            private.rule_of('public.chat_messages', 'client', '{INSERT,DELETE}', person => 'user_id = ''{person}''')]) r;
    END IF;
END $$;
