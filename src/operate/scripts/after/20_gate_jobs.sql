-- The gate: jobs.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

CREATE OR REPLACE FUNCTION public.queue_job(secret bytea, id uuid, kind text, payload jsonb) RETURNS void
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
CREATE OR REPLACE FUNCTION public.claim_job(kinds text[], lease_seconds integer) RETURNS TABLE (
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

CREATE OR REPLACE FUNCTION public.open_job_context(secret bytea) RETURNS void
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

CREATE OR REPLACE FUNCTION public.keep_job(secret bytea, progress integer, total integer, lease_seconds integer) RETURNS boolean
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

CREATE OR REPLACE FUNCTION public.put_down_job(secret bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    UPDATE public.jobs j SET status = 'queued', secret_hash = NULL, lease_until = NULL, attempts = j.attempts - 1
    WHERE j.secret_hash = sha256(secret) AND j.status = 'running';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.put_down_job IS 'Gives a job back unfinished, for whoever comes next: its worker stops. The attempt does not count.';

CREATE OR REPLACE FUNCTION public.finish_job(secret bytea, result jsonb, problem text) RETURNS boolean
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

REVOKE ALL ON FUNCTION public.queue_job, public.claim_job, public.open_job_context, public.keep_job, public.put_down_job, public.finish_job FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.queue_job TO eis_app;
GRANT EXECUTE ON FUNCTION public.claim_job, public.open_job_context, public.keep_job, public.put_down_job, public.finish_job TO eis_worker;
SET LOCAL ROLE eis_owner;
