-- Files of a workspace. Their bytes lie outside the database, encrypted with the key that lies in the row: who cannot
-- read the row cannot read them.

CREATE TABLE public.files (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    name            text NOT NULL CHECK (length(trim(name)) >= 1 AND length(trim(name)) <= 255 AND name !~ '[[:cntrl:]/\\]'),
    media_type      text NOT NULL CHECK (length(media_type) <= 127 AND media_type ~ '^[a-z0-9.+-]+/[a-z0-9.+-]+$'),
    bytes           bigint NOT NULL CHECK (bytes >= 0),
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    content_key     bytea NOT NULL CHECK (octet_length(content_key) = 32),
    status          text NOT NULL DEFAULT 'received' CHECK (status IN ('received', 'indexed', 'failed')),
    problem         text NOT NULL DEFAULT '' CHECK (problem ~ '^[a-z_]*$' AND (problem <> '') = (status = 'failed')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, workspace_id, id),
    CONSTRAINT files_workspace FOREIGN KEY (organization_id, client_id, workspace_id) REFERENCES public.workspaces (organization_id, client_id, id)
);
-- Names are one whatever their case, within a workspace; lists go by it.
CREATE UNIQUE INDEX files_name ON public.files (organization_id, client_id, workspace_id, lower(name));
COMMENT ON TABLE public.files IS 'Files of a workspace: what they are called and what their bytes are. The bytes are found by the file''s id.';
COMMENT ON COLUMN public.files.sha256 IS 'Of the bytes before they were encrypted.';
COMMENT ON COLUMN public.files.content_key IS 'What the bytes are encrypted with: random, of this file alone.';
COMMENT ON COLUMN public.files.status IS 'received: its text was not read yet; indexed: its text is there to be found (document_chunks); failed: it could not be read.';
COMMENT ON COLUMN public.files.problem IS 'Why it could not be read, a code.';
CALL private.protect_in_workspace('public.files', 'editor', '{INSERT,UPDATE,DELETE}',
    'workspace_id = ANY ((SELECT public.published_workspaces())::uuid[])');
CALL private.track_updates('public.files');

-- Other bytes are another file: what was read of these, and who cites them, must stay true.
CREATE FUNCTION public.bytes_of_a_file_are_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the bytes of a file never change; put another file in its place' USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION public.bytes_of_a_file_are_fixed FROM PUBLIC;
CREATE TRIGGER bytes_are_fixed BEFORE UPDATE ON public.files FOR EACH ROW
    WHEN (NEW.bytes IS DISTINCT FROM OLD.bytes OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.content_key IS DISTINCT FROM OLD.content_key OR NEW.media_type IS DISTINCT FROM OLD.media_type)
    EXECUTE FUNCTION public.bytes_of_a_file_are_fixed();
