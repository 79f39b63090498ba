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
