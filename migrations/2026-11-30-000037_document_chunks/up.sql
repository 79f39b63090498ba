-- The text of files, in pieces that can be found and cited.

CREATE TABLE public.document_chunks (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    file_id         uuid NOT NULL,
    position        integer NOT NULL CHECK (position >= 0),
    language        text NOT NULL CHECK (language IN ('', 'de', 'en', 'es', 'fr', 'it', 'nl')),
    text            text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    words           tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector(CASE language
        WHEN 'de' THEN 'pg_catalog.german'::regconfig WHEN 'en' THEN 'pg_catalog.english'::regconfig
        WHEN 'es' THEN 'pg_catalog.spanish'::regconfig WHEN 'fr' THEN 'pg_catalog.french'::regconfig
        WHEN 'it' THEN 'pg_catalog.italian'::regconfig WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
        ELSE 'pg_catalog.simple'::regconfig END, text)) STORED,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, file_id, position),
    FOREIGN KEY (organization_id, client_id, workspace_id, file_id)
        REFERENCES public.files (organization_id, client_id, workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX document_chunks_workspace ON public.document_chunks (organization_id, client_id, workspace_id, language);
COMMENT ON TABLE public.document_chunks IS 'The text of a file in pieces, in their order. They go with their file.';
COMMENT ON COLUMN public.document_chunks.language IS 'Of the text (ISO 639-1), whose endings the search knows; empty: another one or none.';
COMMENT ON COLUMN public.document_chunks.words IS
    'What the search compares. No GIN index: its operator is not leakproof, so that under row-level security none would be used; within a client every piece is looked at.';
CALL private.protect_in_workspace('public.document_chunks', 'editor', '{INSERT,DELETE}',
    'workspace_id = ANY ((SELECT public.published_workspaces())::uuid[])');
CALL private.track_updates('public.document_chunks');
