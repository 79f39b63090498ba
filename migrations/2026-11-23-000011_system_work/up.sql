-- Work that no request carries: jobs, and what runs across organizations.

-- ── Jobs ───────────────────────────────────────────────────────────────────────────────────────────
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

CREATE FUNCTION public.queue_job(secret bytea, id uuid, kind text, payload jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    IF fields[1] NOT IN ('organization', 'client') OR fields[5]::uuid IS DISTINCT FROM (live.person).id
        OR fields[6] IS DISTINCT FROM (live.assignment).role THEN
        RAISE EXCEPTION 'this context may not queue work' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    INSERT INTO public.jobs (organization_id, id, client_id, kind, payload, user_id, assignment_id, session_id, created_by)
    VALUES (fields[2]::uuid, queue_job.id, nullif(fields[3], '')::uuid, queue_job.kind, queue_job.payload, (live.person).id,
        (live.assignment).id, (live.session).id, (live.person).id);
END $$;
COMMENT ON FUNCTION public.queue_job IS 'Queues work that will be done in the context that is open now, as the person of this session.';

-- The next job of these kinds, of the organization that has the fewest running: its new secret and whose work it is.
CREATE FUNCTION public.claim_job(kinds text[], lease_seconds integer) RETURNS TABLE (
    id uuid, kind text, secret bytea, attempt smallint, payload jsonb, organization_id uuid, client_id uuid, user_id uuid, user_name text, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    j public.jobs;
    fresh bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.jobs x SET status = 'failed', secret_hash = NULL, lease_until = NULL, finished_at = now(),
        problem = 'It was begun three times and never finished.'
    FROM (SELECT y.organization_id, y.id FROM public.jobs y WHERE y.status = 'running' AND y.lease_until < clock_timestamp() AND y.attempts >= 3
        FOR UPDATE SKIP LOCKED) lost
    WHERE x.organization_id = lost.organization_id AND x.id = lost.id;
    SELECT x.* INTO j FROM public.jobs x
    WHERE x.kind = ANY (kinds) AND (x.status = 'queued' OR (x.status = 'running' AND x.lease_until < clock_timestamp()))
    ORDER BY (SELECT count(*) FROM public.jobs r WHERE r.organization_id = x.organization_id AND r.status = 'running'), x.created_at
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    UPDATE public.jobs x SET status = 'running', secret_hash = sha256(fresh), attempts = x.attempts + 1, started_at = now(),
        lease_until = clock_timestamp() + make_interval(secs => least(greatest(lease_seconds, 5), 600))
    WHERE x.organization_id = j.organization_id AND x.id = j.id;
    RETURN QUERY SELECT j.id, j.kind, fresh, (j.attempts + 1)::smallint, j.payload, j.organization_id, j.client_id, j.user_id, u.name, a.role
    FROM public.users u, public.role_assignments a WHERE u.id = j.user_id AND a.id = j.assignment_id;
END $$;
COMMENT ON FUNCTION public.claim_job IS 'For the worker: takes up the next job, or one whose worker went away, under a new secret.';

CREATE FUNCTION public.open_job_context(secret bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    -- A connection is made ready by preparing this call; it asks for nothing then.
    IF secret IS NULL THEN RETURN; END IF;
    PERFORM private.fresh_snapshot();
    SELECT j.session_id, j.organization_id AS opened, j.client_id AS narrow, u.id AS person, a.role, a.narrowed, a.organization_id, a.client_id, a.customer_id INTO live
    FROM public.jobs j
    JOIN public.users u ON u.id = j.user_id AND u.status = 'active'
    JOIN public.role_assignments a ON a.id = j.assignment_id AND a.user_id = u.id AND private.in_force(a)
    JOIN public.organizations g ON g.id = j.organization_id AND (a.role = 'eis_staff' OR g.status = 'active')
    WHERE j.secret_hash = sha256(secret) AND j.status = 'running' AND j.lease_until > clock_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this job has ended, or its person may no longer act' USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_ended';
    END IF;
    -- Said here: work without a tenant would look done.
    IF private.second_factor_due(live.person, live.role) <= statement_timestamp() THEN
        RAISE EXCEPTION 'this role needs a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'second_factor_needed';
    END IF;
    PERFORM private.stand(live.session_id, live.opened, live.person, live.role, live.narrowed, live.organization_id, live.client_id, live.customer_id, live.narrow);
END $$;
COMMENT ON FUNCTION public.open_job_context IS
    'For the worker: checks a running job''s secret, its person and assignment, and signs the context of exactly the level at which it was queued.';

CREATE FUNCTION public.keep_job(secret bytea, progress integer, total integer, lease_seconds integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    -- Whoever gets further begins to count anew: three times without a step forward is what ends a job.
    UPDATE public.jobs j SET progress = coalesce(keep_job.progress, j.progress), total = coalesce(keep_job.total, j.total),
        attempts = CASE WHEN keep_job.progress > j.progress THEN 1 ELSE j.attempts END,
        lease_until = clock_timestamp() + make_interval(secs => least(greatest(lease_seconds, 5), 600))
    WHERE j.secret_hash = sha256(secret) AND j.status = 'running';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.keep_job IS 'Says how far a job is and keeps it; false: another worker has it, stop.';

CREATE FUNCTION public.put_down_job(secret bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.jobs j SET status = 'queued', secret_hash = NULL, lease_until = NULL, attempts = j.attempts - 1
    WHERE j.secret_hash = sha256(secret) AND j.status = 'running';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.put_down_job IS 'Gives a job back unfinished, for whoever comes next: its worker stops. The attempt does not count.';

CREATE FUNCTION public.finish_job(secret bytea, result jsonb, problem text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.jobs j SET status = CASE WHEN finish_job.problem = '' THEN 'done' ELSE 'failed' END, result = coalesce(finish_job.result, '{}'),
        problem = finish_job.problem, secret_hash = NULL, lease_until = NULL, finished_at = now(),
        progress = CASE WHEN finish_job.problem = '' THEN coalesce(j.total, j.progress) ELSE j.progress END
    WHERE j.secret_hash = sha256(secret) AND j.status = 'running';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.finish_job IS 'Ends a job, in the transaction of its last writes or after it; false: another worker has it, take back what was done.';

-- ── Across organizations ───────────────────────────────────────────────────────────────────────────
--
-- "Execute as system": EIS administrators alone, for a reason, for a quarter of an hour at most, in one session. It is
-- written into the log of each organization first, in a transaction that has ended, and opens after that.

CREATE TABLE public.system_work (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    session_id      uuid NOT NULL,
    reason          text NOT NULL CHECK (length(trim(reason)) BETWEEN 10 AND 500),
    writes          boolean NOT NULL,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK (expires_at <= created_at + interval '15 minutes')
);
CREATE INDEX system_work_session ON public.system_work (session_id, organization_id, expires_at);
COMMENT ON TABLE public.system_work IS 'When an EIS administrator worked as the system in an organization, who, and why.';
CALL private.protect('public.system_work', 'organization', '{}');
GRANT SELECT, INSERT, UPDATE ON public.system_work TO eis_gate;
REVOKE SELECT ON public.system_work FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, user_id, reason, writes, expires_at, created_at) ON public.system_work TO eis_app;
CREATE POLICY gate_all ON public.system_work FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.system_work');

-- Puts the work on record in each organization (NULL: all); those it is for.
CREATE FUNCTION public.begin_system_work(secret bytea, organizations uuid[], reason text, writes boolean, address text)
RETURNS TABLE (id uuid, slug text, name text, status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    work CONSTANT uuid := gen_random_uuid();
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    IF (live.assignment).role IS DISTINCT FROM 'eis_staff' OR NOT (live.assignment).administrator THEN
        RAISE EXCEPTION 'for EIS administrators' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    INSERT INTO public.system_work (organization_id, id, user_id, session_id, reason, writes, expires_at, created_by)
    SELECT g.id, work, (live.person).id, (live.session).id, trim(begin_system_work.reason), begin_system_work.writes, now() + interval '15 minutes',
        (live.person).id
    FROM public.organizations g WHERE organizations IS NULL OR g.id = ANY (organizations);
    INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    SELECT w.organization_id, gen_random_uuid(), (live.person).id, (live.person).name, 'eis_staff', 'system_work', 'organization', w.organization_id,
        'EIS administrator works as the system: ' || w.reason,
        jsonb_build_object('reason', w.reason, 'writes', w.writes, 'until', w.expires_at), left(begin_system_work.address, 64)
    FROM public.system_work w WHERE w.id = work;
    RETURN QUERY SELECT g.id, g.slug, g.name, g.status FROM public.system_work w JOIN public.organizations g ON g.id = w.organization_id
        WHERE w.id = work ORDER BY g.name, g.id;
END $$;
COMMENT ON FUNCTION public.begin_system_work IS
    'For EIS administrators: puts on record, where each organization reads it, that they work as the system there and why. What it opens opens after this transaction.';

CREATE FUNCTION public.open_system_work(secret bytea, organization uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    may_write boolean;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    -- What this very transaction wrote could still be taken back: only a record that stands counts.
    SELECT bool_or(w.writes) INTO may_write FROM public.system_work w
    WHERE w.session_id = (live.session).id AND w.user_id = (live.person).id AND w.organization_id = open_system_work.organization
      AND w.created_at < now() AND w.expires_at > statement_timestamp();
    IF may_write IS NULL OR (live.assignment).role IS DISTINCT FROM 'eis_staff' OR NOT (live.assignment).administrator THEN
        RAISE EXCEPTION 'no system work was begun here' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    PERFORM private.put_context('organization', organization, NULL, NULL, (live.person).id, 'system', may_write);
END $$;
COMMENT ON FUNCTION public.open_system_work IS 'The context of one organization as the system, for a session that began it with begin_system_work.';

-- The operator at the command line, who holds the owner's rights anyway: leaves a record, then stands there.
CREATE FUNCTION public.open_operator_work(organization uuid, operator text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, user_name, role, action, entity, entity_id, summary, details)
    VALUES (organization, gen_random_uuid(), left('Operator ' || operator, 200), 'system', 'system_work', 'organization', organization,
        'Work at the command line: ' || reason, jsonb_build_object('reason', reason));
    PERFORM private.put_context('organization', organization, NULL, NULL, NULL, 'system', true);
END $$;
COMMENT ON FUNCTION public.open_operator_work IS
    'For the owner: as open_system_context, put on record where the organization reads it. What is no migration and loads no demo data comes in here.';

CALL private.give_to_gate('{queue_job, begin_system_work, open_system_work}', 'eis_app');
CALL private.give_to_gate('{claim_job, open_job_context, keep_job, put_down_job, finish_job}', 'eis_worker');
CALL private.give_to_gate('{open_operator_work}', 'eis_owner');

CREATE FUNCTION private.sample_60_system_work(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid := private.sample_id(coalesce(c, o), 'admin');
BEGIN
    IF k IS NOT NULL THEN RETURN; END IF;
    INSERT INTO public.jobs (organization_id, id, client_id, kind, status, user_id, assignment_id, session_id)
    VALUES (o, private.sample_id(coalesce(c, o), 'job'), c, 'test', 'done', person, private.sample_id(person, 'assignment'), o);
    IF c IS NULL THEN
        -- Over already.
        INSERT INTO public.system_work (organization_id, id, user_id, session_id, reason, writes, expires_at)
        VALUES (o, private.sample_id(o, 'work'), private.sample_id(o, 'staff'), o, 'Isolation test', false, now());
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.jobs', 'client'), private.rule_of('public.system_work', 'organization')]) r;
    END IF;
END $$;
ALTER FUNCTION private.sample_60_system_work OWNER TO eis_gate;
SET LOCAL ROLE eis_gate;
GRANT EXECUTE ON FUNCTION private.sample_60_system_work TO eis_owner;
SET LOCAL ROLE eis_owner;
