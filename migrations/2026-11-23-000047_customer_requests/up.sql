-- What customers ask for. They send it themselves, or the client writes it down for them; the client decides.

CREATE TABLE public.customer_requests (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('reading', 'move', 'details', 'dispute', 'plan', 'delegate')),
    payload         jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object' AND length(payload::text) <= 20000),
    status          text NOT NULL DEFAULT 'received' CHECK (status IN ('received', 'decided', 'withdrawn')),
    accepted        boolean CHECK ((accepted IS NOT NULL) = (status = 'decided')),
    answer          text NOT NULL DEFAULT '' CHECK (length(answer) <= 4000 AND (answer = '' OR status = 'decided')),
    decided_at      timestamptz CHECK ((decided_at IS NOT NULL) = (status = 'decided')),
    decided_by      uuid CHECK (decided_by IS NULL OR status = 'decided'),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    CONSTRAINT customer_requests_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id)
);
CREATE INDEX customer_requests_recent ON public.customer_requests (organization_id, client_id, customer_id, id DESC);
CREATE INDEX customer_requests_waiting ON public.customer_requests (organization_id, client_id, status, id);
COMMENT ON TABLE public.customer_requests IS 'Readings, moves, new details, disputes, payment plans and delegates that a customer asks for, and what the client decided.';
COMMENT ON COLUMN public.customer_requests.payload IS 'What is asked for, by kind (customer_requests.rs).';
COMMENT ON COLUMN public.customer_requests.decided_by IS 'The person or service identity; NULL: the system.';
CALL private.protect('public.customer_requests', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.customer_requests');
GRANT SELECT, INSERT, UPDATE ON public.customer_requests TO eis_gate;
CREATE POLICY gate_all ON public.customer_requests FOR ALL TO eis_gate USING (true) WITH CHECK (true);

CREATE FUNCTION public.decided_request_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a request that was decided or withdrawn never changes, nor does what was asked for' USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION public.decided_request_is_fixed FROM PUBLIC;
-- After the policies had their say.
CREATE TRIGGER decided_is_fixed AFTER UPDATE ON public.customer_requests FOR EACH ROW
    WHEN (OLD.status <> 'received' OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.payload IS DISTINCT FROM OLD.payload OR NEW.customer_id IS DISTINCT FROM OLD.customer_id OR NEW.created_at IS DISTINCT FROM OLD.created_at)
    EXECUTE FUNCTION public.decided_request_is_fixed();

-- A customer's context writes nothing. What a customer sends goes by the secret of the own session, which refuses while
-- somebody only sees the portal as that customer.
CREATE FUNCTION private.customer_of_session(secret bytea, OUT person public.users, OUT assignment public.role_assignments)
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
REVOKE ALL ON FUNCTION private.customer_of_session FROM PUBLIC;
ALTER FUNCTION private.customer_of_session OWNER TO eis_gate;

CREATE FUNCTION private.record_request(person public.users, a public.role_assignments, request uuid, action text, summary text, address text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, address)
    VALUES (a.organization_id, gen_random_uuid(), a.client_id, a.customer_id, person.id, person.name, a.role, record_request.action, 'customer_request',
        request, record_request.summary, left(record_request.address, 64));
END $$;
REVOKE ALL ON FUNCTION private.record_request FROM PUBLIC;
ALTER FUNCTION private.record_request OWNER TO eis_gate;

CREATE FUNCTION public.send_customer_request(secret bytea, request uuid, kind text, payload jsonb, address text) RETURNS boolean
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

CREATE FUNCTION public.withdraw_customer_request(secret bytea, request uuid, address text) RETURNS boolean
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
CALL private.give_to_gate('{send_customer_request, withdraw_customer_request}', 'eis_app');

CREATE FUNCTION private.sample_77_customer_requests(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.customer_requests (organization_id, client_id, id, customer_id, kind, payload, status)
        SELECT o, c, private.sample_id(k, s || ' request'), k, 'details', '{}', s FROM unnest('{received,withdrawn}'::text[]) s;
    ELSIF c IS NULL THEN
        RETURN NEXT private.rule_of('public.customer_requests', 'customer', '{INSERT,UPDATE}', open => 'status = ''received''');
    END IF;
END $$;
