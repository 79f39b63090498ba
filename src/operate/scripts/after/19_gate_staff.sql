-- The gate: EIS staff who write, see as a customer does, or work as the system.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- Until when a session may write in an organization; NULL: it reads. Only a record that stands counts: one of this very
-- transaction might be taken back after the writing.
CREATE OR REPLACE FUNCTION private.writes_until(of_session uuid, organization uuid) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT max(s.expires_at) FROM public.step_ups s WHERE s.session_id = of_session AND s.organization_id = organization
        AND s.created_at < pg_catalog.now() AND s.ended_at IS NULL AND s.expires_at > pg_catalog.statement_timestamp());
END $$;

-- Why the staff of a context have stepped up here; NULL for everybody else, and when none of their step-ups holds any more.
CREATE OR REPLACE FUNCTION private.step_up_reason(fields text[]) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fields[6] <> 'eis_staff' THEN RETURN NULL; END IF;
    RETURN (SELECT string_agg(DISTINCT s.reason, '; ') FROM public.step_ups s
        WHERE s.organization_id = fields[2]::uuid AND s.user_id = fields[5]::uuid AND s.ended_at IS NULL AND s.expires_at > statement_timestamp());
END $$;

CREATE OR REPLACE FUNCTION public.step_up(secret bytea, reason text, minutes integer, address text) RETURNS timestamptz
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

CREATE OR REPLACE FUNCTION public.step_down(secret bytea, address text) RETURNS boolean
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

-- Puts the work on record in each organization (NULL: all); those it is for.
CREATE OR REPLACE FUNCTION public.begin_system_work(secret bytea, organizations uuid[], reason text, writes boolean, address text)
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

CREATE OR REPLACE FUNCTION public.open_system_work(secret bytea, organization uuid) RETURNS void
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
CREATE OR REPLACE FUNCTION public.open_operator_work(organization uuid, operator text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, user_name, role, action, entity, entity_id, summary, details)
    VALUES (organization, gen_random_uuid(), left('Operator ' || operator, 200), 'system', 'system_work', 'organization', organization,
        'Work at the command line: ' || reason, jsonb_build_object('reason', reason));
    PERFORM private.put_context('organization', organization, NULL, NULL, NULL, 'system', true);
END $$;
COMMENT ON FUNCTION public.open_operator_work IS
    'For the owner: as open_system_context, put on record where the organization reads it. What is no migration and loads no demo data comes in here.';

-- "See as this customer": staff in the organization that is open, its admins and the client's see exactly what the customer
-- sees, reading only, for half an hour at most. The session's own row says so (viewed_… of public.sessions), and every
-- context that it opens is the customer's (private.stand): nothing forgotten in the portal can show or change more.
CREATE OR REPLACE FUNCTION public.view_as(secret bytea, client uuid, customer uuid, address text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    org uuid;
    ends timestamptz := now() + interval '30 minutes';
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    org := CASE WHEN (live.assignment).role = 'eis_staff' THEN (live.session).organization_id ELSE (live.assignment).organization_id END;
    IF NOT private.may_view((live.assignment).role, org, (live.assignment).client_id, client, customer)
        OR ((live.assignment).role <> 'eis_staff' AND NOT EXISTS (SELECT FROM public.organizations g WHERE g.id = org AND g.status = 'active')) THEN
        RAISE EXCEPTION 'this customer is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    UPDATE public.sessions s SET viewed_client_id = client, viewed_customer_id = customer, viewed_until = ends, bound_at = now() WHERE s.id = (live.session).id;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    SELECT org, gen_random_uuid(), client, customer, (live.person).id, (live.person).name, (live.assignment).role, 'view_as', 'customer', customer,
        format('Sees the portal as %s (%s)', k.name, n.account_number), jsonb_build_object('until', ends), left(view_as.address, 64)
    FROM public.customers k
    LEFT JOIN public.accounts n ON n.organization_id = k.organization_id AND n.client_id = k.client_id AND n.customer_id = k.id AND n.is_main
    WHERE k.organization_id = org AND k.client_id = view_as.client AND k.id = view_as.customer;
    RETURN ends;
END $$;
COMMENT ON FUNCTION public.view_as IS
    'Lets a session of staff or an admin see the portal as a customer does, reading only, for half an hour; on record in the organization.';

CREATE OR REPLACE FUNCTION public.stop_viewing(secret bytea) RETURNS TABLE (client_id uuid, customer_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, true, true);
    IF (live.session).viewed_until IS NULL THEN RETURN; END IF;
    UPDATE public.sessions s SET viewed_client_id = NULL, viewed_customer_id = NULL, viewed_until = NULL, bound_at = now() WHERE s.id = (live.session).id;
    RETURN QUERY SELECT (live.session).viewed_client_id, (live.session).viewed_customer_id;
END $$;
COMMENT ON FUNCTION public.stop_viewing IS 'Ends what view_as began; tells which customer it was.';

REVOKE ALL ON FUNCTION private.writes_until, private.step_up_reason, public.step_up, public.step_down, public.begin_system_work,
    public.open_system_work, public.open_operator_work, public.view_as, public.stop_viewing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.step_up, public.step_down, public.begin_system_work, public.open_system_work, public.view_as,
    public.stop_viewing TO eis_app;
GRANT EXECUTE ON FUNCTION public.open_operator_work TO eis_owner;
SET LOCAL ROLE eis_owner;
