-- The gate: requests of customers.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- A customer's context writes nothing. What a customer sends goes by the secret of the own session, which refuses while
-- somebody only sees the portal as that customer.
CREATE OR REPLACE FUNCTION private.customer_of_session(secret bytea, OUT person public.users, OUT assignment public.role_assignments)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    person := live.person;
    -- Held, so that one person's requests are counted in turn.
    SELECT a.* INTO assignment FROM public.role_assignments a JOIN public.organizations g ON g.id = a.organization_id AND g.status = 'active'
    WHERE a.id = (live.assignment).id AND a.role = 'customer_user' AND a.narrowed IS NULL FOR UPDATE OF a;
    IF assignment.id IS NULL THEN
        RAISE EXCEPTION 'only a customer sends requests' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
END $$;
COMMENT ON FUNCTION private.customer_of_session IS 'The person and assignment of a customer''s own live session, held until the transaction ends; anybody else''s is an error.';

CREATE OR REPLACE FUNCTION private.record_request(person public.users, a public.role_assignments, request uuid, action text, summary text, address text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    VALUES (a.organization_id, gen_random_uuid(), a.client_id, a.customer_id, person.id, person.name, a.role, record_request.action, 'customer_request',
        request, record_request.summary, left(record_request.address, 64));
END $$;

CREATE OR REPLACE FUNCTION public.send_customer_request(secret bytea, request uuid, kind text, payload jsonb, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most CONSTANT integer := 20;
    mine record;
BEGIN
    SELECT * INTO mine FROM private.customer_of_session(secret);
    IF (SELECT count(*) FROM public.customer_requests r WHERE r.organization_id = (mine.assignment).organization_id
        AND r.client_id = (mine.assignment).client_id AND r.customer_id = (mine.assignment).customer_id
        AND r.created_by = (mine.person).id AND r.status = 'received') >= most THEN
        RAISE EXCEPTION 'too many requests wait for an answer' USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_requests_too_many';
    END IF;
    INSERT INTO public.customer_requests (organization_id, client_id, id, customer_id, kind, payload, created_by)
    VALUES ((mine.assignment).organization_id, (mine.assignment).client_id, request, (mine.assignment).customer_id, send_customer_request.kind,
        send_customer_request.payload, (mine.person).id)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM private.record_request(mine.person, mine.assignment, request, 'send', format('Sent a request (%s)', send_customer_request.kind), address);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.send_customer_request IS
    'A request of the customer of one''s own session, on record; false when it was sent already. At most twenty of a person wait.';

CREATE OR REPLACE FUNCTION public.withdraw_customer_request(secret bytea, request uuid, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE mine record;
BEGIN
    SELECT * INTO mine FROM private.customer_of_session(secret);
    UPDATE public.customer_requests r SET status = 'withdrawn' WHERE r.organization_id = (mine.assignment).organization_id
        AND r.client_id = (mine.assignment).client_id AND r.customer_id = (mine.assignment).customer_id AND r.id = request AND r.status = 'received';
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM private.record_request(mine.person, mine.assignment, request, 'withdraw', 'Withdrew a request', address);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.withdraw_customer_request IS
    'Takes a request of one''s own customer back, on record; false when there is none that waits.';

REVOKE ALL ON FUNCTION private.customer_of_session, private.record_request, public.send_customer_request, public.withdraw_customer_request FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.send_customer_request, public.withdraw_customer_request TO eis_app;
SET LOCAL ROLE eis_owner;
