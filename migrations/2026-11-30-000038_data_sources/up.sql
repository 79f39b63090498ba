-- Where a workspace's documents come from by themselves.

CREATE TABLE public.data_sources (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    kind            text NOT NULL CHECK (kind IN ('web_page', 'feed', 'folder', 'mailbox', 'object_store')),
    address         text NOT NULL CHECK (length(address) >= 1 AND length(address) <= 2000 AND address !~ '^[[:alpha:]][[:alnum:]+.-]*://[^/?#]*@'),
    schedule        text NOT NULL DEFAULT 'manual' CHECK (schedule IN ('manual', 'hourly', 'daily', 'weekly')),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused')),
    last_run_at     timestamptz,
    last_result     text NOT NULL DEFAULT '' CHECK (last_result IN ('', 'done', 'unchanged', 'unreachable', 'refused', 'unreadable', 'too_large')),
    last_files      integer NOT NULL DEFAULT 0 CHECK (last_files >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    CONSTRAINT data_sources_workspace FOREIGN KEY (organization_id, client_id, workspace_id) REFERENCES public.workspaces (organization_id, client_id, id),
    CHECK ((last_run_at IS NULL) = (last_result = ''))
);
CREATE UNIQUE INDEX data_sources_name ON public.data_sources (organization_id, client_id, workspace_id, lower(name));
COMMENT ON TABLE public.data_sources IS 'Places that are looked at for new documents of a workspace, and what came of it last.';
COMMENT ON COLUMN public.data_sources.address IS 'Never with a user or password in it: nothing here is secret.';
COMMENT ON COLUMN public.data_sources.last_files IS 'How many files came with the last look.';
CALL private.protect_in_workspace('public.data_sources', 'editor', '{INSERT,UPDATE,DELETE}');
CALL private.track_updates('public.data_sources');
