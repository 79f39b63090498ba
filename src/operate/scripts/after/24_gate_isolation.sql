-- The gate: runs of the isolation test on record, and how old the key is that signs contexts. The key itself is
-- for nobody to read.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Staff ask for a run while they only read, and the organization reads in its log that they did. The gate writes what the
-- record of runs says, once for each run and organization, and only while the run is fresh: no words of the caller's.
CREATE OR REPLACE FUNCTION public.record_isolation_run(run uuid, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.context();
    r public.isolation_runs;
BEGIN
    IF fields IS NULL OR fields[1] <> 'organization' OR fields[6] NOT IN ('eis_staff', 'energy_admin') THEN
        RAISE EXCEPTION 'a run is put on record by staff and energy admins' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    -- Two calls at once would both find no record.
    PERFORM pg_advisory_xact_lock(79, hashtext(fields[2] || run::text));
    SELECT x.* INTO r FROM public.isolation_runs x WHERE x.id = run AND x.at > statement_timestamp() - interval '5 minutes';
    IF NOT FOUND OR EXISTS (SELECT 1 FROM public.audit_log l WHERE l.organization_id = fields[2]::uuid
        AND l.at > statement_timestamp() - interval '1 hour' AND l.entity = 'isolation_run' AND l.entity_id = run) THEN RETURN false; END IF;
    INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    VALUES (fields[2]::uuid, gen_random_uuid(), fields[5]::uuid, '', fields[6], 'run', 'isolation_run', run,
        format('Ran the test of isolation: %s attempts, %s failed', r.tried, r.tried - r.passed),
        jsonb_build_object('tried', r.tried, 'failed', r.tried - r.passed, 'tables', r.tables, 'milliseconds', r.milliseconds), left(address, 64));
    RETURN true;
END $$;
COMMENT ON FUNCTION public.record_isolation_run IS 'Puts a run of the isolation test, just done, into the log of the context''s organization; false when it is no such run or stands there.';

CREATE OR REPLACE FUNCTION public.signing_key_made_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (SELECT k.created_at FROM private.signing_keys k ORDER BY k.id DESC LIMIT 1); END $$;
COMMENT ON FUNCTION public.signing_key_made_at IS 'Since when contexts are signed with the key in use.';

REVOKE ALL ON FUNCTION public.record_isolation_run, public.signing_key_made_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.record_isolation_run TO eis_app;
GRANT EXECUTE ON FUNCTION public.signing_key_made_at TO eis_app, eis_monitor;
SET LOCAL ROLE eis_owner;
