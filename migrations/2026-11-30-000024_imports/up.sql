-- Imports of usage, and the lines that they refused.

CREATE TABLE public.imports (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    file_name       text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    file_hash       bytea NOT NULL CHECK (octet_length(file_hash) = 32),
    file_bytes      bigint NOT NULL CHECK (file_bytes >= 0),
    format          text NOT NULL CHECK (format IN ('green_button', 'csv', 'nem12')),
    status          text NOT NULL CHECK (status IN ('received', 'validated', 'applied', 'failed')),
    meter_id        uuid,
    accepted        integer NOT NULL DEFAULT 0 CHECK (accepted >= 0),
    unchanged       integer NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
    superseded      integer NOT NULL DEFAULT 0 CHECK (superseded >= 0),
    rejected        integer NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    first_at        timestamptz,
    last_at         timestamptz,
    kwh             numeric(14,3) NOT NULL DEFAULT 0,
    problem         text NOT NULL DEFAULT '',
    applied_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id)
);
CREATE INDEX imports_recent ON public.imports (organization_id, client_id, created_at DESC, id DESC);
COMMENT ON TABLE public.imports IS 'Files of usage: what came, what was taken, what was refused. Counts are values, not lines.';
CALL private.protect('public.imports', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.imports');

CREATE TABLE public.import_rejections (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    import_id       uuid NOT NULL,
    position        integer NOT NULL,
    line            integer NOT NULL,
    "column"        integer NOT NULL DEFAULT 1,
    content         text NOT NULL,
    reason          text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, import_id, position),
    FOREIGN KEY (organization_id, client_id, import_id) REFERENCES public.imports (organization_id, client_id, id)
);
COMMENT ON TABLE public.import_rejections IS 'Lines that were not taken, each with its place and reason, so that they can be mended and sent again.';
CALL private.protect('public.import_rejections', 'client', '{INSERT}');
CALL private.track_updates('public.import_rejections');
