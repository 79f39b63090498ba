-- EIS staff read. To write they step up: in the organization that is open, for a reason, for a time, in one session.
-- The database decides it with every context, so that nothing forgotten in the portal can write beyond it.

CREATE TABLE public.step_ups (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    session_id      uuid NOT NULL,
    reason          text NOT NULL CHECK (length(trim(reason)) BETWEEN 10 AND 500),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK (expires_at <= created_at + interval '1 hour')
);
CREATE INDEX step_ups_session ON public.step_ups (session_id, expires_at);
COMMENT ON TABLE public.step_ups IS 'When EIS staff might write in an organization, who, and why. The session is not a foreign key: it goes, this stays.';
CALL private.protect('public.step_ups', 'organization', '{}');
GRANT SELECT, INSERT, UPDATE ON public.step_ups TO eis_gate;
REVOKE SELECT ON public.step_ups FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, user_id, reason, expires_at, ended_at, created_at) ON public.step_ups TO eis_app;
CREATE POLICY gate_all ON public.step_ups FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.step_ups');

-- Until when a session may write in an organization; NULL: it reads. Only a record that stands counts: one of this very
-- transaction might be taken back after the writing.
CREATE FUNCTION private.writes_until(of_session uuid, organization uuid) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT max(s.expires_at) FROM public.step_ups s WHERE s.session_id = of_session AND s.organization_id = organization
        AND s.created_at < pg_catalog.now() AND s.ended_at IS NULL AND s.expires_at > pg_catalog.statement_timestamp());
END $$;
REVOKE ALL ON FUNCTION private.writes_until FROM PUBLIC;
ALTER FUNCTION private.writes_until OWNER TO eis_gate;

-- Why the staff of a context have stepped up here; NULL for everybody else, and when none of their step-ups holds any more.
CREATE FUNCTION private.step_up_reason(fields text[]) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fields[6] <> 'eis_staff' THEN RETURN NULL; END IF;
    RETURN (SELECT string_agg(DISTINCT s.reason, '; ') FROM public.step_ups s
        WHERE s.organization_id = fields[2]::uuid AND s.user_id = fields[5]::uuid AND s.ended_at IS NULL AND s.expires_at > statement_timestamp());
END $$;
REVOKE ALL ON FUNCTION private.step_up_reason FROM PUBLIC;
ALTER FUNCTION private.step_up_reason OWNER TO eis_gate;

CREATE FUNCTION public.step_up(secret bytea, reason text, minutes integer, address text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    ends timestamptz := now() + make_interval(mins => least(greatest(minutes, 5), 60));
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    IF (live.assignment).role IS DISTINCT FROM 'eis_staff' OR (live.session).organization_id IS NULL THEN
        RAISE EXCEPTION 'for EIS staff with an organization open' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    UPDATE public.step_ups s SET ended_at = now() WHERE s.session_id = (live.session).id AND s.ended_at IS NULL AND s.expires_at > now();
    INSERT INTO public.step_ups (organization_id, id, user_id, session_id, reason, expires_at, created_by)
    VALUES ((live.session).organization_id, gen_random_uuid(), (live.person).id, (live.session).id, trim(reason), ends, (live.person).id);
    INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    VALUES ((live.session).organization_id, gen_random_uuid(), (live.person).id, (live.person).name, 'eis_staff', 'step_up', 'organization',
        (live.session).organization_id, 'EIS staff may write for a time: ' || trim(reason),
        jsonb_build_object('reason', trim(reason), 'until', ends), left(step_up.address, 64));
    RETURN ends;
END $$;
COMMENT ON FUNCTION public.step_up IS 'Lets a session of EIS staff write in the organization it has open, 5 to 60 minutes, for a reason that is put on record there.';

CREATE FUNCTION public.step_down(secret bytea, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    ended public.step_ups;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    UPDATE public.step_ups s SET ended_at = now() WHERE s.session_id = (live.session).id AND s.ended_at IS NULL AND s.expires_at > now()
    RETURNING s.* INTO ended;
    IF ended.id IS NULL THEN RETURN false; END IF;
    INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary, address)
    VALUES (ended.organization_id, gen_random_uuid(), (live.person).id, (live.person).name, 'eis_staff', 'step_down', 'organization',
        ended.organization_id, 'EIS staff reads only again', left(step_down.address, 64));
    RETURN true;
END $$;
COMMENT ON FUNCTION public.step_down IS 'Ends what step_up began, before its time.';

CALL private.give_to_gate('{
    step_up, step_down}', 'eis_app');
