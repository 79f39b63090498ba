-- Jobs: work that no request carries.
--
-- A job is queued from a live context and runs as the person who queued it, at exactly that level. Whoever holds the
-- worker's login opens a context only with the secret of a job that runs, learns that only by claiming the job, and
-- every context asks again whether the person is still active and the assignment still in force.

CREATE TABLE public.jobs (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    client_id       uuid,
    kind            text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    payload         jsonb NOT NULL DEFAULT '{}',
    status          text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
    progress        integer NOT NULL DEFAULT 0 CHECK (progress >= 0),
    total           integer CHECK (total >= 0),
    result          jsonb NOT NULL DEFAULT '{}',
    problem         text NOT NULL DEFAULT '',
    user_id         uuid NOT NULL REFERENCES public.users (id),
    assignment_id   uuid NOT NULL REFERENCES public.role_assignments (id),
    session_id      uuid NOT NULL,
    secret_hash     bytea CHECK (octet_length(secret_hash) = 32),
    lease_until     timestamptz,
    attempts        smallint NOT NULL DEFAULT 0,
    started_at      timestamptz,
    finished_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CHECK ((status = 'running') = (secret_hash IS NOT NULL) AND (status = 'running') = (lease_until IS NOT NULL))
);
CREATE INDEX jobs_waiting ON public.jobs (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_client ON public.jobs (organization_id, client_id, created_at DESC);
CREATE UNIQUE INDEX jobs_secret ON public.jobs (secret_hash) WHERE secret_hash IS NOT NULL;
COMMENT ON TABLE public.jobs IS 'Work in the background, done as the person who queued it. The session is not a foreign key: it goes, the job goes on.';
COMMENT ON COLUMN public.jobs.secret_hash IS 'SHA-256 of what the worker that claimed it was told; another with each claim.';
COMMENT ON COLUMN public.jobs.lease_until IS 'Kept up by the worker while it works; gone by, another may take the job up.';
CALL private.protect('public.jobs', 'client', '{}');
REVOKE SELECT ON public.jobs FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, client_id, kind, payload, status, progress, total, result, problem, user_id, attempts, started_at, finished_at, created_at)
    ON public.jobs TO eis_app;
GRANT SELECT, INSERT, UPDATE ON public.jobs TO eis_gate;
CREATE POLICY gate_all ON public.jobs FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.jobs');
