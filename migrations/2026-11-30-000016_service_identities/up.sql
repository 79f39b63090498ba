-- Service identities: what schedules, watched folders and other work without a person stand as. Each is a user without
-- sign-in, with one assignment (role `service`, at the organization or at one client) and a list of commands. A secret opens
-- contexts for these commands alone; it is nobody's session, so that it outlives its maker's role.

CREATE TABLE public.service_identities (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    client_id       uuid,
    user_id         uuid NOT NULL UNIQUE REFERENCES public.users (id),
    assignment_id   uuid NOT NULL UNIQUE REFERENCES public.role_assignments (id),
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    commands        text[] NOT NULL CHECK (cardinality(commands) > 0 AND array_position(commands, NULL) IS NULL
        AND commands <@ ARRAY['import_usage', 'rate_billing_run', 'read_overview']),
    secret_hash     bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    secret_made_at  timestamptz NOT NULL DEFAULT now(),
    made_by         text NOT NULL,
    last_used_at    timestamptz,
    last_used_from  text NOT NULL DEFAULT '',
    last_command    text NOT NULL DEFAULT '',
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid NOT NULL REFERENCES public.users (id),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX service_identities_client ON public.service_identities (organization_id, client_id, created_at DESC);
CREATE INDEX service_identities_maker ON public.service_identities (created_by);
COMMENT ON TABLE public.service_identities IS
    'What work without a person stands as: a user without sign-in, one assignment, a list of commands. The gate alone writes it.';
COMMENT ON COLUMN public.service_identities.commands IS 'What it may do; private.service_writes says which of them write. It never changes: another list is another identity.';
COMMENT ON COLUMN public.service_identities.secret_hash IS 'SHA-256 of 256 random bits, which are shown once.';
COMMENT ON COLUMN public.service_identities.made_by IS 'The maker''s name, who may be gone since.';
COMMENT ON COLUMN public.service_identities.last_used_from IS 'The machine and its user, or the address, as the caller says.';
CALL private.protect('public.service_identities', 'client', '{}');
REVOKE SELECT ON public.service_identities FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, client_id, user_id, name, commands, secret_made_at, made_by, last_used_at, last_used_from, last_command,
    ended_at, created_at) ON public.service_identities TO eis_app;
GRANT SELECT, INSERT, UPDATE ON public.service_identities TO eis_gate;
CREATE POLICY gate_all ON public.service_identities FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.service_identities');
