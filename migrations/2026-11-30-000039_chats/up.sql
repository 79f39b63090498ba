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
CALL private.protect_own('public.chat_sessions', '{INSERT,UPDATE,DELETE}');
CALL private.protect_own('public.chat_messages', '{INSERT,DELETE}');
CALL private.track_updates('public.chat_sessions');
CALL private.track_updates('public.chat_messages');
