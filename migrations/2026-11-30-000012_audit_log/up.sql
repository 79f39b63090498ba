-- The audit log: who did what to which row.
--
-- It is tamper-evident: every record is sealed into a chain of hashes, one chain an organization. Whoever
-- changes, removes or slips in a record later, even as the tables' owner, breaks the chain from there on; to mend it
-- they would have to rewrite all of it, and its end is printed with every isolation report.
--
-- Sealing is deferred to the end of the writing transaction: the chain's end is locked for a moment only, after
-- everything else, so that writers of one organization never wait for each other's work.

CREATE TABLE public.audit_log (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    client_id       uuid,
    customer_id     uuid,
    user_id         uuid,
    user_name       text NOT NULL,
    role            text NOT NULL,
    action          text NOT NULL CHECK (action ~ '^[a-z_]+$'),
    entity          text NOT NULL CHECK (entity ~ '^[a-z_]+$'),
    entity_id       uuid,
    summary         text NOT NULL,
    details         jsonb NOT NULL DEFAULT '{}',
    address         text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX audit_log_organization ON public.audit_log (organization_id, at DESC, id DESC);
CREATE INDEX audit_log_client ON public.audit_log (organization_id, client_id, at DESC, id DESC);
COMMENT ON TABLE public.audit_log IS 'Who did what to which row, when, in which organization, from where. Append-only: no login may change or delete a record.';
CALL private.protect('public.audit_log', 'client', '{}');
GRANT INSERT ON public.audit_log TO eis_app, eis_worker, eis_gate;
CREATE POLICY gate_insert ON public.audit_log FOR INSERT TO eis_gate WITH CHECK (true);
-- As `protect` would make them, and in nobody else's name. Who only reads leaves no record by itself: what is to be on record
-- of reading, a function of the gate writes (opening an organization, the test of isolation).
CREATE POLICY level1_organization_insert ON public.audit_log FOR INSERT TO eis_app, eis_worker, eis_owner
    WITH CHECK (organization_id = (SELECT public.organization_scope(true))
        AND user_id IS NOT DISTINCT FROM (SELECT public.get_current_user_id()));
CREATE POLICY level2_client_insert ON public.audit_log FOR INSERT TO eis_app, eis_worker, eis_owner
    WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(true) s)
        AND user_id IS NOT DISTINCT FROM (SELECT public.get_current_user_id()));
CREATE FUNCTION public.audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.audit_log
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_append_only();
REVOKE ALL ON FUNCTION public.audit_log_is_append_only FROM PUBLIC;
CREATE TABLE public.audit_seals (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    seq             bigint NOT NULL CHECK (seq > 0),
    record_id       uuid NOT NULL,
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, seq),
    UNIQUE (organization_id, record_id),
    FOREIGN KEY (organization_id, record_id) REFERENCES public.audit_log (organization_id, id)
);
COMMENT ON TABLE public.audit_seals IS 'One link of an organization''s chain for each audit record: SHA-256 over the link before and the record.';
ALTER TABLE public.audit_seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_seals FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.audit_seals FROM PUBLIC;
GRANT SELECT, INSERT ON public.audit_seals TO eis_gate;
CREATE POLICY gate_select ON public.audit_seals FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.audit_seals FOR INSERT TO eis_gate WITH CHECK (true);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.audit_seals
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_append_only();

-- The end of each chain; its row is what writers queue for.
CREATE TABLE public.audit_chains (
    organization_id uuid PRIMARY KEY REFERENCES public.organizations (id),
    seq             bigint NOT NULL,
    hash            bytea NOT NULL
);
COMMENT ON TABLE public.audit_chains IS 'The last link of each organization''s chain.';
ALTER TABLE public.audit_chains ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_chains FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.audit_chains FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON public.audit_chains TO eis_gate;
CREATE POLICY gate_all ON public.audit_chains FOR ALL TO eis_gate USING (true) WITH CHECK (true);

GRANT SELECT ON public.audit_log TO eis_gate;
CREATE POLICY gate_select ON public.audit_log FOR SELECT TO eis_gate USING (true);

CREATE FUNCTION public.audit_log_is_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chain public.audit_chains;
    link bytea;
BEGIN
    INSERT INTO public.audit_chains VALUES (NEW.organization_id, 0, '') ON CONFLICT DO NOTHING;
    SELECT c.* INTO chain FROM public.audit_chains c WHERE c.organization_id = NEW.organization_id FOR UPDATE;
    link := private.audit_link(chain.hash, chain.seq + 1, NEW);
    INSERT INTO public.audit_seals (organization_id, seq, record_id, hash) VALUES (NEW.organization_id, chain.seq + 1, NEW.id, link);
    UPDATE public.audit_chains c SET seq = chain.seq + 1, hash = link WHERE c.organization_id = NEW.organization_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.audit_log_is_sealed IS 'Adds a record to its organization''s chain as its transaction ends.';

-- What a record says of who and when is the context's word, not the writer's.
CREATE FUNCTION public.audit_log_tells_the_truth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    -- Without a context only the gate's own functions and the owner come this far.
    IF nullif(current_setting('eis.context', true), '') IS NULL THEN RETURN NEW; END IF;
    fields := private.context();
    IF fields IS NULL OR fields[5] = '' THEN RETURN NEW; END IF;
    NEW.user_id := fields[5]::uuid;
    NEW.user_name := (SELECT u.name FROM public.users u WHERE u.id = NEW.user_id);
    NEW.role := fields[6];
    NEW.at := now();
    -- What EIS staff change carries the reason for which they had stepped up.
    IF fields[6] = 'eis_staff' AND fields[7] = 'w' THEN
        NEW.details := NEW.details || jsonb_strip_nulls(jsonb_build_object('reason', private.step_up_reason(fields)));
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION public.audit_log_tells_the_truth IS 'Takes user, role and time of a record from the verified context, and the reason of EIS staff who change something.';

CREATE TRIGGER tells_the_truth BEFORE INSERT ON public.audit_log
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_tells_the_truth();
CREATE CONSTRAINT TRIGGER is_sealed AFTER INSERT ON public.audit_log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_sealed();

CALL private.give_to_gate('{audit_log_is_sealed, audit_log_tells_the_truth}', '');
